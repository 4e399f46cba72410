"""Quality of predictions once the truth is known, from mergeable sums per score bin, decision and label."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Rows that share score bin (None without a score), decision (None without one) and the sign of the label.

    With their number and sums over those with a score: the negative log likelihood (None where a score is no
    probability), score − label, its size and square, and the size of the label. Only what ranks scores needs their
    bins apart.
    """

    bin: int | None
    decision: bool | None
    positive: bool
    count: int
    loss: float | None = None
    bias: float = 0.0
    absolute: float = 0.0
    squared: float = 0.0
    magnitude: float = 0.0


def label_rate(rows: Sequence[Outcomes]) -> float | None:
    """Return the share of positive labels."""
    whole = sum(row.count for row in rows)
    return sum(row.count for row in rows if row.positive) / whole if whole else None


def accuracy(rows: Sequence[Outcomes]) -> float | None:
    """Return the share of decisions that equal the label."""
    return _ratio(rows, lambda row: row.decision == row.positive, lambda row: row.decision is not None)


def precision(rows: Sequence[Outcomes]) -> float | None:
    """Return the share of positive decisions with a positive label."""
    return _ratio(rows, lambda row: row.positive, lambda row: row.decision is True)


def recall(rows: Sequence[Outcomes]) -> float | None:
    """Return the share of positive labels with a positive decision."""
    return _ratio(rows, lambda row: row.decision is True, lambda row: row.positive and row.decision is not None)


def false_positive_rate(rows: Sequence[Outcomes]) -> float | None:
    """Return the share of negative labels with a positive decision."""
    return _ratio(rows, lambda row: row.decision is True, lambda row: not row.positive and row.decision is not None)


def false_negative_rate(rows: Sequence[Outcomes]) -> float | None:
    """Return the share of positive labels with a negative decision."""
    return _ratio(rows, lambda row: row.decision is False, lambda row: row.positive and row.decision is not None)


def auc(rows: Sequence[Outcomes]) -> float | None:
    """Return the chance that a positive has a higher score bin than a negative, ties at one half (Mann-Whitney)."""
    positives: dict[int, int] = {}
    negatives: dict[int, int] = {}
    for row in rows:
        if row.bin is not None:
            side = positives if row.positive else negatives
            side[row.bin] = side.get(row.bin, 0) + row.count
    total, other = sum(positives.values()), sum(negatives.values())
    if not total or not other:
        return None
    wins = below = 0.0
    for key in sorted({*positives, *negatives}):
        wins += positives.get(key, 0) * (below + negatives.get(key, 0) / 2)
        below += negatives.get(key, 0)
    return wins / (total * other)


def log_loss(rows: Sequence[Outcomes]) -> float | None:
    """Return the mean negative log likelihood of the labels, scores clipped at 1e-6; None of other scores."""
    if any(row.bin is not None and row.loss is None for row in rows):
        return None
    return _mean(rows, lambda row: row.loss or 0.0)


def calibration_error(rows: Sequence[Outcomes]) -> float | None:
    """Return the distance of the mean score from the share of positive labels (calibration in the large)."""
    off = bias(rows)
    return abs(off) if off is not None else None


def bias(rows: Sequence[Outcomes]) -> float | None:
    """Return the mean score minus the mean label."""
    return _mean(rows, lambda row: row.bias)


def mae(rows: Sequence[Outcomes]) -> float | None:
    """Return the mean absolute error."""
    return _mean(rows, lambda row: row.absolute)


def rmse(rows: Sequence[Outcomes]) -> float | None:
    """Return the root of the mean squared error."""
    mean = _mean(rows, lambda row: row.squared)
    return math.sqrt(mean) if mean is not None else None


def wape(rows: Sequence[Outcomes]) -> float | None:
    """Return the sum of the absolute errors over the sum of the absolute labels."""
    total = sum(row.magnitude for row in rows)
    return sum(row.absolute for row in rows) / total if total else None


MEASURES: Mapping[str, Callable[[Sequence[Outcomes]], float | None]] = {
    each.__name__: each
    for each in (
        label_rate,
        accuracy,
        precision,
        recall,
        false_positive_rate,
        false_negative_rate,
        auc,
        log_loss,
        calibration_error,
        bias,
        mae,
        rmse,
        wape,
    )
}


RANKED = frozenset({"auc"})
"""The measures that compare scores with each other."""
_DECIDED = frozenset({"accuracy", "precision", "recall", "false_positive_rate", "false_negative_rate"})


def rested(measure: str, rows: Iterable[Outcomes]) -> int:
    """Return how many labelled rows a measure rests on: all, those with a decision, or those with a score."""
    if measure == "label_rate":
        return sum(row.count for row in rows)
    if measure in _DECIDED:
        return sum(row.count for row in rows if row.decision is not None)
    return _scored(rows)


def _scored(rows: Iterable[Outcomes]) -> int:
    return sum(row.count for row in rows if row.bin is not None)


def _mean(rows: Sequence[Outcomes], total: Callable[[Outcomes], float]) -> float | None:
    count = _scored(rows)
    return sum(total(row) for row in rows) / count if count else None


def _ratio(
    rows: Sequence[Outcomes], hit: Callable[[Outcomes], bool], among: Callable[[Outcomes], bool]
) -> float | None:
    whole = sum(row.count for row in rows if among(row))
    return sum(row.count for row in rows if among(row) and hit(row)) / whole if whole else None
