"""Check SLOs, and the rules on how fast they burn: what cannot be measured or can never fire is said when loading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from governance.core.authored import Authored, Path, Written
from governance.core.card import Card, Slo
from governance.core.expression import ExpressionError, syntax
from governance.core.expression.parsing import parse
from governance.core.expression.problem import problem_at
from governance.core.measure import MEASURES
from governance.core.objective import max_burn
from governance.core.placed import placed
from governance.core.problem import Problem

_SHORTEST, _LONGEST = timedelta(days=1), timedelta(days=90)
_COUNTS = frozenset({"predictions"})  # the measures that count events; the others are shares, ages, means
_METRIC = re.compile(r"\s*metrics\.(\w+)\s*")
_MIRRORED = {"<": ">", "<=": ">="}


def slo_problems(card: Authored[Card]) -> Iterator[Problem]:
    """Check a card's SLOs, and its rules over them.

    Whether there is traffic enough for a burn rate to mean something cannot be told without the data.
    """
    for name, slo in card.document.slos.items():
        if not _SHORTEST <= slo.window <= _LONGEST:
            message = "the window of an SLO lies between 1d and 90d"
            yield placed(card, ("slos", name, "window"), "slo-window", message)
        yield from _uncounted(card, name, slo)
    for path, text in _conditions(card.document):
        yield from _never_firing(Written(text, card.source, path), card.document.slos)


def _uncounted(card: Authored[Card], name: str, slo: Slo) -> Iterator[Problem]:
    for field in ("errors", "total"):
        found = _METRIC.fullmatch(getattr(slo, field) or "")
        if found is None:
            continue  # more than a metric: what it counts is the author's to know
        spec = card.document.metrics.get(found[1])
        measure = (spec.measure or "") if spec else found[1]
        if measure in MEASURES and measure not in _COUNTS:
            message = f"an SLO counts events, this is the {MEASURES[measure].description}"
            hint = f"write metrics.{found[1]} * metrics.predictions" if measure == "errors" else ""
            yield placed(card, ("slos", name, field), "slo-counts", message, hint)


def _conditions(card: Card) -> Iterator[tuple[Path, str]]:
    for index, rule in enumerate(card.rules):
        for severity, text in rule.conditions().items():
            yield ("rules", index, "when", *([severity] if isinstance(rule.when, dict) else [])), text
    for name in ("rollback", "retraining"):
        trigger = getattr(card, name)
        if trigger is not None and trigger.when is not None:
            yield (name, "when"), trigger.when


def _never_firing(written: Written, slos: Mapping[str, Slo]) -> Iterator[Problem]:
    """Find burn rates compared with a factor that not even an outage reaches: 1 / (1 − objective) is the highest."""
    if "burn_rate" not in written.text:
        return
    try:
        tree = parse(written.text)
    except ExpressionError:
        return  # reported where it is compiled
    for node in syntax.walk(tree):
        found = _compared(node)
        if found is None:
            continue
        burn, operator, factor = found
        highest = max((max_burn(slo.objective) for slo in _meant(burn, slos)), default=None)
        if highest is not None and (factor >= highest if operator == ">" else factor > highest):
            message = f"this can never hold: with this objective the burn rate is at most {highest:.3g}"
            at = problem_at(written.text, node.span, "never-fires", message)
            hint = "compare with less, or raise the objective"
            yield written.problem("never-fires", message, hint, at=(at.line, at.column, at.length))


def _compared(node: syntax.Node) -> tuple[syntax.Call, str, float] | None:
    """Return the burn rate, > or >=, and the factor that a comparison demands; None for anything else."""
    if not isinstance(node, syntax.Binary):
        return None
    sides, operator = (node.left, node.right), node.operator
    if operator in _MIRRORED:
        sides, operator = (node.right, node.left), _MIRRORED[operator]
    match sides:
        case syntax.Call(function="burn_rate") as burn, syntax.Literal(value=int() | float() as factor):
            return (burn, operator, float(factor)) if operator in {">", ">="} else None
        case _:
            return None


def _meant(burn: syntax.Call, slos: Mapping[str, Slo]) -> list[Slo]:
    """Return the SLOs a burn rate may be of: the one it names, or any where it is an item of a for_each."""
    names = syntax.path(burn.arguments[0]) if burn.arguments else None
    if names and len(names) == 2 and names[0] == "slos":
        return [slos[names[1]]] if names[1] in slos else []
    return list(slos.values())
