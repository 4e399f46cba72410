"""The measures that can be computed over a prediction log: what each needs, and what its number means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from governance.core.metric import Feature

_SHARES = ("share of", "area under", "Jensen-Shannon", "Kolmogorov-Smirnov", "1 when")
_COUNTS = ("how many", "number of", "population stability", "chi-squared", "mean absolute", "root of", "distance of")
By = Literal["", "feature", "slice", "version"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: the roles of columns it needs, by what it may be split, its unit, whether it needs the truth.

    `of_version` is false of what tells of the service as a whole, so that no version can be judged by it alone.
    """

    needs: tuple[str, ...]
    by: tuple[By, ...]
    unit: str
    needs_truth: bool
    description: str
    of_version: bool = True

    @property
    def age(self) -> bool:
        """True of an age, which is of the whole log whatever the window."""
        return self.description.startswith("age of")

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the greatest value there can be; None where they are not known."""
        if self.description.startswith(_SHARES):
            return 0, 1
        return (0, math.inf) if self.age or self.description.startswith(_COUNTS) else None


def _measure(
    needs: str, description: str, *, unit: str = "", by: tuple[By, ...] = ("",), needs_truth: bool = False
) -> Measure:
    return Measure(tuple(needs.split()), by, unit, needs_truth, description)


def _service(needs: str, description: str, *, unit: str = "", by: tuple[By, ...] = ("",)) -> Measure:
    return Measure(tuple(needs.split()), by, unit, needs_truth=False, description=description, of_version=False)


def _quality(needs: str, description: str) -> Measure:
    return _measure(f"label {needs}".rstrip(), description, by=("", "slice", "version"), needs_truth=True)


_FEATURE: tuple[By, ...] = ("feature",)
_VERSION: tuple[By, ...] = ("", "version")

MEASURES: Mapping[str, Measure] = {
    "predictions": _service("", "how many predictions", by=_VERSION),
    "errors": _measure("error", "share of predictions that failed", by=_VERSION),
    "version_share": _service("version", "share of predictions by each version", by=("version",)),
    "latency_p50": _measure("latency", "median latency", unit="s"),
    "latency_p95": _measure("latency", "95th percentile of latency", unit="s"),
    "latency_p99": _measure("latency", "99th percentile of latency", unit="s"),
    "quantile": _measure("", "the quantile `q` of the number `of`"),
    "freshness": _service("", "age of the newest prediction", unit="s"),
    "label_lag": _service("label", "age of the newest prediction whose truth is known", unit="s"),
    "oldest_row": _service("", "age of the oldest prediction in the log", unit="s"),
    "cost_per_1k": _measure("cost", "cost of a thousand predictions", unit="currency", by=_VERSION),
    "spend": _service("cost", "cost of all predictions in the window", unit="currency", by=_VERSION),
    "psi": _measure("", "population stability index, nulls included", by=_FEATURE),
    "js": _measure("", "Jensen-Shannon distance, base 2", by=_FEATURE),
    "ks": _measure("", "Kolmogorov-Smirnov distance over bins", by=_FEATURE),
    "chi2": _measure("", "chi-squared per degree of freedom", by=_FEATURE),
    "null_rate": _measure("", "share of missing values", by=_FEATURE),
    "out_of_range": _measure("", "share of values outside the declared range", by=_FEATURE),
    "new_categories": _measure("", "share of values that the reference does not know", by=_FEATURE),
    "default_rate": _measure("", "share of values that are the declared default", by=_FEATURE),
    "constant": _measure("", "1 when there is a single value", by=_FEATURE),
    "cardinality": _measure("", "number of distinct values", by=_FEATURE),
    "mean": _measure("", "mean of the values, each within half a percent", by=_FEATURE),
    "stale_share": _measure("feature_time", "share of predictions with features older than an hour", by=_VERSION),
    "score_mean": _measure("score", "mean score", by=_VERSION),
    "score_psi": _measure("score", "population stability index of the score"),
    "decision_rate": _measure("decision", "share of positive decisions", by=_VERSION),
    "fallback_rate": _service("fallback", "share of predictions that the fallback answered", by=_VERSION),
    "override_rate": _service("override", "share of decisions that a guardrail overrode", by=_VERSION),
    "label_rate": _quality("", "share of positive labels"),
    "accuracy": _quality("decision", "share of right decisions"),
    "precision": _quality("decision", "share of positive decisions that were right"),
    "recall": _quality("decision", "share of positive labels that were found"),
    "false_positive_rate": _quality("decision", "share of negative labels with a positive decision"),
    "false_negative_rate": _quality("decision", "share of positive labels with a negative decision"),
    "auc": _quality("score", "area under the ROC curve, ties at one half"),
    "log_loss": _quality("score", "mean negative log likelihood"),
    "calibration_error": _quality("score", "distance of the mean score from the share of positive labels"),
    "mae": _quality("score", "mean absolute error"),
    "rmse": _quality("score", "root of the mean squared error"),
    "wape": _quality("score", "sum of absolute errors over the sum of labels"),
    "bias": _quality("score", "mean score minus mean label"),
}

DISTANCES = ("psi", "js", "ks", "chi2")
COMPARISONS = (*DISTANCES, "score_psi", "new_categories")
"""The measures that compare a distribution with another."""
_FOR: Mapping[str, str] = {
    "ks": "of type number",
    "mean": "of type number",
    "default_rate": "with a default",
    "out_of_range": "with a range",
    "new_categories": "of type category",
    **dict.fromkeys(("psi", "js", "chi2"), "of type number or category"),
}


def applies(measure: str, feature: Feature) -> bool:
    """Tell whether a measure says anything of a feature: categories have no order, free text no distribution."""
    if measure in {"ks", "mean"}:
        return feature.kind == "number"
    if measure == "default_rate":
        return feature.default is not None
    if measure == "out_of_range":
        return feature.low is not None or feature.high is not None
    if measure == "new_categories":
        return feature.kind == "category"
    return not (measure in DISTANCES and feature.kind == "text")


def wanted(measure: str) -> str:
    """Return which features a measure is for: "of type category", or "" when it is for all."""
    return _FOR.get(measure, "")
