"""Distributions as bin counts: a monotone sketch for numbers, edges from a reference, and the distances between them.

Numbers are counted in bins whose width grows with their size, after DDSketch (Masson, Rim, Lee: "DDSketch", VLDB 2019):
any later edges can be derived from such counts, and counts of disjoint rows merge by adding.
"""

from __future__ import annotations

import math
import sys
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

GAMMA = 1.01
"""Ratio of neighbouring bin edges; a value read back from its bin is off by at most 0.5 %."""
SMALLEST = 1e-6
"""Numbers nearer to zero than this are counted as zero."""
FLOOR = 1e-4
"""Shares are clipped here, so that an empty bin gives a large but finite distance."""
TOP_CATEGORIES = 50
INFINITE = 100_000
"""The sketch bin of infinity; the largest finite number has bin 72 722."""
_DECILES = 10
_LARGEST = math.log(sys.float_info.max)

NULL = "null"
OTHER = "other"
NEW = "new"
REST = "\x00rest"
"""The category that stands for those too rare to be kept; they are neither known nor new."""

B = TypeVar("B", bound=Hashable)
Bins = Mapping[int | str | None, int]
"""Counts by sketch bin (int), category (str) or None for null."""


def bin_of(value: float) -> int:
    """Return the sketch bin of a number that is not NaN; larger numbers never have smaller bins."""
    size = abs(value)
    if size < SMALLEST:
        return 0
    # The difference of logarithms, since the quotient of a huge number and SMALLEST is infinite.
    index = INFINITE if math.isinf(size) else math.ceil((math.log(size) - math.log(SMALLEST)) / math.log(GAMMA)) + 1
    return index if value > 0 else -index


def value_of(index: int) -> float:
    """Return the number in the middle of a sketch bin (relative error at most 0.5 %)."""
    if index == 0:
        return 0.0
    size = math.log(SMALLEST * 2 / (1 + GAMMA)) + (abs(index) - 1) * math.log(GAMMA)
    return math.copysign(math.exp(size) if size < _LARGEST else math.inf, index)


def quantile(counts: Bins, q: float) -> float | None:
    """Return the number below which a share `q` of the values lies, None of no values."""
    found = sorted((index, count) for index, count in counts.items() if isinstance(index, int))
    rank = q * (sum(count for _, count in found) - 1)
    seen = 0
    for index, count in found:
        seen += count
        if seen > rank:
            return value_of(index)
    return None


def mean(counts: Bins) -> float | None:
    """Return the mean of the finite values, each read back within 0.5 %; None of none."""
    found = [(value_of(index), count) for index, count in counts.items() if isinstance(index, int)]
    finite = [(value, count) for value, count in found if math.isfinite(value)]
    return sum(value * count for value, count in finite) / sum(count for _, count in finite) if finite else None


def edges(reference: Bins) -> list[int]:
    """Return the unique deciles of the reference as sketch bins: the right edges of all groups but the last.

    A bin with a tenth or more of the values is a group of its own; otherwise a rare value below it could become
    common, or a constant become smaller, without any drift.
    """
    found = sorted((index, count) for index, count in reference.items() if isinstance(index, int) and count)
    total = sum(count for _, count in found)
    result: set[int] = set()
    seen = decile = 0
    for index, count in found:
        seen += count
        if count * _DECILES >= total:
            result |= {index - 1, index}
        while decile < _DECILES - 1 and seen * _DECILES >= total * (decile + 1):
            result.add(index)
            decile += 1
    return sorted(result)


def grouped(counts: Bins, reference: Bins) -> dict[Hashable, int]:
    """Return counts over the reference's groups: decile intervals for numbers, its commonest categories, and null."""
    groups: Counter[Hashable] = Counter()
    right = edges(reference)
    top = _top(reference)
    for key, count in counts.items():
        if key is None:
            groups[NULL] += count
        elif isinstance(key, int):
            groups[bisect_left(right, key)] += count
        else:
            groups[(key,) if key in top else OTHER if key in reference or key == REST else NEW] += count
    return dict(groups)


def psi(now: Bins, reference: Bins) -> float:
    """Return the population stability index Σ (q - p)·ln(q / p) over the reference's groups, shares clipped at 1e-4."""
    return sum((q - p) * math.log(q / p) for p, q in _shares(now, reference, clip=True))


def jensen_shannon(now: Bins, reference: Bins) -> float:
    """Return the Jensen-Shannon distance (base 2, the root of the divergence): 0 for equal, 1 for disjoint."""
    divergence = 0.0
    for p, q in _shares(now, reference):
        middle = (p + q) / 2
        divergence += sum(each / 2 * math.log2(each / middle) for each in (p, q) if each > 0)
    return math.sqrt(min(max(divergence, 0.0), 1.0))


def kolmogorov_smirnov(now: Bins, reference: Bins) -> float | None:
    """Return the largest distance of the cumulative shares over the sketch bins, nulls left out; None of no numbers."""
    first, second = _numbers(now), _numbers(reference)
    total, other = sum(first.values()), sum(second.values())
    if not total or not other:
        return None
    distance = mine = theirs = 0.0
    for key in sorted({*first, *second}):
        mine += first.get(key, 0) / total
        theirs += second.get(key, 0) / other
        distance = max(distance, abs(mine - theirs))
    return distance


def chi_squared(now: Bins, reference: Bins) -> float:
    """Return the chi-squared of the two-row contingency table over its degrees of freedom; about 1 by chance."""
    one, two = grouped(now, reference), grouped(reference, reference)
    total, other = sum(one.values()), sum(two.values())
    keys = {*one, *two}
    if not total or not other or len(keys) < 2:
        return 0.0
    statistic = 0.0
    for key in keys:
        column = one.get(key, 0) + two.get(key, 0)
        for count, row in ((one.get(key, 0), total), (two.get(key, 0), other)):
            expected = column * row / (total + other)
            statistic += (count - expected) ** 2 / expected
    return statistic / (len(keys) - 1)


def merged(parts: Iterable[Bins]) -> dict[int | str | None, int]:
    """Return the counts of all parts together."""
    total: Counter[int | str | None] = Counter()
    for part in parts:
        total.update(part)
    return dict(total)


def _shares(now: Bins, reference: Bins, *, clip: bool = False) -> Sequence[tuple[float, float]]:
    one, two = grouped(reference, reference), grouped(now, reference)
    total, other = sum(one.values()), sum(two.values())
    if not total or not other:
        return ()
    pairs = [(one.get(key, 0) / total, two.get(key, 0) / other) for key in {*one, *two}]
    return [(max(p, FLOOR), max(q, FLOOR)) for p, q in pairs] if clip else pairs


def _top(reference: Bins) -> set[str]:
    found = [(count, key) for key, count in reference.items() if isinstance(key, str) and key != REST]
    return {key for _, key in sorted(found, reverse=True)[:TOP_CATEGORIES]}


def _numbers(counts: Bins) -> dict[int, int]:
    return {key: count for key, count in counts.items() if isinstance(key, int)}
