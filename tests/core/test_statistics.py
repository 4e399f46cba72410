"""Bins and quality against values computed by hand or in another way."""

import math
import random
from bisect import bisect_left
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from governance.core.statistics import bins, quality
from governance.core.statistics.quality import Outcomes

numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.dictionaries(
    st.none() | st.integers(-50, 50) | st.sampled_from("abcdef"), st.integers(1, 1000), max_size=20
)
some_counts = counts.filter(bool)


def sketch(values):
    return Counter(None if value is None else bins.bin_of(value) for value in values)


def deciles(now, reference, place=float):
    """Return the shares of the reference and of now in each group between the reference's exact deciles."""
    ordered = sorted(map(place, reference))
    edges = sorted({ordered[math.ceil(len(ordered) * k / 10) - 1] for k in range(1, 10)})

    def shares(values):
        found = Counter(bisect_left(edges, place(value)) for value in values)
        return [found[group] / len(values) for group in range(len(edges) + 1)]

    return list(zip(shares(reference), shares(now), strict=True))


def psi_of(pairs):
    return sum((q - p) * math.log(q / p) for p, q in ((max(p, 1e-4), max(q, 1e-4)) for p, q in pairs))


@given(numbers, numbers)
def test_larger_numbers_never_have_smaller_bins(one, two):
    low, high = sorted((one, two))
    assert bins.bin_of(low) <= bins.bin_of(high)


@given(numbers)
def test_value_of_a_bin_is_off_by_at_most_half_a_percent(value):
    back = bins.value_of(bins.bin_of(value))
    if abs(value) < bins.SMALLEST:
        assert back == 0
    else:
        assert back == pytest.approx(value, rel=0.00501) or (math.isinf(back) and abs(value) > 1.7e308)


def test_infinities_are_the_outermost_bins():
    assert bins.bin_of(math.inf) > bins.bin_of(1.7e308)
    assert bins.value_of(bins.bin_of(math.inf)) == math.inf
    assert bins.value_of(bins.bin_of(-math.inf)) == -math.inf


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.floats(0, 1))
def test_quantile_is_within_half_a_percent(values, q):
    found = bins.quantile(sketch(values), q)
    exact = sorted(values)[math.floor(q * (len(values) - 1))]
    assert found == pytest.approx(exact, rel=0.00501, abs=2e-6)


def test_quantile_of_nothing_is_none():
    assert bins.quantile({None: 5}, 0.5) is None


@given(st.lists(numbers | st.none()), st.lists(numbers | st.none()))
def test_merging_counts_is_counting_merged(one, two):
    assert bins.merged([sketch(one), sketch(two)]) == dict(sketch([*one, *two]))


@given(some_counts, some_counts)
def test_distances_are_not_negative_and_bounded(now, reference):
    assert bins.psi(now, reference) >= 0
    assert 0 <= bins.jensen_shannon(now, reference) <= 1
    assert bins.chi_squared(now, reference) >= 0
    distance = bins.kolmogorov_smirnov(now, reference)
    assert distance is None or 0 <= distance <= 1 + 1e-9
    assert sum(bins.grouped(now, reference).values()) == sum(now.values())


@given(some_counts, st.integers(1, 5))
def test_equal_distributions_have_no_distance(reference, times):
    now = {key: count * times for key, count in reference.items()}
    assert bins.psi(now, reference) == pytest.approx(0)
    assert bins.jensen_shannon(now, reference) == pytest.approx(0, abs=1e-6)
    assert bins.chi_squared(now, reference) == pytest.approx(0)
    assert bins.kolmogorov_smirnov(now, reference) in (None, pytest.approx(0))


def test_psi_is_nearly_symmetric_for_numbers():
    rng = random.Random(1)  # noqa: S311
    one, two = ([rng.gauss(mean, 1) for _ in range(5000)] for mean in (0, 0.5))
    assert bins.psi(sketch(one), sketch(two)) == pytest.approx(bins.psi(sketch(two), sketch(one)), rel=0.15)


def drawn(seed, shift, scale, centre):
    rng = random.Random(seed)  # noqa: S311
    reference = [centre + 100 * rng.gauss(0, 1) for _ in range(2000)]
    return [centre + 100 * (shift + scale * rng.gauss(0, 1)) for _ in range(1000)], reference


samples = st.builds(drawn, st.integers(0, 10**6), st.floats(0, 2), st.floats(0.5, 2), st.sampled_from([0, 10, -1000]))


@settings(max_examples=30)
@given(samples)
def test_psi_from_the_sketch_is_psi_over_the_bins_of_the_exact_deciles(sample):
    assert bins.psi(*map(sketch, sample)) == pytest.approx(psi_of(deciles(*sample, bins.bin_of)))


@settings(max_examples=30)
@given(samples)
def test_psi_from_the_sketch_is_close_to_psi_over_exact_deciles(sample):
    exact, moved = deciles(*sample), deciles(*sample, bins.bin_of)
    # A bin is up to a tenth of the deviation wide here, so a few rows change their group. Where a group is nearly empty
    # they weigh without bound: from 0 of 1000 rows to 1, its part of the index goes from 0.69 to 0.46.
    assume(min(q for _, q in exact + moved) >= 0.005)
    assert bins.psi(*map(sketch, sample)) == pytest.approx(psi_of(exact), rel=0.2, abs=0.03)


