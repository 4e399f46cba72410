"""`gov test` fires when `promtool test rules` does, but where we mean otherwise; and then exactly there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from contract.sources.programs import program
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from promtool import Case, ours, promtool

SENTENCE = "install Debian's package prometheus"
AGREED = [
    Case("a threshold", "{m}x > 0.5", "metrics.{m}x > 0.5", {"m_x": "0.1 0.9x3 0.5 0.6 0.1"}),
    Case("at the limit", "{m}x >= 0.5", "metrics.{m}x >= 0.5", {"m_x": "0.4 0.5x2 0.4"}),
    Case("a wait", "{m}x > 0.5", "metrics.{m}x > 0.5", {"m_x": "0.1 0.9x5 0.1 0.9x1 0.1 0.9x4"}, "30m"),
    Case("a wait no longer than a beat", "{m}x > 0.5", "metrics.{m}x > 0.5", {"m_x": "0.1 0.9x3 0.1"}, "10m"),
    Case("a wait between beats", "{m}x > 0.5", "metrics.{m}x > 0.5", {"m_x": "0.1 0.9x5 0.1"}, "15m"),
    Case("kept", "{m}x > 0.5", "metrics.{m}x > 0.5", {"m_x": "0.9 0.1x1 0.9 0.1x5"}, "", "30m"),
    Case("waited for and kept", "{m}x < 0.5", "metrics.{m}x < 0.5", {"m_x": "0.1x4 0.9 0.1 0.9x6 0.1x4"}, "20m", "25m"),
    Case(
        "each label set by itself", "{m}x > 0.5", "metrics.{m}x > 0.5",
        {'m_x{region="eu"}': "0.1 0.9x5 0.1", 'm_x{region="us"}': "0.9 0.1 0.9x4 0.1"}, "20m", "10m",
    ),
    Case(
        "a label set that appears", "{m}x > 0.5", "metrics.{m}x > 0.5",
        {'m_x{region="eu"}': "0.1x6", 'm_x{region="us"}': "_x3 0.9x3"}, "10m",
    ),
    Case(
        "two labels", "{m}x > 5", "metrics.{m}x > 5.0",
        {'m_x{a="1", b="x"}': "1+1x8", 'm_x{a="1", b="y"}': "9-1x8", 'm_x{a="2", b="x"}': "5.5x8"}, "20m",
    ),
    Case(
        "two metrics joined on their label", "{m}x > on(region) {m}y", "metrics.{m}x > metrics.{m}y",
        {
            'm_x{region="eu"}': "1+1x8", 'm_y{region="eu"}': "4x8",
            'm_x{region="us"}': "9-1x8", 'm_y{region="us"}': "4x8",
        }, "10m",
    ),
    Case(
        "many to one", "{m}x > on(region) group_left {m}y", "metrics.{m}x > metrics.{m}y",
        {
            'm_x{host="a", region="eu"}': "1+1x8", 'm_x{host="b", region="eu"}': "9-1x8",
            'm_x{host="c", region="us"}': "3x8", 'm_y{region="eu"}': "4x8", 'm_y{region="us"}': "5-1x8",
        },
    ),
    Case(
        "one for all", "{m}x > on() group_left {m}y", "metrics.{m}x > metrics.{m}y",
        {'m_x{host="a"}': "1+1x8", 'm_x{host="b"}': "9-1x8", "m_y": "4x8"},
    ),
    Case(
        "and", "{m}x > 0.5 and {m}y < 2", "metrics.{m}x > 0.5 && metrics.{m}y < 2.0",
        {"m_x": "0.1 0.9x6", "m_y": "1x2 3x2 1x1"}, "10m",
    ),
    Case(
        "or", "{m}x > 0.5 or {m}y < 2", "metrics.{m}x > 0.5 || metrics.{m}y < 2.0",
        {'m_x{a="1"}': "0.1 0.9x3 0.1x2", 'm_y{a="1"}': "3x3 1x1 3x1"}, "", "10m",
    ),
    Case("arithmetic", "{m}x / {m}y > 0.1", "metrics.{m}x / metrics.{m}y > 0.1", {"m_x": "0+2x8", "m_y": "60x8"}),
    *(
        Case(
            f"{function} by a label", f"{function} by (region) ({{m}}x) > {limit}",
            f"{function}(metrics.{{m}}x, ['region']) > {limit}",
            {
                'm_x{host="a", region="eu"}': "1+1x8", 'm_x{host="b", region="eu"}': "9-2x4 0x3",
                'm_x{host="c", region="us"}': "0.5+0.5x8",
            }, "10m",
        )
        for function, limit in (("max", 5.5), ("min", 3.5), ("avg", 3.5), ("sum", 7.5), ("count", 1.5))
    ),
    *(
        Case(
            f"{function} of all", f"{function}({{m}}x) > {limit}", f"{function}(metrics.{{m}}x) > {limit}",
            {'m_x{host="a"}': "1+1x8", 'm_x{host="b"}': "_x1 9-2x4 0x1"},
        )
        for function, limit in (("max", 7.5), ("min", 1.5), ("avg", 4.5), ("sum", 9.5), ("count", 1.5))
    ),
    # The sample at the far end of a range counts in Prometheus 2, in version 3 and here it does not: 29m leaves it out.
    *(
        Case(
            f"{function} once its past is known", f"{function}({{m}}x[29m]) > {limit}",
            f"{function}(metrics.{{m}}x, '30m') > {limit}", {"m_x": "1x2 2x1 9 1 7 1x3"},
        )
        for function, limit in (
            ("avg_over_time", 2.5), ("max_over_time", 6.5), ("min_over_time", 1.5), ("sum_over_time", 11.5),
            ("stddev_over_time", 2.5),
        )
    ),
    Case(
        "a quantile of the past", "quantile_over_time(0.5, {m}x[29m]) > 1.5",
        "quantile_over_time(0.5, metrics.{m}x, '30m') > 1.5", {"m_x": "1x2 2x1 9 1 7 3x3"},
    ),
    Case("against half an hour ago", "{m}x > {m}x offset 30m", "metrics.{m}x > offset(metrics.{m}x, '30m')",
         {"m_x": "5x3 6x4 5x5"}),
]  # fmt: skip


def test_the_same_rules_fire_at_the_same_time(tmp_path: Path) -> None:
    tool = program("promtool", SENTENCE)
    states = ours(AGREED)
    assert promtool(tool, tmp_path, AGREED, states) == ""
    quiet = [case.told for case, seen in zip(AGREED, states, strict=True) if not any(seen)]
    assert quiet == [], "a rule that never fires proves nothing"
    steady = [case.told for case, seen in zip(AGREED, states, strict=True) if all(now == seen[0] for now in seen)]
    assert steady == []


def test_the_comparison_can_fail(tmp_path: Path) -> None:
    """Shift the states of one case by a beat, or leave one label set out: promtool sees it."""
    tool = program("promtool", SENTENCE)
    states = [list(each) for each in ours(AGREED)]
    for index in (2, 7):
        wrong = [list(each) for each in states]
        wrong[index] = [{}, *states[index][:-1]]
        said = promtool(tool, tmp_path, AGREED, wrong)
        assert f"case{index}" in said
        assert f'case{index + 1}"' not in said


VALUES = st.sampled_from([0.1, 0.4, 0.5, 0.6, 0.9])
MINUTES = st.sampled_from(["", "5m", "10m", "15m", "20m", "30m", "40m"])


@st.composite
def thresholds(draw: st.DrawFn) -> Case:
    """Draw a threshold with its clocks, over one or two label sets of a dozen samples."""
    sign = draw(st.sampled_from([">", "<", ">=", "<="]))
    limit = draw(VALUES)
    names = draw(st.sampled_from([["m_x"], ['m_x{a="1"}', 'm_x{a="2"}']]))
    texts = [" ".join(map(str, draw(st.lists(VALUES, min_size=12, max_size=12)))) for _ in names]
    series = dict(zip(names, texts, strict=True))
    return Case(
        "drawn", f"{{m}}x {sign} {limit}", f"metrics.{{m}}x {sign} {limit}", series, draw(MINUTES), draw(MINUTES)
    )


@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(thresholds(), min_size=30, max_size=30))
def test_any_thresholds_fire_at_the_same_time(tmp_path_factory: pytest.TempPathFactory, cases: list[Case]) -> None:
    tool = program("promtool", SENTENCE)
    assert promtool(tool, tmp_path_factory.mktemp("promtool"), cases, ours(cases)) == ""


FIRING, PENDING = {(): "firing"}, {(): "pending"}
X = "metrics.{m}x > 0.5"


@pytest.mark.parametrize(
    ("case", "here", "there"),
    [
        pytest.param(
            Case("missing", "{m}x > 0.5", X, {"m_x": "0.9x1 _x2 0.1"}),
            [FIRING, FIRING, FIRING, FIRING, {}], [FIRING, FIRING, {}, {}, {}],
            id="missing data never resolves",
        ),
        pytest.param(
            Case("stale", "{m}x > 0.5", X, {"m_x": "0.9x1 stale stale 0.1"}),
            [FIRING, FIRING, FIRING, FIRING, {}], [FIRING, FIRING, {}, {}, {}],
            id="stale data never resolves",
        ),
        pytest.param(
            Case("pending", "{m}x > 0.5", X, {"m_x": "0.9 _ 0.9x2"}, "20m"),
            [PENDING, PENDING, FIRING, FIRING, FIRING], [PENDING, {}, PENDING, PENDING, FIRING],
            id="missing data keeps what is pending, and the wait goes on",
        ),
        pytest.param(
            Case("vanished", "{m}x > 0.5", X, {'m_x{a="1"}': "0.9x1 _x1", 'm_x{a="2"}': "0.1x3"}),
            [{(("a", "1"),): "firing"}] * 4, [{(("a", "1"),): "firing"}] * 2 + [{}] * 2,
            id="a label set that vanishes goes on firing",
        ),
        pytest.param(
            Case("a count", "count({m}x) < 2", "count(metrics.{m}x) < 2.0",
                 {'m_x{a="1"}': "1x3", 'm_x{a="2"}': "1 stale stale 1"}),
            [{}, {}, {}, {}], [{}, FIRING, FIRING, {}],
            id="a member that is stale makes an aggregate missing, not smaller",
        ),
        pytest.param(
            Case("the beginning", "avg_over_time({m}x[59m]) > 0.5", "avg_over_time(metrics.{m}x, '1h') > 0.5",
                 {"m_x": "0.9x3"}),
            [{}, {}, FIRING, FIRING], [FIRING] * 4,
            id="a past of which less than half is known says nothing yet",
        ),
        pytest.param(
            Case("the range", "sum_over_time({m}x[30m]) > 3.5", "sum_over_time(metrics.{m}x, '30m') > 3.5",
                 {"m_x": "1x4"}),
            [{}] * 5, [{}, {}, {}, FIRING, FIRING],
            id="the sample at the far end of a range does not count (in Prometheus 3 neither)",
        ),
        pytest.param(
            Case("or", "{m}x > 0.5 or {m}y > 0.5", "metrics.{m}x > 0.5 || metrics.{m}y > 0.5",
                 {"m_x": "0.9 _x1", "m_y": "0.1x2"}),
            [FIRING, FIRING, FIRING], [FIRING, {}, {}],
            id="the other side of an or that is false does not resolve for the one that is missing",
        ),
    ],
)  # fmt: skip
def test_where_we_mean_otherwise(
    case: Case, here: list[dict[object, str]], there: list[dict[object, str]], tmp_path: Path
) -> None:
    tool = program("promtool", SENTENCE)
    assert ours([case]) == [here]
    assert promtool(tool, tmp_path, [case], [there]) == ""  # type: ignore[list-item]
    assert promtool(tool, tmp_path, [case], [here]) != ""  # type: ignore[list-item]


def test_a_missing_sample_is_missing_at_once(tmp_path: Path) -> None:
    """Prometheus takes the sample before it for 5 minutes, so that a gap looks as if nothing had happened."""
    tool = program("promtool", SENTENCE)
    minute = timedelta(minutes=1)
    case = Case("a gap", "{m}x > 0.5", X, {"m_x": "0.9 _x6 0.9"}, "2m")
    here = [PENDING] * 7 + [FIRING]  # it fires on data only
    there = [PENDING, PENDING, FIRING, FIRING, FIRING, FIRING, {}, PENDING]
    assert ours([case], minute) == [here]
    assert promtool(tool, tmp_path, [case], [there], minute) == ""
    assert promtool(tool, tmp_path, [case], [here], minute) != ""
