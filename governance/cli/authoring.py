"""The command `gov eval`: judge a model now and write nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from governance.cli.output import Format, FormatOption, instant, number, print_json, print_table, say, stamp
from governance.core.expression.display import displayed

if TYPE_CHECKING:
    from governance.views import RuleView, TermView
    from governance.views.budgets import BudgetView

_PANEL = "Author policies"


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("eval", rich_help_panel=_PANEL)(evaluate)


def evaluate(
    model: Annotated[str, typer.Argument(help="The model to judge.")],
    at: Annotated[str, typer.Option(help="Judge as of this time; by default now.")] = "",
    show_all: Annotated[bool, typer.Option("--all", help="Show passing rules one by one too.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Say of every rule why, also of what passes.")] = False,
    output: FormatOption = Format.text,
) -> int:
    """Judge every rule of a model now, with its values and the failing part, and say what is left of its error budgets;
    nothing is written."""
    from governance.bootstrap import evaluator
    from governance.engine.queries import evaluated
    from governance.settings import Settings

    built = evaluator(Settings())
    moment = instant(at) if at else built.clock.now()
    views, budgets = evaluated(built, model, moment, explained=explain)
    if output is Format.json:
        rules, left = ([each.model_dump(mode="json") for each in found] for found in (views, budgets))
        print_json({"model": model, "at": moment.isoformat(), "rules": rules, "budgets": left})
    else:
        print(f"{model} as of {stamp(moment)}\n")
        _print_rules(views, show_all=show_all)
        _print_budgets(budgets)
    if any(each.outcome == "fail" for each in views):
        return 1
    return 4 if any(each.expected and each.outcome in _UNJUDGED for each in views) else 0


_UNJUDGED = ("error", "no_data", "stale")
_MARKS = {"fail": "✗", "pass": "✓", "waived": "~", "error": "!", "not applicable": "·"}


def _print_rules(views: list[RuleView], *, show_all: bool) -> None:
    failing = sorted((each for each in views if each.outcome == "fail"), key=_worst_first)
    for each in failing:
        _print_failure(each)
    others: dict[tuple[str, str], list[RuleView]] = {}
    for each in views:
        if each.outcome != "fail":
            others.setdefault((each.rule, each.outcome), []).append(each)
    outcomes = Counter(rule for rule, _ in others)
    rows = []
    for (rule, outcome), members in others.items():
        shown = members if show_all else members[:1]
        for each in shown:
            alone = len(members) == 1 and outcomes[rule] > 1  # which of its label sets is the odd one?
            name = f"{rule} {_set(each.labels)}".strip() if show_all or alone else rule
            count = f"×{len(members)}" if len(members) > 1 and not show_all else _values(each)
            rows.append((f"{_MARKS.get(outcome, '?')} {outcome}", name, count, each.reason))
    for each in views:
        if each.outcome != "fail" and each.terms:
            say(f"{_MARKS.get(each.outcome, '?')} {each.outcome}: {each.rule} {_set(each.labels)}".rstrip())
            _print_terms(each.terms, "    ")
            say()
    print_table(("verdict", "rule", "values", "why"), rows)
    judged = sum(each.outcome in {"pass", "fail"} for each in views)
    left = Counter(each.outcome for each in views if each.outcome in {"too_few", *_UNJUDGED})
    if left:
        listed = ", ".join(f"{count} {outcome}" for outcome, count in left.items())
        print(f"{judged} of {judged + left.total()} instances judged; not judged: {listed}")


def _print_budgets(budgets: list[BudgetView]) -> None:
    if budgets:
        say()
    for each in budgets:
        left = f"{each.left:.0%} left" if each.left is not None else f"not known: {each.why_not}"
        nobody = "; no rule looks at it" if each.unwatched else ""
        objective = f"{each.objective * 100:.6g} % of {each.counts} over {each.window}"
        say(f"{'?' if each.left is None else '·'} error budget of {each.slo} ({objective}): {left}{nobody}")


def _worst_first(view: RuleView) -> int:
    return -("info", "warning", "critical").index(view.severity or "info")


def _print_failure(view: RuleView) -> None:
    firm = f", {view.basis}" if view.basis else ""
    say(f"✗ {view.severity}{firm}: {view.summary}")
    say(f"    {view.rule} {_set(view.labels)}".rstrip() + f"   ({view.origin})")
    _print_terms(view.terms, "    ")
    times = [each["time"] for each in view.inputs if each["time"] is not None]
    if times:
        over = ", ".join(f"{_name(each)} over {each['window']}" for each in view.inputs if each["window"])
        say(f"    rests on data up to {stamp(min(times))}" + (f": {over}" if over else ""))
    if view.remedy:
        say(f"    → {view.remedy}")
    say()


def _print_terms(terms: Iterable[TermView], indent: str) -> None:
    for term in terms:
        values = ", ".join(f"{name} = {_shown(value)}" for name, value in term.computed.items())
        truth = {True: "✓ true", False: "✗ false", None: "? not known"}[term.true]
        say(f"{indent}{term.line}  {truth}" + (f"  ({values})" if values else ""))
        for each in term.items:
            say(f"{indent}  {each.item}:")
            _print_terms(each.terms, f"{indent}    ")


def _values(view: RuleView) -> str:
    return ", ".join(
        f"{_name(each)} {_measured(each)}" + (f" over {each['window']}" if each["window"] else "")
        for each in view.inputs
    )


def _name(measured: dict[str, Any]) -> str:
    return str(measured["name"]).replace("metrics.", "")


def _measured(measured: dict[str, Any]) -> str:
    """Return a value with its unit; a minute or more of seconds as a duration."""
    value, unit = measured["value"], measured["unit"]
    if unit == "s" and value is not None and abs(value) >= 60:
        return displayed(timedelta(seconds=value))
    return f"{number(value)} {unit}" if value is not None and unit not in {"", "currency"} else number(value)


def _set(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in labels.items()) + "}" if labels else ""


def _shown(value: object) -> str:
    """Return a value as people read it; what is not there has none."""
    if value is None:
        return "not there"
    return number(value) if isinstance(value, float) else displayed(value)