def test_null_spike_scores_high():
    reference = sketch([float(x) for x in range(1, 1001)])
    spike = bins.merged([{key: 0.9 * count for key, count in reference.items()}, {None: 100}])
    assert bins.psi(spike, reference) > 0.5
    assert bins.kolmogorov_smirnov(spike, reference) < 0.01


def test_one_outlier_does_not_hide_drift():
    rng = random.Random(2)  # noqa: S311
    reference = [rng.gauss(50, 5) for _ in range(5000)]
    now = [rng.gauss(60, 5) for _ in range(1000)]
    plain = bins.psi(sketch(now), sketch(reference))
    assert plain > 1
    assert bins.psi(sketch([*now, 1e12]), sketch([*reference, 1e12])) == pytest.approx(plain, rel=0.02)


@pytest.mark.parametrize("other", [4.0, 6.0, -5.0, 0.0])
def test_a_constant_that_changes_is_drift(other):
    assert bins.psi(sketch([other] * 300), sketch([5.0] * 300)) > 1


@pytest.mark.parametrize("rare", [0, 2])
def test_a_rare_value_beside_a_common_one_that_becomes_common_is_drift(rare):
    assert bins.psi({rare: 500, 1: 500}, {rare: 50, 1: 950}) > 1


def test_a_cap_that_moves_up_is_drift():
    reference = [float(min(x, 10)) for x in range(1, 41)]
    now = [float(x if x < 10 else 12) for x in range(1, 41)]
    assert bins.psi(sketch(now), sketch(reference)) > 1


def test_categories_are_top_other_and_new():
    reference = {f"c{index}": 100 - index for index in range(60)} | {bins.REST: 7}
    groups = bins.grouped({"c0": 1, "c59": 2, "unseen": 3, bins.REST: 4, None: 5}, reference)
    assert groups == {("c0",): 1, bins.OTHER: 6, bins.NEW: 3, bins.NULL: 5}


def test_a_category_called_null_is_no_missing_value():
    assert bins.psi({"null": 100}, {None: 100}) > 1


def test_ks_and_chi_squared_by_hand():
    assert bins.kolmogorov_smirnov({1: 50, 2: 50}, {1: 25, 2: 75}) == pytest.approx(0.25)
    assert bins.kolmogorov_smirnov({"a": 5}, {"a": 5}) is None
    # 2x2 table [[30, 70], [50, 50]]: 200 (30·50 − 70·50)² / (100·100·80·120)
    assert bins.chi_squared({"a": 30, "b": 70}, {"a": 50, "b": 50}) == pytest.approx(200 * 2000**2 / (10**4 * 9600))


def test_js_by_hand():
    assert bins.jensen_shannon({"a": 1}, {"b": 1}) == 1
    half = 0.5 * math.log2(1 / 0.75) + 0.5 * (0.5 * math.log2(0.5 / 0.75) + 0.5 * math.log2(0.5 / 0.25))
    assert bins.jensen_shannon({"a": 4}, {"a": 2, "b": 2}) == pytest.approx(math.sqrt(half))


def outcome(bin_, decision, positive, count=1, **sums):
    return Outcomes(bin_, decision, positive, count, **sums)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(1, 3)), min_size=1))
def test_auc_is_the_share_of_pairs_in_order_with_ties_at_half(drawn):
    rows = [outcome(bin_, None, positive, count) for bin_, positive, count in drawn]
    flat = [(bin_, positive) for bin_, positive, count in drawn for _ in range(count)]
    pairs = [(p > n) + (p == n) / 2 for p, yes in flat if yes for n, no in flat if not no]
    expected = sum(pairs) / len(pairs) if pairs else None
    assert quality.auc(rows) == (pytest.approx(expected) if pairs else None)


def test_decisions_by_hand():
    rows = [outcome(1, True, True, 6), outcome(1, True, False, 2), outcome(1, False, True, 3)]
    rows += [outcome(1, False, False, 9), outcome(1, None, True, 100)]
    assert quality.accuracy(rows) == 15 / 20
    assert quality.precision(rows) == 6 / 8
    assert quality.recall(rows) == 6 / 9
    assert quality.rested("recall", rows) == 20
    assert quality.rested("auc", rows) == 120


def test_rows_without_a_score_do_not_count_as_zero():
    rows = [
        outcome(1, None, True, 2, loss=1.0, bias=0.4, absolute=0.6, squared=0.5, magnitude=4.0),
        outcome(None, None, True, 98),
    ]
    assert quality.bias(rows) == 0.2
    assert quality.mae(rows) == 0.3
    assert quality.rmse(rows) == 0.5
    assert quality.wape(rows) == 0.15
    assert quality.log_loss(rows) == 0.5
    assert quality.rested("mae", rows) == 2


def test_log_loss_is_not_defined_for_other_scores_than_probabilities():
    assert quality.log_loss([outcome(1, None, True, loss=0.1), outcome(250_000, None, True)]) is None


@pytest.mark.parametrize("measure", quality.MEASURES.values())
def test_of_nothing_there_is_no_quality(measure):
    assert measure([]) is None
