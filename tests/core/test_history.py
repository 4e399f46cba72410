"""Functions over a metric's past: against plain definitions, and what they say when samples are missing."""

from __future__ import annotations

import math
import statistics
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.core.cell import Cell, Column
from governance.core.expression import Names, Reference, compile_expression
from governance.core.history import looked_back, reach
from governance.core.metric import Labels, MissingReason, Sample, labels

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
END = datetime(2013, 2, 8, 12, tzinfo=UTC)
LONG_AGO = END - 300 * DAY
NAMES = Names({"x": (), "psi": ("feature",), "recall": ("slice", "value")})
A, B = labels(feature="a"), labels(feature="b")
numbers = st.floats(-1e9, 1e9)
many = st.lists(numbers, min_size=2, max_size=60)


def ref(text: str) -> Reference:
    (found,) = compile_expression(text, NAMES).references
    return found


def past(values: list[float | None], key: Labels = (), *, end: datetime = END, every: timedelta = HOUR) -> list[Sample]:
    """Return samples of which the last lies at `end`; None is one that is not there."""
    times = [end - every * back for back in reversed(range(len(values)))]
    return [Sample(value, time, key) for value, time in zip(values, times, strict=True) if value is not None]


def missing(time: datetime, reason: MissingReason, key: Labels = ()) -> Sample:
    return Sample(None, time, key, reason=reason)


def look(
    text: str, samples: list[Sample], *, every: timedelta = HOUR, begun: datetime | None = LONG_AGO, end: datetime = END
) -> Column:
    ordered = sorted(samples, key=lambda each: each.time)
    return looked_back(ref(text), ordered, end=end, every=every, begun=begun)


def one(text: str, samples: list[Sample], **options: object) -> Cell:
    return look(text, samples, **options).at((), ())  # type: ignore[arg-type]


def value(text: str, samples: list[Sample], **options: object) -> float:
    found = one(text, samples, **options)
    assert found.value is not None, found
    return found.value


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("metrics.x", timedelta(0)),
        ("avg_over_time(metrics.x, '7d')", 7 * DAY),
        ("offset(metrics.x, '1d')", DAY),
        ("change(metrics.x, '7d')", 14 * DAY),
    ],
)
def test_reach(text: str, back: timedelta) -> None:
    assert reach(ref(text)) == back


@given(many)
def test_functions_over_time_are_those_of_statistics(values: list[float]) -> None:
    samples, window = past(list(values)), f"'{len(values)}h'"
    close = {"rel": 1e-9, "abs": 1e-3}
    assert value(f"avg_over_time(metrics.x, {window})", samples) == pytest.approx(statistics.mean(values), **close)
    assert value(f"sum_over_time(metrics.x, {window})", samples) == pytest.approx(sum(values), **close)
    assert value(f"max_over_time(metrics.x, {window})", samples) == max(values)
    assert value(f"min_over_time(metrics.x, {window})", samples) == min(values)
    deviation = value(f"stddev_over_time(metrics.x, {window})", samples)
    assert deviation == pytest.approx(statistics.pstdev(values), **close)
    slope = statistics.linear_regression([hour / 24 for hour in range(len(values))], values).slope
    assert value(f"slope(metrics.x, {window})", samples) == pytest.approx(slope, rel=1e-6, abs=1e-3)


@given(many)
def test_quantiles_interpolate_between_neighbours(values: list[float]) -> None:
    samples, window = past(list(values)), f"'{len(values)}h'"
    percentiles = statistics.quantiles(values, n=20, method="inclusive")
    for q, expected in [(0, min(values)), (0.5, statistics.median(values)), (0.95, percentiles[18]), (1, max(values))]:
        found = value(f"quantile_over_time({q}, metrics.x, {window})", samples)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-3)
        assert min(values) <= found <= max(values)


@given(st.lists(st.floats(0.01, 1e6), min_size=2, max_size=60))
def test_change_compares_the_means_of_two_stretches(values: list[float]) -> None:
    half = len(values) // 2
    values = values[-2 * half :]
    expected = statistics.mean(values[half:]) / statistics.mean(values[:half]) - 1
    assert value(f"change(metrics.x, '{half}h')", past(list(values))) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300), st.integers(2, 100))
def test_equal_values_have_exactly_their_mean_and_no_deviation(each: float, count: int) -> None:
    samples, window = past([each] * count), f"'{count}h'"
    for function in ("avg_over_time", "min_over_time", "max_over_time"):
        assert value(f"{function}(metrics.x, {window})", samples) == each
    assert value(f"quantile_over_time(0.3, metrics.x, {window})", samples) == each
    assert value(f"stddev_over_time(metrics.x, {window})", samples) == 0
    assert value(f"slope(metrics.x, {window})", samples) == 0


def test_a_small_spread_on_a_large_value_is_not_lost() -> None:
    samples = past([1e9 + each for each in (4.0, 7.0, 13.0, 16.0)])
    assert value("stddev_over_time(metrics.x, '4h')", samples) == pytest.approx(math.sqrt(22.5))
    assert value("slope(metrics.x, '4h')", samples) == pytest.approx(4.2 * 24)


