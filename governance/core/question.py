"""From a metric of a card to the query that a source answers."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from governance.core.card import Card, RegistryName
from governance.core.measure import COMPARISONS, MEASURES, applies, wanted
from governance.core.measurement import Comparison, Metric
from governance.core.metric import Against, Feature, LogTable, Query

_HOUR = timedelta(hours=1)
_PLACEHOLDER = re.compile(r"\$(\w+)")
WINDOW, VERSION, SINCE = "$window", "$version", ":since"


def log_table(card: Card) -> LogTable | None:
    """Return where the card's prediction log lies, or None when it names none."""
    if card.log is None:
        return None
    return LogTable(
        source=card.log.source,
        table=card.log.table,
        columns=tuple(sorted(card.log.columns.model_dump(exclude_none=True).items())),
        features=_features(card),
        slices=card.slice_expressions(),
        labels=card.log.labels,
        reference=card.log.reference,
    )


def query(metric: Metric, card: Card, log: LogTable | None) -> Query:
    """Return the query that answers `metric`; its window ends at the label watermark where truth is needed."""
    window = max(metric.window or _HOUR, card.cadence.every)  # a shorter one would mostly hold nothing
    if metric.query is not None:
        return _asked(metric, card, window)
    return Query(
        source=log.source if log else "",
        measure=metric.measure or "",
        log=log,
        window=window,
        offset=card.truth.delay if card.truth and needs_truth(metric) else timedelta(0),
        by=metric.by or "",
        of=metric.of or "",
        q=metric.q,
        where=metric.where or "",
        against=against(metric.against),
    )


def registry_query(card: Card) -> Query | None:
    """Return what asks a registry which version serves, None where the card names the version itself."""
    serving = card.versions.serving if card.versions else None
    if not isinstance(serving, RegistryName):
        return None
    return Query(source=serving.registry, text=f"{serving.name}@{serving.serving}")


def over(query: Query, window: timedelta) -> Query | None:
    """Return the same question over another window, None when its text has no place for one."""
    if query.log is None and SINCE not in query.text and WINDOW not in query.text:
        return None
    return replace(query, window=window)


def filled(query: Query, version: str) -> Query:
    """Put in what is known only when the question is asked: the window in seconds, and the version that serves."""
    text = query.text.replace(WINDOW, f"{query.window.total_seconds():.0f}s").replace(VERSION, version)
    parameters = tuple((name, version if value == VERSION else value) for name, value in query.parameters)
    return replace(query, text=text, parameters=parameters)


def needs_truth(metric: Metric) -> bool:
    """Tell whether the metric can only be known when labels have come."""
    return metric.measure is not None and metric.measure in MEASURES and MEASURES[metric.measure].needs_truth


def unavailable(metric: Metric, card: Card, log: LogTable | None) -> str:
    """Return why this card cannot have a measure over its log, or "" when it can."""
    if metric.measure is None:
        return ""
    if log is None:
        return "the card has no prediction log"
    known = MEASURES.get(metric.measure)
    if known is None:
        return f"no measure {metric.measure!r}"
    needed = (*known.needs, *(["version"] if metric.by == "version" else []))
    missing = [role for role in dict.fromkeys(needed) if log.column(role) is None]
    if missing:
        return f"the log maps no column for {', '.join(missing)}"
    if metric.by == "feature" and not any(applies(metric.measure, each) for each in log.features):
        return f"the card declares no features {wanted(metric.measure) if log.features else ''}".rstrip()
    if metric.by == "slice" and not log.slices:
        return "the card declares no slices"
    if metric.measure in COMPARISONS and not _comparable(metric, log):
        return "there is nothing to compare with (log.reference, or `against`)"
    if known.needs_truth and card.truth is None:
        return "the card does not say how long its truth takes (truth.delay)"
    return ""


def _comparable(metric: Metric, log: LogTable) -> bool:
    """Tell whether there are rows to compare a distribution with: of the training, before the window, of a version."""
    own = metric.against is not None and metric.against.reference is None
    return own or log.reference is not None or any(each.against not in (None, Against()) for each in log.features)


def against(comparison: Comparison | None) -> Against:
    """Return the comparison as asked of a source; the reference rows when none is named."""
    return Against(comparison.window, comparison.version) if comparison else Against()


def _features(card: Card) -> tuple[Feature, ...]:
    declared = card.data.features if card.data else {}
    return tuple(
        Feature(
            name=name,
            kind=feature.type,
            low=feature.range[0] if feature.range else None,
            high=feature.range[1] if feature.range else None,
            against=against(feature.against) if feature.against else None,
            default=feature.default,
        )
        for name, feature in declared.items()
    )


def _asked(metric: Metric, card: Card, window: timedelta) -> Query:
    """Return the question to another system, with the card's values for $name, and for :name as parameters.

    A window, and a version that only a registry knows, are put in when the question is asked.
    """
    known = {**card.labels, "model": card.model, "version": _version(card)}
    text = metric.query or ""
    fleet = metric.model_label is not None  # one question for all models must not name one of them
    return Query(
        source=metric.source or "",
        text=text if fleet else _PLACEHOLDER.sub(lambda found: known.get(found[1], found[0]), text),
        window=window,
        parameters=() if fleet else tuple(sorted(known.items())),
        extract=metric.extract or "",
    )


def _version(card: Card) -> str:
    serving = card.versions.serving if card.versions else None
    return VERSION if isinstance(serving, RegistryName) else serving or ""
