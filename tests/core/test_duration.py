"""Durations in Prometheus's notation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.core.duration import ago, format_duration, in_words, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", timedelta(minutes=30)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        ("1y", timedelta(days=365)),
        ("500ms", timedelta(milliseconds=500)),
        ("1m500ms", timedelta(minutes=1, milliseconds=500)),
        ("90s", timedelta(seconds=90)),
        ("1y2w3d4h5m6s7ms", timedelta(days=382, hours=4, minutes=5, seconds=6, milliseconds=7)),
        ("0", timedelta(0)),
        ("0s", timedelta(0)),
    ],
)
def test_parse(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "must be a duration such as 30m, 1h30m or 7d, not ''"),
        ("30", "add a unit, for example 30s"),
        ("30m1h", "each unit once, the largest first"),
        ("1h1h", "each unit once, the largest first"),
        ("1.5h", "whole numbers only"),
        ("1 h", "not '1 h'"),
        ("-1h", "not '-1h'"),
        ("1H", "not '1H'"),
        ("٣d", "not '٣d'"),
        ("1h\n", "not '1h\n'"),
        ("9999999999y", "is too long"),
        ("1" * 10_000 + "s", "not '1111"),
    ],
)
def test_parse_refuses(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=r"\A(?s:.*)") as error:
        parse_duration(text)
    assert hint in str(error.value)
    assert len(str(error.value)) < 150


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (timedelta(hours=2), "2h"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(days=7), "7d"),
        (timedelta(days=14), "2w"),
        (timedelta(days=30), "30d"),
        (timedelta(days=365), "1y"),
        (timedelta(days=400), "400d"),
        (timedelta(milliseconds=1500), "1s500ms"),
        (timedelta(0), "0s"),
        (timedelta(microseconds=300), "0s"),
        (timedelta(hours=-2), "-2h"),
    ],
)
def test_format(duration: timedelta, expected: str) -> None:
    assert format_duration(duration) == expected


@given(st.integers(min_value=0, max_value=10**13))
def test_round_trip(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=-5), "0 s"),
        (timedelta(milliseconds=900), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=4, seconds=29), "4 m 29 s"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=1, seconds=59), "1 h"),
        (timedelta(days=13, hours=2, minutes=59), "13 d 2 h"),
        (timedelta(days=31), "1 month"),
        (timedelta(days=100), "3 months 8 d"),
        (timedelta(seconds=433_604_040), "13 y 8 months"),
        (timedelta(days=365), "1 y"),
    ],
)
def test_a_span_is_said_in_its_two_largest_units(span: timedelta, said: str) -> None:
    assert in_words(span) == said


@pytest.mark.parametrize(
    ("past", "said"),
    [
        (-5, "just now"),
        (0.9, "just now"),
        (1, "1 s ago"),
        (127 * 60 + 3, "2 h 7 m ago"),
        (86_400 * 40, "1 month 9 d ago"),
    ],
)
def test_how_long_ago_something_was(past: float, said: str) -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert ago(now - timedelta(seconds=past), now) == said