def test_a_window_holds_its_end_and_not_its_beginning() -> None:
    samples = past([100, 1, 2, 3, 100], end=END + HOUR)
    found = one("avg_over_time(metrics.x, '3h')", samples)
    assert found == Cell(2.0, END, 3)


def test_a_sample_that_was_taken_again_counts_once() -> None:
    samples = [*past([1.0, 2.0]), Sample(4.0, END)]
    assert one("sum_over_time(metrics.x, '2h')", samples) == Cell(5.0, END, 2)


@pytest.mark.parametrize(("there", "judged"), [(84, True), (83, False)])
def test_half_of_the_samples_must_be_there(there: int, judged: bool) -> None:
    found = one("avg_over_time(metrics.x, '7d')", past([1.0] * there))
    if judged:
        assert found == Cell(1.0, END, there)
    else:
        assert (found.value, found.reason, found.detail) == (None, "no_data", "83 of 168 samples in 7d")


@pytest.mark.parametrize(
    ("begun", "reason", "detail"),
    [
        (END - 7 * DAY, "no_data", "12 of 168 samples in 7d"),
        (END - 5 * DAY, "too_few", "known since 2013-02-03 12:00 UTC, 7d are needed"),
        (None, "too_few", "not known yet, 7d are needed"),
    ],
)
def test_a_short_past_is_no_lost_one(begun: datetime | None, reason: str, detail: str) -> None:
    found = one("avg_over_time(metrics.x, '7d')", past([1.0] * 12), begun=begun)
    assert (found.value, found.reason, found.detail) == (None, reason, detail)


@pytest.mark.parametrize("function", ["avg_over_time", "slope", "change", "offset"])
def test_without_samples_there_is_no_value_for_any_label_set(function: str) -> None:
    column = look(f"{function}(metrics.psi, '7d')", [])
    assert not column.cells
    assert column.at(A, ["feature"]).reason == "no_data"
    assert look(f"{function}(metrics.psi, '7d')", [], begun=END - DAY).at(A, ["feature"]).reason == "too_few"


def test_samples_without_a_value_are_missing_and_those_with_too_few_rows_are_passed_over() -> None:
    hours = [END - HOUR * back for back in range(10)]
    lost = [*(missing(each, "no_data") for each in hours[:6]), *(Sample(1.0, each) for each in hours[6:])]
    assert one("avg_over_time(metrics.x, '10h')", lost).detail == "4 of 10 samples in 10h"
    sparse = [*(missing(each, "too_few") for each in hours[:6]), *(Sample(1.0, each) for each in hours[6:])]
    assert one("avg_over_time(metrics.x, '10h')", sparse) == Cell(1.0, hours[6], 4)
    empty = [missing(each, "too_few") for each in hours]
    found = one("avg_over_time(metrics.x, '10h')", empty)
    assert (found.reason, found.detail) == ("too_few", "10 of 10 samples in 10h have too few rows")
    broken = [Sample(math.nan, each) for each in hours]
    assert one("max_over_time(metrics.x, '10h')", broken).reason == "no_data"


def test_a_window_shorter_than_the_interval_needs_one_sample() -> None:
    assert value("avg_over_time(metrics.x, '1h')", past([3.0]), every=DAY) == 3.0
    assert one("avg_over_time(metrics.x, '1h')", past([3.0], end=END - 2 * HOUR), every=DAY).reason == "no_data"


@pytest.mark.parametrize(
    ("age", "found"),
    [(24 * HOUR, True), (27 * HOUR, True), (27 * HOUR + timedelta(seconds=1), False), (23 * HOUR, False)],
)
def test_offset_takes_the_newest_sample_of_then_if_it_was_fresh(age: timedelta, found: bool) -> None:
    samples = [Sample(1.0, END - 30 * HOUR), Sample(7.0, END - age), Sample(9.0, END)]
    cell = one("offset(metrics.x, '1d')", samples)
    if found:
        assert cell == Cell(7.0, END - age, 1)
    else:
        assert (cell.reason, cell.detail) == ("no_data", "no sample near 2013-02-07 12:00 UTC")


def test_offset_before_the_beginning() -> None:
    cell = one("offset(metrics.x, '1d')", past([1.0] * 5), begun=END - 5 * HOUR)
    assert (cell.reason, cell.detail) == ("too_few", "known since 2013-02-08 07:00 UTC, 1d are needed")
    cell = one("offset(metrics.x, '1d')", [missing(END - DAY, "too_few"), *past([1.0])])
    assert cell.reason == "too_few"


