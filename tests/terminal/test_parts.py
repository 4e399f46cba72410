"""Parts of the terminal app by themselves: what small figures show, and that every colour can be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from textual.color import Color
from textual.theme import Theme

from governance.views import MetricView
from tui.known import brief, number, span
from tui.theme import DAY, NIGHT
from tui.widgets.fleet import sparkline, trend
from tui.widgets.incident import safe

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said", "short"),
    [
        (0, "0 s", "0s"),
        (59, "59 s", "59s"),
        (61, "1 m 1 s", "1m"),
        (3_600, "1 h 0 m", "1h"),
        (90_000, "1 d 1 h", "1d"),
        (-5, "0 s", "0s"),
    ],
)
def test_how_long_ago(seconds: int, said: str, short: str) -> None:
    since = NOW - timedelta(seconds=seconds)
    assert span(since, NOW) == said
    assert brief(since, NOW) == short


def test_never() -> None:
    assert span(None, NOW) == "never"


@pytest.mark.parametrize(
    ("value", "said"), [(None, "–"), (0.0, "0"), (0.12345, "0.123"), (1234.5, "1,234"), (-0.5, "-0.5")]
)
def test_numbers(value: float | None, said: str) -> None:
    assert number(value) == said


def test_a_gap_in_the_history_is_seen_and_the_limit_gives_the_scale() -> None:
    shown = sparkline(MetricView(name="m", value=0.6, limit=0.6, history=[0.0, None, 0.3, 0.6]))
    assert shown == "▁·▄▇"
    assert sparkline(MetricView(name="m", value=None, history=[None, None])) == ""


def test_a_trend_needs_two_values_that_differ() -> None:
    assert trend(MetricView(name="m", value=2.0, history=[1.0, None, 2.0])) == "↑"
    assert trend(MetricView(name="m", value=1.0, history=[2.0, 1.0])) == "↓"
    assert trend(MetricView(name="m", value=1.0, history=[1.0, 1.01])) == " "
    assert trend(MetricView(name="m", value=1.0, history=[1.0])) == " "


def test_text_from_outside_is_no_markup() -> None:
    assert safe("[red]x[/]\x1b[2J") == "\\[red]x\\[/]�\\[2J"


TEXT = ("foreground", "primary", "secondary", "accent", "warning", "error", "success")


@pytest.mark.parametrize("theme", [NIGHT, DAY], ids=lambda each: each.name)
@pytest.mark.parametrize("name", [*TEXT, "muted"])
@pytest.mark.parametrize("ground", ["background", "surface", "panel"])
def test_every_colour_of_text_has_a_contrast_of_five(theme: Theme, name: str, ground: str) -> None:
    text = theme.variables[name] if name == "muted" else getattr(theme, name)
    assert contrast(Color.parse(text), Color.parse(getattr(theme, ground))) >= 5


def test_the_contrast_of_black_on_white() -> None:
    assert contrast(Color.parse("#000000"), Color.parse("#ffffff")) == pytest.approx(21)


def contrast(one: Color, other: Color) -> float:
    """Return the contrast of two colours, source: WCAG 2.2, relative luminance."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color: Color) -> float:
    """Return how bright a colour is, 0 to 1."""
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in color.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
