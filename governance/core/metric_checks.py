"""Check metrics and features by themselves: what a measure cannot be split by or taken of is said when loading."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from governance.core.authored import Authored, Path
from governance.core.card import Card
from governance.core.measure import MEASURES
from governance.core.measurement import Metric
from governance.core.placed import placed, unknown
from governance.core.problem import Problem

_ROLES = ("latency", "score")  # columns of the log that hold numbers, beside the features


def metric_problems(
    owner: Authored[Any], known: Collection[str], listed: Collection[str], numbers: Collection[str] | None = None
) -> Iterator[Problem]:
    """Check the metrics of a card or a pack; `known` are the sources, of which `listed` are shown.

    `numbers` are those of a card's log of which there can be a quantile; a pack cannot know them.
    """
    metrics: dict[str, Metric] = owner.document.metrics
    for name, metric in metrics.items():
        path: Path = ("metrics", name)
        if metric.source is not None and metric.source not in known:
            yield unknown(owner, (*path, "source"), "source", metric.source, listed)
        if metric.measure is not None and metric.measure not in MEASURES:
            yield unknown(owner, (*path, "measure"), "measure", metric.measure, MEASURES)
        elif metric.measure is not None:
            yield from _unfit(owner, path, metric, numbers)


def _unfit(owner: Authored[Any], path: Path, metric: Metric, numbers: Collection[str] | None) -> Iterator[Problem]:
    measure = metric.measure or ""
    ways = MEASURES[measure].by
    if (metric.by or "") not in ways:
        splits = " or ".join(f"by: {each}" for each in ways if each)
        message = f"{measure} is {f'asked {splits}' if splits else 'a number of the whole log, which has no `by`'}"
        yield placed(owner, (*path, "by" if metric.by else "measure"), "wrong-measure", message)
    if measure != "quantile":
        return
    if metric.q is None or metric.of is None:
        message = "a quantile needs the number that it is `of`, and the share `q` of rows below it"
        yield placed(owner, (*path, "measure"), "wrong-measure", message, "such as {of: latency, q: 99%}")
    elif numbers is not None and metric.of not in numbers:
        message = f"no number '{metric.of}' to take a quantile of; there are: {', '.join(numbers) or 'none'}"
        yield placed(owner, (*path, "of"), "wrong-measure", message)


def numbers_of(card: Card) -> list[str]:
    """Return the numbers of a card's log of which there can be a quantile."""
    columns = card.log.columns.model_dump(exclude_none=True) if card.log else {}
    features = card.data.features if card.data else {}
    numeric = [name for name, each in features.items() if each.type == "number"]
    return [*(role for role in _ROLES if role in columns), *numeric]


def feature_problems(card: Authored[Card]) -> Iterator[Problem]:
    """Check that some value can lie in each declared range, and that defaults are such values as are logged."""
    for name, feature in (card.document.data.features if card.document.data else {}).items():
        if feature.range is not None and not feature.range[0] <= feature.range[1]:
            message = "no number lies in this range: the lower bound comes first"
            yield placed(card, ("data", "features", name, "range"), "range-order", message)
        wanted = {"number": float, "category": str, "text": str}[feature.type]
        if feature.default is not None and not isinstance(feature.default, wanted):
            kind = "a number" if wanted is float else "a text, in quotes"
            message = f"the default of a feature of type {feature.type} is {kind}"
            yield placed(card, ("data", "features", name, "default"), "wrong-default", message)
