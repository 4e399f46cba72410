"""From the counts of a log to the answers of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar, cast

from governance.core.measure import COMPARISONS, MEASURES, applies
from governance.core.metric import Against, Answer, Feature, Labels, LogTable, Query, Sample, labels
from governance.core.statistics import bins, quality
from governance.core.suggestion import closest
from governance.sources.prediction_log.counting import SCORE, VERSION
from governance.sources.prediction_log.log import CountedLog, FeatureCounts, Traffic, hour_of

_DISTANCES: Mapping[str, Callable[[bins.Bins, bins.Bins], float | None]] = {
    "psi": bins.psi,
    "js": bins.jensen_shannon,
    "ks": bins.kolmogorov_smirnov,
    "chi2": bins.chi_squared,
}
T = TypeVar("T")
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_LATENCIES = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}


class Answers:
    """Answers queries to one log as of one instant; what several questions share is summed once."""

    def __init__(self, counted: CountedLog, at: datetime, of_version: Callable[[str], CountedLog]) -> None:
        """Answer from these counts; `of_version` gives those of one version's rows."""
        self._counted, self._at, self._of_version = counted, at, of_version
        self._windows: dict[object, object] = {}

    def answer(self, query: Query) -> Answer:
        """Answer one query; a measure that the log cannot give is a failure that says why."""
        assert query.log is not None  # noqa: S101 (the source looked)
        known = MEASURES.get(query.measure)
        if known is None:
            return Answer(failure=f"no measure '{query.measure}'")
        lacking = [role for role in known.needs if query.log.column(role) is None]
        if lacking:
            return Answer(failure=f"the card maps no '{lacking[0]}' column")
        if query.by not in known.by:
            return Answer(failure=f"'{query.measure}' cannot be split by {query.by or 'nothing'}")
        failure = _unanswerable(query, query.log) or self._unlogged(query.of)
        return Answer(failure=failure) if failure else Answer(tuple(self._samples(query)))

    def _samples(self, query: Query) -> Iterator[Sample]:
        end = hour_of(self._at - query.offset)
        lacking = self._lacking(query, end)
        if lacking is not None:
            yield lacking
        elif query.by == "feature":
            yield from self._by_feature(query, end)
        elif query.measure in quality.MEASURES:
            yield from self._quality(query, end)
        elif query.by == "version":
            yield from self._by_version(query, end)
        else:
            value, count = self._whole(query, end)
            yield _sample(value, count, end)

    def _lacking(self, query: Query, end: datetime) -> Sample | None:
        """Return what stands for all samples where a table that the measure needs never had a file."""
        log, known = query.log, MEASURES[query.measure]
        assert log is not None  # noqa: S101 (the source looked)
        if log.labels and (known.needs_truth or "label" in known.needs):
            absent = self._counted.absent(log.labels)
            due = known.needs_truth and self._counted.oldest(end) is not None  # a new model may have no truth yet
            return Sample(None, end, count=0, reason="error" if due else "no_data", detail=absent) if absent else None
        if log.reference and query.measure in COMPARISONS:
            absent = self._counted.absent(log.reference) if query.against.window is None else ""
            return Sample(None, end, count=0, reason="error", detail=absent) if absent else None
        return None

    def _unlogged(self, feature: str) -> str:
        """Return that no file has a feature's column, which may be misspelt, and what is there; "" where it is."""
        if feature not in self._counted.unlogged:
            return ""
        there = self._counted.columns
        listed = f"columns there: {', '.join(sorted(there)[:12])}"
        return f"the log has no column '{feature}'; {closest(feature, there) or listed}"

    def _whole(self, query: Query, end: datetime) -> tuple[float | None, int | None]:
        """Return the value of an unsplit measure and the rows it rests on; of an age, which rests on one, None."""
        measure = query.measure
        if measure in _LATENCIES or measure == "quantile":
            return self._quantile(query, end)
        if measure == "score_psi":
            now = self._features(query, end).get(SCORE)
            return self._distance(bins.psi, now, self._compared(query, query.against, end).get(SCORE))
        if measure in {"freshness", "oldest_row", "label_lag"}:
            age = self._age(measure, end)
            return age, 0 if age is None else None
        return _traffic(measure, _total(self._traffic(query, end)))

    def _by_feature(self, query: Query, end: datetime) -> Iterator[Sample]:
        assert query.log is not None  # noqa: S101 (the source looked)
        now = self._features(query, end)
        for feature in query.log.features:
            named = labels(feature=feature.name)
            if not applies(query.measure, feature):
                continue  # no sample is not a pass: whoever asks for this feature is told that there is none
            if unlogged := self._unlogged(feature.name):
                yield Sample(None, end, named, reason="error", detail=unlogged)
                continue
            reference = self._compared(query, feature.against or query.against, end).get(feature.name)
            value, count = self._feature(query.measure, feature, now.get(feature.name), reference)
            yield replace(_sample(value, count, end), labels=named)

    def _feature(
        self, measure: str, feature: Feature, now: FeatureCounts | None, reference: FeatureCounts | None
    ) -> tuple[float | None, int]:
        if now is None:
            return None, 0
        if measure in _DISTANCES:
            return self._distance(_DISTANCES[measure], now, reference)
        whole = now.count
        if measure in _COUNTED:
            return _COUNTED[measure](feature, now) / whole, whole
        if measure == "mean":
            return bins.mean(now.bins), whole - now.bins.get(None, 0)
        present = {key: count for key, count in now.bins.items() if key is not None}
        if measure == "cardinality":
            return float(len(present)), whole
        if measure == "constant":
            return float(len(present) == 1), whole
        if feature.kind == "number":
            return 0.0, whole  # numbers have no categories
        if reference is None:
            return None, whole
        known = {*reference.bins, bins.REST}
        return sum(count for key, count in present.items() if key not in known) / whole, whole

    def _quality(self, query: Query, end: datetime) -> Iterator[Sample]:
        ranked = query.measure in quality.RANKED
        found = self._once(
            ("outcomes", query.window, end, ranked),
            lambda: self._counted.outcomes(end - query.window, end, hour_of(self._at), ranked=ranked),
        )
        measure, yielded = quality.MEASURES[query.measure], False
        for (name, value), rows in sorted(found.items()):
            split = {"": "", VERSION: "version"}.get(name, "slice")
            if split == query.by:
                sample = _sample(measure(rows), quality.rested(query.measure, rows), end)
                yield replace(sample, labels=_split(name, value))
                yielded = True
        if not yielded and not query.by:
            yield _sample(None, 0, end)

    def _by_version(self, query: Query, end: datetime) -> Iterator[Sample]:
        found = self._traffic(query, end)
        whole = _total(found).n
        for version, traffic in sorted(found.items()):
            share = query.measure == "version_share"
            value, count = (traffic.n / whole, traffic.n) if share else _traffic(query.measure, traffic)
            yield replace(_sample(value, count, end), labels=labels(version=version))

    def _quantile(self, query: Query, end: datetime) -> tuple[float | None, int]:
        if query.measure == "quantile" and query.of != "latency":
            name = SCORE if query.of == "score" else query.of
            counts: bins.Bins = (self._features(query, end).get(name) or FeatureCounts({})).bins
        else:
            counts = self._once(("latency", query.window, end), lambda: self._counted.latency(end - query.window, end))
        share = _LATENCIES.get(query.measure, query.q if query.q is not None else 0.5)
        return bins.quantile(counts, share), sum(count for key, count in counts.items() if key is not None)

    def _age(self, measure: str, end: datetime) -> float | None:
        """Return seconds between the end of the window and the newest, oldest or newest labelled row."""
        asked = {"freshness": self._counted.newest, "oldest_row": self._counted.oldest}
        moment = self._once((measure, end), lambda: asked.get(measure, self._counted.newest_label)(end))
        return (end - moment).total_seconds() if moment is not None else None

    def _compared(self, query: Query, against: Against, end: datetime) -> Mapping[str, FeatureCounts]:
        window, last = against.window, end - query.window
        if window is not None:
            return self._once(("features", window, last), lambda: self._counted.features(last - window, last))
        version = against.version
        if version is not None:  # what it saw before the window, so that it is not compared with itself
            return self._once(("version", version, last), lambda: self._of_version(version).features(_FIRST, last))
        return self._once(("reference",), self._counted.reference)

    def _distance(
        self,
        distance: Callable[[bins.Bins, bins.Bins], float | None],
        now: FeatureCounts | None,
        then: FeatureCounts | None,
    ) -> tuple[float | None, int]:
        if now is None or then is None:
            return None, now.count if now else 0
        return distance(now.bins, then.bins), now.count

    def _features(self, query: Query, end: datetime) -> Mapping[str, FeatureCounts]:
        return self._once(("features", query.window, end), lambda: self._counted.features(end - query.window, end))

    def _traffic(self, query: Query, end: datetime) -> Mapping[str, Traffic]:
        return self._once(("traffic", query.window, end), lambda: self._counted.traffic(end - query.window, end))

    def _once(self, key: object, asked: Callable[[], T]) -> T:
        if key not in self._windows:
            self._windows[key] = asked()
        return cast("T", self._windows[key])


