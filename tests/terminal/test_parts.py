"""Parts of the terminal app by themselves: what small figures show, and that every colour can be read."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from textual.color import Color
from textual.content import Content
from textual.theme import Theme

from governance.core.schedule import Schedule
from governance.views import EntryView, EscalationView, MetricView, ProofView, RuleView, TermView
from governance.views.on_call import on_call_views
from governance.views.series import PointView, SeriesView
from tui.known import brief, number, span
from tui.screens.entry import holds, same
from tui.text import HANG, safe
from tui.theme import DAY, DAY_256, NIGHT, NIGHT_256
from tui.theme import fitting as theme_of
from tui.widgets.chart import chart
from tui.widgets.columns import Column, fitting
from tui.widgets.condition import condition
from tui.widgets.entries import Fold, folded
from tui.widgets.fleet import sparkline, trend
from tui.widgets.incident import escalation
from tui.widgets.on_call import drawn
from tui.widgets.portrait import charts

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said", "short"),
    [
        (0, "0 s", "0s"),
        (59, "59 s", "59s"),
        (61, "1 m 1 s", "1m"),
        (3_600, "1 h", "1h"),
        (90_000, "1 d 1 h", "1d"),
        (433_604_040, "13 y 8 months", "13y"),
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
    assert trend(MetricView(name="m", value=2.0, previous=1.0, history=[5.0, None, 2.0])) == "↑"
    assert trend(MetricView(name="m", value=1.0, previous=2.0, history=[2.0, 1.0])) == "↓"
    assert trend(MetricView(name="m", value=1.0, previous=1.0, history=[1.0, 1.01])) == " "
    assert trend(MetricView(name="m", value=1.0, history=[1.0])) == " "


def test_text_from_outside_is_no_markup() -> None:
    assert safe("[red]x[/]\x1b[2J") == "\\[red]x\\[/]�\\[2J"


def duties(at: datetime, **layer: object) -> list[str]:
    """Return the lines of one schedule, fetched at NOW and drawn at `at`, as ana sees them, without colours."""
    usual = {"people": ["ana", "bo"], "from": "2026-01-05", "rotate": "daily", "handover": "09:00"}
    schedule = Schedule.model_validate({"zone": "Europe/Berlin", "layers": [{**usual, **layer}]})
    view = on_call_views({"travel[x]": schedule}, NOW, NOW + timedelta(days=14))[0]
    return Content.from_markup(drawn(view, at, "ana")).plain.splitlines()


def test_who_is_on_call_who_follows_and_the_shifts_ahead() -> None:
    lines = duties(NOW)
    assert lines[0] == "travel[x]  ana (you)  until Sun 02-01 09:00 CET (in 20 h)  then bo  layer 1"
    assert lines[1] == "  Sun 02-01 09:00 CET – Mon 02-02 09:00 CET  bo"
    assert lines[2] == "  Mon 02-02 09:00 CET – Tue 02-03 09:00 CET  ana (you)"
    assert lines[-1] == "  and 6 more within the time shown"


def test_a_hand_over_that_passed_since_the_shifts_were_fetched_counts() -> None:
    assert duties(NOW + timedelta(hours=20))[0].startswith("travel[x]  bo  until Mon 02-02 09:00 CET (in 1 d)")


def test_a_hole_is_said_in_a_word_however_far_ahead() -> None:
    lines = duties(NOW, hours="09:00-10:00", days=["sun", "mon", "tue", "wed", "thu", "fri"])
    assert lines[0].startswith("travel[x]  ✗ NOBODY  until Sun 02-01 09:00 CET (in 20 h)  then bo")
    assert "  Fri 02-06 10:00 CET – Sun 02-08 09:00 CET  ✗ NOBODY" in lines
    weekends = duties(NOW, days=["mon", "tue", "wed", "thu", "fri"])
    assert "  Sat 02-14 00:00 CET – …  ✗ NOBODY" in weekends


def test_a_shift_without_an_end_says_so() -> None:
    assert duties(NOW, people=["bo"])[0] == "travel[x]  bo  no end  layer 1"


def series(values: list[float], limit: float | None = 0.25, *, above: bool = True) -> SeriesView:
    """Return a series of a value a minute."""
    points = [PointView(at=NOW + timedelta(minutes=index), value=value) for index, value in enumerate(values)]
    return SeriesView(name="psi", rule="drift", limit=limit, above=above, failing=True, points=points)


def drawing(lines: list[str]) -> list[str]:
    """Return lines without their colours."""
    return [Content.from_markup(line).plain for line in lines]


def test_a_chart_of_four_rows_with_its_limit_as_a_line() -> None:
    drawn = drawing(chart(series([0.05, 0.1, 0.2, 0.3, 0.4]), 40))
    assert len(drawn) == 5
    assert drawn[0].startswith("   0.4 ")
    assert drawn[0].endswith(" 0.4")
    assert drawn[1].startswith("  0.25 ┈┈┈")
    assert drawn[1].endswith("█ limit")
    assert drawn[3].startswith("     0 ")
    assert " " not in drawn[3][7:12], "every value is seen at the bottom"
    assert drawn[4].strip() == "4 m to 12:04:00Z"


def test_what_is_beyond_the_limit_is_red_also_below_one() -> None:
    assert "[$error]" in chart(series([0.3]), 40)[-2]
    assert "[$primary]" in chart(series([0.1]), 40)[-2]
    assert "[$warning]" in chart(series([0.22]), 40)[-2]
    low = series([0.5, 0.9], 0.6, above=False)
    assert "[$error]" in chart(low, 40)[-2]
    assert "[$primary]" in chart(low, 40)[-2]
    assert chart(series([]), 40) == []


def test_a_condition_marks_what_is_true_in_it() -> None:
    terms = [
        TermView(text="metrics.psi > 0.25", true=True, values={}, line="metrics.psi 0.41 > 0.25"),
        TermView(text="card.tier == 1", true=False, values={}, line="card.tier 2 == 1"),
    ]
    lines = list(condition("metrics.psi > 0.25\n  || card.tier == 1", RuleView(rule="r", outcome="fail", terms=terms)))
    assert "[b $error]metrics.psi > 0.25[/]" in lines[0]
    assert "[b $error]card.tier" not in lines[0]
    assert drawing(lines) == [
        f"when {HANG}metrics.psi > 0.25 || card.tier == 1",
        "  ✗ metrics.psi 0.41 > 0.25",
        "  · card.tier 2 == 1",
    ]


def test_what_a_not_turns_round_is_highlighted_when_it_speaks_for_the_whole() -> None:
    terms = [
        TermView(text="!has(card.data)", true=True, values={}, line="!has(card.data)"),
        TermView(text="!(metrics.a > 1)", true=True, values={}, line="!(metrics.a 0.5 > 1)"),
        TermView(text="!(metrics.b > 1)", true=False, values={}, line="!(metrics.b 2 > 1)"),
    ]
    when = "!has(card.data) && !(metrics.a > 1 && metrics.b > 1)"
    head = next(iter(condition(when, RuleView(rule="r", outcome="fail", terms=terms))))
    assert "[b $error]!has(card.data)[/]" in head
    assert "[b $error]metrics.a > 1[/]" in head
    assert "[b $error]metrics.b" not in head


def proof(**more: object) -> ProofView:
    """Return the proof of the second of three entries, source: RFC 6962 section 2.1."""
    leaves = [hashlib.sha256(b"\x00" + each).digest() for each in (b"a", b"b", b"c")]
    left = hashlib.sha256(b"\x01" + leaves[0] + leaves[1]).digest()
    root = hashlib.sha256(b"\x01" + left + leaves[2]).hexdigest()
    entry = EntryView(seq=1, at=NOW, kind="k", actor="ana", subject={}, body={})
    path = [leaves[0].hex(), leaves[2].hex()]
    facts = {"entry": entry, "content": "b", "leaf_hash": leaves[1].hex(), "path": path, "size": 3, "root": root}
    return ProofView.model_validate({**facts, "sealed_at": NOW, **more})


def test_a_proof_is_computed_and_not_believed() -> None:
    good = proof()
    assert holds(good)
    assert not holds(proof(content="B"))
    assert not holds(proof(root=good.leaf_hash))
    assert not holds(proof(path=good.path[:1]))
    assert not holds(proof(path=[*good.path, good.root]))


def test_a_value_beyond_its_limit_is_never_shown_as_well() -> None:
    def head(value: float, **more: Any) -> str:
        series = SeriesView(name="errors", rule="r", limit=0.5, points=[PointView(at=NOW, value=value)], **more)
        return Content.from_markup("\n".join(charts([series], 60))).plain.split("\n")[1]

    assert head(0.4) == "✓ errors  · r"
    assert head(0.9, failing=True) == "✗ errors  · r"
    assert head(0.9) == "◇ errors  · r  beyond its limit, yet the rule does not fail"
    assert head(0.4, above=False).startswith("◇")


def test_an_entry_that_is_shown_is_what_was_hashed() -> None:
    said = {"seq": 1, "at": "2026-01-31T12:00:00Z", "kind": "k", "actor": "ana", "subject": {}, "body": {}, "id": "x"}
    assert same(proof(content=json.dumps(said)))
    assert not same(proof(content=json.dumps({**said, "actor": "bo"})))
    assert not same(proof(content=json.dumps({**said, "at": "2026-01-31T12:00:01Z"})))
    assert not same(proof(content="no JSON"))


def test_columns_with_long_texts_give_way_where_there_is_no_room() -> None:
    columns = (Column("A", 4, most=20), Column("B", 6, most=30), Column("C", 5, grows=True), Column("D", 7))
    assert len(fitting(34, columns, (0,), {0: 9, 1: 11})) == 4, (
        "a little less of two long texts is better than one gone"
    )
    assert len(fitting(30, columns, (0,), {0: 9, 1: 30})) == 3
    shown = fitting(40, columns, (), {0: 15, 1: 30})
    assert sum(each.width + 1 for _, each in shown) + 1 == 40
    assert [each.width for _, each in shown] == [15, 8, 5, 7]


def test_cycles_in_a_row_are_one_line_that_opens() -> None:
    kinds = ["cycle.evaluated"] * 3 + ["switch.pulled", "cycle.evaluated", "note", "cycle.evaluated", "cycle.evaluated"]
    entries = [
        EntryView(seq=seq, at=NOW, kind=kind, actor="engine", subject={}, body={}) for seq, kind in enumerate(kinds)
    ]
    closed = folded(entries, ())
    shown = [(each.first.seq, each.last.seq) if isinstance(each, Fold) else each.seq for each in closed]
    assert shown == [(0, 2), 3, 4, 5, (6, 7)]
    opened = [each.seq for each in folded(entries, {6}) if not isinstance(each, Fold)]
    assert opened == [3, 4, 5, 6, 7], "an opened row has its entries below it"


TEXT = ("foreground", "primary", "secondary", "accent", "warning", "error", "success")


@pytest.mark.parametrize("theme", [NIGHT, DAY], ids=lambda each: each.name)
@pytest.mark.parametrize("name", [*TEXT, "muted"])
@pytest.mark.parametrize("ground", ["background", "surface", "panel", "row-cursor", "caution"])
def test_every_colour_of_text_has_a_contrast_of_five(theme: Theme, name: str, ground: str) -> None:
    text = theme.variables[name] if name == "muted" else getattr(theme, name)
    below = theme.variables.get(ground) or getattr(theme, ground)
    assert contrast(Color.parse(text), Color.parse(below)) >= 5


@pytest.mark.parametrize("theme", [NIGHT, DAY], ids=lambda each: each.name)
def test_a_stopped_switch_can_be_read(theme: Theme) -> None:
    assert contrast(Color.parse(theme.error or ""), Color.parse(theme.variables["dead"])) >= 5


@pytest.mark.parametrize("theme", [NIGHT_256, DAY_256], ids=lambda each: each.name)
def test_the_nearest_of_256_colours_can_be_read_too(theme: Theme) -> None:
    def nearest(name: str) -> Color:
        written = theme.variables.get(name) or getattr(theme, name)
        return Color(*RichColor.parse(written).downgrade(ColorSystem.EIGHT_BIT).get_truecolor())

    grounds = ("background", "surface", "panel", "row-cursor", "caution")
    pairs = [*product((*TEXT, "muted", "hot"), grounds), ("error", "dead"), ("foreground", "dead")]
    faint = {f"{text} on {ground}": contrast(nearest(text), nearest(ground)) for text, ground in pairs}
    assert not {pair: round(found, 1) for pair, found in faint.items() if found < 5}


@pytest.mark.parametrize(
    ("colors", "name"), [("standard", "sixteen"), ("256", "night-256"), ("truecolor", "night"), (None, "night")]
)
def test_a_terminal_begins_with_the_colours_it_has(colors: str | None, name: str) -> None:
    assert theme_of(no_color=False, system=colors).name == name
    assert theme_of(no_color=True, system=colors).name == "plain"


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


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"next_at": NOW + timedelta(minutes=8), "next_to": ["bo"]}, "level 1 of 3 ana told → bo in 8 m"),
        ({"next_at": NOW, "next_to": []}, "level 1 of 3 ana told → nobody is there now"),
        (
            {"state": "stopped", "comes_back_at": NOW + timedelta(minutes=90)},
            "level 1 of 3 ana told comes back in 1 h 30 m unless worked on",
        ),
        ({"state": "exhausted"}, "level 1 of 3 ana told everybody was told"),
        ({"level": 0, "told": [], "waits_for": "silenced by bo [b]"}, "nobody told yet waits: silenced by bo [b]"),
    ],
)
def test_an_escalation_counts_down_to_who_is_next(more: dict, said: str) -> None:
    facts = {"policy": "night", "level": 1, "last_level": 3, "loop": 0, "loops": 1, "next_at": None, "next_to": []}
    view = EscalationView.model_validate({**facts, "state": "running", "told": ["ana"], **more})
    assert Content.from_markup(escalation(view, NOW)).plain == said
