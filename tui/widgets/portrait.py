"""The parts of a model: its card, its policy with where each part is written, budgets, charts, versions, history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from governance.views import EntryView, PolicyRuleView, PolicyView, RuleView
from governance.views.series import SeriesView
from tui.known import number
from tui.text import fact, head, safe
from tui.widgets.chart import chart

CHARTS = 6
"""Metrics that are drawn: those of failing rules, then those with a limit."""
_SHOWN = ("description", "tier", "labels", "owners", "versions", "truth", "cadence", "cost", "review", "runbooks")
_MARKS = {"pass": "[$success]✓[/]", "fail": "[b $error]✗[/]", "waived": "[$accent]◇[/]"}


def card(written: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the card says, the parts that answer who, what and where first."""
    yield head("Card")
    for name in _SHOWN:
        if written.get(name) not in (None, "", {}, []):
            yield fact(name, safe(plain(written[name])))
    rest = [name for name in written if name not in (*_SHOWN, "kind", "model", "metrics", "rules")]
    if rest:
        yield fact("also", f"[$muted]{safe(', '.join(rest))}[/]")
    yield ""


def plain(value: Any) -> str:
    """Return a value of a card in one line."""
    if isinstance(value, Mapping):
        return "  ".join(f"{name} {plain(each)}" for name, each in value.items() if each not in (None, "", [], {}))
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(each) for each in value)
    return str(value)


def policy(found: PolicyView, judged: Sequence[RuleView]) -> Iterator[str]:
    """Yield every rule as it holds for the model: outcome, condition, what it may do, and where it is written."""
    outcomes: dict[str, set[str]] = {}
    for each in judged:
        outcomes.setdefault(each.rule, set()).add(each.outcome)
    held = [each for each in found.rules if not each.why_not]
    yield head(f"Policy · version {safe(found.version[:12])} · {len(held)} rules")
    for rule in sorted(held, key=lambda each: ("fail" not in outcomes.get(each.rule, ()), each.rule)):
        yield from _rule(rule, outcomes.get(rule.rule, set()))
    if found.parameters:
        yield fact("parameters", safe("  ".join(f"{name} {value}" for name, value in found.parameters.items())))
    absent = sum(bool(each.why_not) for each in found.rules) + sum(bool(each.why_not) for each in found.metrics)
    if absent:
        yield f"[$muted]{absent} rules and metrics do not apply here; gov explain {safe(found.model)} says why[/]"
    yield ""


def _rule(rule: PolicyRuleView, outcomes: set[str]) -> Iterator[str]:
    outcome = next(
        (each for each in ("fail", "error", "no_data", "stale", "too_few", "waived", "pass") if each in outcomes), ""
    )
    mark = _MARKS.get(outcome, "[$warning]?[/]" if outcome else "[$muted]·[/]")
    does = f" → {safe(rule.then)}" if rule.then else ""
    word = "" if outcome in ("pass", "") else f" [$muted]{outcome.replace('_', ' ')}[/]"
    yield f"{mark} [b]{safe(rule.rule)}[/]{word}  [$muted]{safe(rule.enforcement)}{does}[/]"
    for severity, when in rule.when.items():
        lasting = f" for {rule.for_}" if rule.for_ not in ("", "0s") else ""
        yield f"    {safe(severity)} when {safe(' '.join(when.split()))}{lasting}"
    yield f"    [$muted]{safe(rule.origin)}[/]"


def budgets(written: Mapping[str, Any], found: Sequence[SeriesView]) -> Iterator[str]:
    """Yield each SLO with what is left of its budget, where a rule looks at that."""
    slos = written.get("slos") or {}
    if not slos:
        return
    yield head("Service levels")
    for name, spec in slos.items() if isinstance(slos, Mapping) else ():
        left = next((each for each in found if "budget_left" in each.name and name in each.name and each.points), None)
        objective = spec.get("objective") if isinstance(spec, Mapping) else None
        said = f"{float(objective):.3%} over {spec.get('window', '30d')}" if objective is not None else ""
        yield fact(
            str(name),
            f"{said}  {_left(left.points[-1].value) if left is not None else '[$muted]no rule looks at its budget[/]'}",
        )
    yield ""


def _left(share: float) -> str:
    """Return a share of a budget as a bar of twenty cells, a word and a number."""
    full = max(0, min(round(share * 20), 20))
    colour = "$success" if share > 0.5 else "$warning" if share > 0 else "$error"
    word = "left" if share > 0 else "overspent"
    return f"[{colour}]{'█' * full}[/][$muted]{'░' * (20 - full)}[/] [b {colour}]{share:.0%} {word}[/]"


def charts(found: Sequence[SeriesView], width: int) -> Iterator[str]:
    """Yield what rules look at, drawn with its limit; what there is no room for as a number."""
    yield head("Metrics")
    drawn: set[tuple[str, str]] = set()
    more: list[str] = []
    for each in found:
        key = (each.name, str(each.labels))
        if key in drawn or not each.points:
            continue
        drawn.add(key)
        labels = " ".join(f"{name}={value}" for name, value in each.labels.items())
        if len(drawn) > CHARTS:
            more.append(f"{safe(each.name)} {safe(labels)} [b]{number(each.points[-1].value)}[/]")
            continue
        mark = "[b $error]✗[/]" if each.failing else "[$success]✓[/]"
        yield f"{mark} [b]{safe(each.name)}[/] [$muted]{safe(labels)} · {safe(each.rule)}[/]"
        yield from (f"  {line}" for line in chart(each, min(width - 2, 80)))
    if more:
        yield "  ".join(more)
    if not drawn:
        yield "[$muted]no value is known yet[/]"
    yield ""


def history(entries: Sequence[EntryView], at: datetime) -> Iterator[str]:
    """Yield the newest decisions about the model, the newest first."""
    from tui.screens.entry import said

    yield head("History")
    for each in reversed(entries):
        when = f"{each.at:%H:%M:%S}" if each.at.date() == at.date() else f"{each.at:%Y-%m-%d}"
        yield f"[$muted]{when} #{each.seq}[/]  {safe(each.kind)} [b]{safe(each.actor)}[/] [$muted]{safe(said(each))}[/]"
    if not entries:
        yield "[$muted]nothing has been decided about it yet[/]"
