"""Check SLOs, and the rules on how fast they burn: what cannot be measured or can never fire is said when loading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from governance.core.authored import Authored, Path, Written
from governance.core.card import Card, Slo
from governance.core.document import Severity
from governance.core.duration import parse_duration
from governance.core.expression import ExpressionError, syntax
from governance.core.expression.parsing import parse
from governance.core.expression.problem import problem_at
from governance.core.measure import MEASURES
from governance.core.measurement import Metric
from governance.core.objective import events_needed, max_burn, scaled
from governance.core.placed import placed
from governance.core.problem import Problem

_SHORTEST, _LONGEST = timedelta(days=1), timedelta(days=90)
_COUNTS = frozenset({"predictions"})  # the measures that count events; the others are shares, ages, means
_METRIC = re.compile(r"\s*metrics\.(\w+)\s*")
_MIRRORED = {"<": ">", "<=": ">="}


def slo_problems(card: Authored[Card]) -> Iterator[Problem]:
    """Check a card's SLOs, and its rules over them."""
    for name, slo in card.document.slos.items():
        if not _SHORTEST <= slo.window <= _LONGEST:
            message = "the window of an SLO lies between 1d and 90d"
            yield placed(card, ("slos", name, "window"), "slo-window", message)
        yield from _uncounted(card, name, slo)
    for path, severity, text in _conditions(card.document):
        written = Written(text, card.source, path)
        tree = _parsed(text)
        if tree is not None:
            yield from _never_firing(written, tree, card.document.slos)
            yield from _too_little(written, tree, card.document) if severity == "critical" else ()


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


def _conditions(card: Card) -> Iterator[tuple[Path, Severity, str]]:
    for index, rule in enumerate(card.rules):
        for severity, text in rule.conditions().items():
            yield ("rules", index, "when", *([severity] if isinstance(rule.when, dict) else [])), severity, text
    for name in ("rollback", "retraining"):
        trigger = getattr(card, name)
        if trigger is not None and trigger.when is not None:
            yield (name, "when"), "warning", trigger.when


def _parsed(text: str) -> syntax.Node | None:
    """Return the tree of an expression over burn rates; one that does not parse is reported where it is compiled."""
    try:
        return parse(text) if "burn_rate" in text else None
    except ExpressionError:
        return None


def _never_firing(written: Written, tree: syntax.Node, slos: Mapping[str, Slo]) -> Iterator[Problem]:
    """Find burn rates compared with a factor that not even an outage reaches: 1 / (1 − objective) is the highest."""
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


def _too_little(written: Written, tree: syntax.Node, card: Card) -> Iterator[Problem]:
    """Find critical burn rates that a single bad event exceeds, where the traffic is known.

    That is an SLO over `good`, which has an event whenever it is judged; one over `errors` and `total` says too_few of
    a single event when it is judged. Of burn rates joined by && one that needs more is enough.
    """
    chains = tree.terms if isinstance(tree, syntax.Logic) and tree.operator == "||" else (tree,)
    for chain in chains:
        terms = chain.terms if isinstance(chain, syntax.Logic) and chain.operator == "&&" else (chain,)
        shortages = [_shortage(term, card) for term in terms]
        if shortages and all(shortages):
            message = f"a single bad event pages: {shortages[0]}"
            at = problem_at(written.text, chain.span, "too-little-traffic", message)
            hint = "add && a longer window, or lower the objective"
            yield written.problem("too-little-traffic", message, hint, at=(at.line, at.column, at.length))


def _shortage(node: syntax.Node, card: Card) -> str:
    """Return why one bad event is enough for a comparison with a burn rate, "" when it is not or cannot be told."""
    found = _compared(node)
    if found is None or len(found[0].arguments) != 2:
        return ""
    burn, _, factor = found
    window = burn.arguments[1]
    if not isinstance(window, syntax.Literal) or not isinstance(window.value, str) or factor <= 0:
        return ""
    for slo in _meant(burn, card.slos):
        counted = _events(slo, window.value, card)
        needed = events_needed(factor, slo.objective)
        if counted is not None and counted <= needed:
            return f"'{window.value}' holds {counted:g} of them, more than {needed:.3g} are needed"
    return ""


def _events(slo: Slo, text: str, card: Card) -> float | None:
    """Return how often `good` is judged in a window, None where that is not known."""
    names = re.findall(r"metrics\.(\w+)", slo.good or "")
    first, scales, second = text.partition(" per ")
    try:
        window = parse_duration(first)
        window = scaled(window, parse_duration(second), slo.window) if scales else window
    except ValueError:
        return None  # reported where it is compiled
    if not names:
        return None
    every = min(_interval(card.metrics.get(name)) for name in names)
    if slo.per == "batch":
        every = max(every, card.cadence.every)
    return max(1.0, window / every)


def _interval(metric: Metric | None) -> timedelta:
    """Return how often a metric is asked; one of a pack is computed over the log, of which an hour is the least."""
    if metric is None:
        return timedelta(hours=1)
    return metric.every or timedelta(minutes=1 if metric.query else 60)


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
