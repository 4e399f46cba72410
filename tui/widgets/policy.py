"""The effective policy of a model: each rule, how it stands, where it is written, and what was changed of it where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from governance.views import PolicyRuleView, PolicyView, RuleView
from governance.views.explained import ExplainedRule, ExplainedView, ValueView
from tui.text import fact, head, safe

_GRAVE = ("fail", "error", "no_data", "stale", "too_few", "waived", "pass")
_MARKS = {"pass": "[$success]✓[/]", "fail": "[b $error]✗[/]", "waived": "[$accent]◇[/]"}
_EFFECTS = {"loosened": "[b $warning]▼ loosened[/]", "tightened": "[$success]▲ tightened[/]"}


def policy(found: PolicyView, judged: Sequence[RuleView], explained: ExplainedView, *, whole: bool) -> Iterator[str]:
    """Yield every rule as it holds for the model; what passes in one line, unless the `whole` is wanted."""
    outcomes: dict[str, set[str]] = {}
    for each in judged:
        outcomes.setdefault(each.rule, set()).add(each.outcome)
    layers = {each.rule: each for each in explained.rules}
    held = sorted((each for each in found.rules if not each.why_not), key=lambda one: _rank(outcomes, one))
    key = "[b]v[/] shortens what passes" if whole else "[b]v[/] shows every condition"
    yield f"{head(f'Policy · version {safe(found.version[:12])} · {len(held)} rules')} [$muted]·[/] {key}"
    for rule in held:
        yield from _rule(rule, _worst(outcomes, rule), layers.get(rule.rule), whole=whole)
    changed = [each for each in explained.parameters if each.replaced]
    if changed:
        yield f"\n{head('Limits that this card or the organisation sets')}"
        yield from (f"  {_replaced(each)}" for each in changed)
    absent = [(each.rule, each.why_not) for each in found.rules if each.why_not]
    absent += [(each.name, each.why_not) for each in found.metrics if each.why_not]
    if absent:
        yield f"\n{head(f'{len(absent)} rules and metrics do not apply here')}"
        shown = absent if whole else absent[:3]
        yield from (f"[$muted]· {safe(name)}: {safe(why)}[/]" for name, why in shown)
        if len(shown) < len(absent):
            yield f"[$muted]· and {len(absent) - len(shown)} more[/]"
    yield ""


def _worst(outcomes: Mapping[str, set[str]], rule: PolicyRuleView) -> str:
    known = outcomes.get(rule.rule, set())
    return next((each for each in _GRAVE if each in known), "")


def _rank(outcomes: Mapping[str, set[str]], rule: PolicyRuleView) -> tuple[int, str]:
    worst = _worst(outcomes, rule)
    return (_GRAVE.index(worst) if worst else len(_GRAVE)), rule.rule


def _rule(rule: PolicyRuleView, outcome: str, layers: ExplainedRule | None, *, whole: bool) -> Iterator[str]:
    mark = _MARKS.get(outcome, "[$warning]?[/]" if outcome else "[$muted]·[/]")
    word = {"pass": "", "": "not judged yet"}.get(outcome, outcome.replace("_", " "))
    does = f" → {safe(rule.then)}" if rule.then else ""
    origin = f"  [$muted]{place(rule.origin)}[/]"
    said = f"{word} [$muted]{safe(rule.enforcement)}{does}[/]".lstrip()
    yield f"{mark} [b]{safe(rule.rule)}[/] {said}{origin}"
    yield from (f"    {_replaced(each)}" for each in (layers.values if layers is not None else ()) if each.replaced)
    if not whole and outcome in ("pass", ""):
        return
    for severity, when in rule.when.items():
        lasting = f" [$muted]for[/] {rule.for_}" if rule.for_ not in ("", "0s") else ""
        yield f"    {safe(severity)} [$muted]when[/] {safe(' '.join(when.split()))}{lasting}"
    if rule.remedy and outcome == "fail":
        yield fact("    do", safe(rule.remedy))


def _replaced(value: ValueView) -> str:
    """Return a value that took the place of another, with both places."""
    effect = _EFFECTS.get(value.effect, f"[$secondary]~ {safe(value.effect or 'changed')}[/]")
    before = "; ".join(
        f"{_short(each.value)} ({each.kind} {place(each.place)})".replace(" )", ")") for each in value.replaced
    )
    return f"{effect} [b]{safe(value.name)} {_short(value.value)}[/] {place(value.place)}, [$muted]was {before}[/]"


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return safe(plain if len(plain) <= 70 else f"{plain[:69]}…")


def place(text: str) -> str:
    """Return a place so that its end is read: of what came with the program, which lies far away, the file alone."""
    return safe(text.rpartition("/")[2] if text.startswith("/") else text)