@pytest.mark.parametrize(
    ("before", "now", "begun", "reason", "detail"),
    [
        ([0.0] * 4, [1.0] * 4, LONG_AGO, "no_data", "the mean of the 4h before is 0"),
        ([-1.0, 1.0, 2.0, -2.0], [1.0] * 4, LONG_AGO, "no_data", "the mean of the 4h before is 0"),
        ([None] * 3 + [1.0], [1.0] * 4, LONG_AGO, "no_data", "1 of 4 samples in 4h before the last"),
        ([1.0] * 4, [1.0] + [None] * 3, LONG_AGO, "no_data", "1 of 4 samples in 4h"),
        ([None] * 4, [1.0] * 4, END - 5 * HOUR, "too_few", "known since 2013-02-08 07:00 UTC, 8h are needed"),
        ([None] * 4, [None] * 3 + [1.0], END - 5 * HOUR, "no_data", "1 of 4 samples in 4h"),
        ([None] * 4, [None] * 3 + [1.0], END - HOUR, "too_few", "known since 2013-02-08 11:00 UTC, 8h are needed"),
    ],
)
def test_change_without_a_value(
    before: list[float | None], now: list[float | None], begun: datetime, reason: str, detail: str
) -> None:
    found = one("change(metrics.x, '4h')", past([*before, *now]), begun=begun)
    assert (found.value, found.reason, found.detail) == (None, reason, detail)


def test_change_says_on_what_it_rests() -> None:
    assert one("change(metrics.x, '2h')", past([2.0, 2.0, 1.0, 1.0])) == Cell(-0.5, END, 4)
    assert value("change(metrics.x, '2h')", past([-2.0, -2.0, -1.0, -1.0])) == -0.5


def test_a_slope_needs_two_samples() -> None:
    found = one("slope(metrics.x, '1h')", past([1.0]))
    assert (found.reason, found.detail) == ("no_data", "1 sample in 1h, a slope needs 2")


def test_each_label_set_has_its_own_past() -> None:
    samples = [*past([1.0, 3.0], A), *past([5.0, 7.0], B), *past([9.0], labels(feature="c"), end=END - HOUR)]
    column = look("max_over_time(metrics.psi, '2h')", samples)
    assert {key: cell.value for key, cell in column.cells.items()} == {A: 3.0, B: 7.0, labels(feature="c"): 9.0}


def test_labels_are_aggregated_at_each_instant_before_looking_back() -> None:
    samples = [*past([1.0, 9.0, 1.0], A), *past([5.0, 2.0, 3.0], B)]
    assert value("min_over_time(max(metrics.psi), '3h')", samples) == 3.0  # of 5, 9, 3; the least of all is 1
    assert value("avg_over_time(count(metrics.psi), '3h')", samples) == 2.0
    by_slice = [
        Sample(number, END, labels(slice=name, value=each))
        for name, each, number in [("origin", "JFK", 0.5), ("origin", "LGA", 0.7), ("carrier", "UA", 0.9)]
    ]
    column = look("avg_over_time(min(metrics.recall, ['slice']), '1h')", by_slice)
    assert {dict(key)["slice"]: cell.value for key, cell in column.cells.items()} == {"origin": 0.5, "carrier": 0.9}


def test_an_instant_with_a_lost_member_is_missing_and_one_with_too_few_rows_is_not() -> None:
    lost = [*past([1.0] * 4, A), *(missing(END - HOUR * back, "no_data", B) for back in range(3))]
    assert one("avg_over_time(max(metrics.psi), '4h')", lost).detail == "1 of 4 samples in 4h"
    sparse = [*past([1.0] * 4, A), *(missing(END - HOUR * back, "too_few", B) for back in range(3))]
    assert one("avg_over_time(max(metrics.psi), '4h')", sparse) == Cell(1.0, END, 4)


def test_a_label_set_seen_for_the_first_time_has_a_short_past() -> None:
    samples = [*past([1.0] * 168, A), *past([2.0] * 12, B)]
    column = look("avg_over_time(metrics.psi, '7d')", samples)
    assert column.cells[A].value == 1.0
    assert column.cells[B].reason == "too_few"
    assert column.cells[B].detail == "known since 2013-02-08 01:00 UTC, 7d are needed"
    gone = look("avg_over_time(metrics.psi, '7d')", [*past([1.0] * 168, A), *past([2.0] * 40, B, end=END - 6 * DAY)])
    assert (gone.cells[B].reason, gone.cells[B].detail) == ("no_data", "24 of 168 samples in 7d")


def test_a_label_set_whose_first_samples_were_lost_is_no_new_one() -> None:
    late = past([2.0] * 12, B, end=END - 7 * DAY + 15 * HOUR)  # three intervals after the others
    column = look("avg_over_time(metrics.psi, '7d')", [*past([1.0] * 168, A), *late])
    assert (column.cells[B].reason, column.cells[B].detail) == ("no_data", "12 of 168 samples in 7d")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("avg_over_time(metrics.x, '2h')", [math.inf, -math.inf]),
        ("sum_over_time(metrics.x, '2h')", [1.7e308, 1.7e308]),
        ("stddev_over_time(metrics.x, '2h')", [math.inf, math.inf]),
        ("change(metrics.x, '1h')", [math.inf, math.inf]),
    ],
)
def test_what_no_double_can_hold_is_an_error(text: str, values: list[float]) -> None:
    found = one(text, past(list(values)))
    assert (found.value, found.reason) == (None, "error")


def test_an_infinite_value_is_passed_on() -> None:
    assert value("max_over_time(metrics.x, '2h')", past([1.0, math.inf])) == math.inf


def test_only_what_looks_back_has_a_past() -> None:
    with pytest.raises(ValueError, match=r"metrics\.x does not look back"):
        look("metrics.x", [])