def _defaults(feature: Feature, now: FeatureCounts) -> int:
    """Return how many values are the feature's default, or, of a number, share its bin."""
    default = feature.default
    return now.bins.get(bins.bin_of(default) if isinstance(default, float) else default, 0)


_COUNTED: Mapping[str, Callable[[Feature, FeatureCounts], int]] = {
    "null_rate": lambda _, now: now.bins.get(None, 0),
    "out_of_range": lambda _, now: now.outside,
    "default_rate": _defaults,
}
"""How many rows the measures count that are shares of all rows."""


def _unanswerable(query: Query, log: LogTable) -> str:
    """Return why a known measure cannot be had in the way it is asked, or "" when it can."""
    if (query.by == "version" or _names_version(query, log)) and log.column("version") is None:
        return "the card maps no 'version' column"
    if query.measure == "quantile":
        numbers = [role for role in ("latency", "score") if log.column(role) is not None]
        numbers += [feature.name for feature in log.features if feature.kind == "number"]
        if query.of not in numbers:
            return f"no number '{query.of}' to take a quantile of; there are: {', '.join(numbers) or 'none'}"
    return ""


def compares(query: Query) -> bool:
    """Tell whether a question compares a distribution with another."""
    return query.measure in COMPARISONS


def _names_version(query: Query, log: LogTable) -> bool:
    compared = [query.against, *(each.against for each in log.features if each.against and query.by == "feature")]
    return compares(query) and any(each is not None and each.version is not None for each in compared)


def _split(name: str, value: str) -> Labels:
    if name == VERSION:
        return labels(version=value)
    return labels(slice=name, value=value) if name else ()


def _sample(value: float | None, count: int | None, end: datetime) -> Sample:
    if value is None:
        detail = "not defined, or nothing to compare with" if count else "no rows in the window"
        return Sample(None, end, count=count, reason="no_data", detail=detail)
    return Sample(value, end, count=count)


def _traffic(measure: str, total: Traffic) -> tuple[float | None, int]:
    """Return a measure of traffic and the rows it rests on; of no rows there is none."""
    if not total.n:
        return None, 0
    values: dict[str, tuple[float, int]] = {
        "predictions": (total.n, total.n),
        "errors": (total.errors / total.n, total.n),
        "fallback_rate": (total.fallbacks / total.n, total.n),
        "override_rate": (total.overrides / total.n, total.n),
        "stale_share": (total.old_features / total.n, total.n),
        "decision_rate": (total.positive / max(total.decided, 1), total.decided),
        "score_mean": (total.score / max(total.scored, 1), total.scored),
        "cost_per_1k": (total.cost * 1000 / max(total.costed, 1), total.costed),
        "spend": (total.cost, total.costed),
    }
    value, count = values[measure]
    return (float(value), count) if count else (None, 0)


def _total(found: Mapping[str, Traffic]) -> Traffic:
    names = Traffic.__dataclass_fields__
    return Traffic(**{name: sum(getattr(each, name) for each in found.values()) for name in names})
