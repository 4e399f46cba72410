"""What is read of an incident beside the fleet: each part of it, and what is said where there is no room or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from terminal.world import FILES, World, main_of, played, screen, shows, until, world
from textual.content import Content

from governance.views import EscalationView, IncidentView, RuleView
from governance.views.runs import RunView
from tui.facts import Facts, Subject
from tui.screens.beside import Found
from tui.text import HANG, fact
from tui.widgets.ladder import ladder
from tui.widgets.parts import Part, fitted
from tui.widgets.run import in_brief
from tui.widgets.told import Hanging
from tui.widgets.unjudged import unjudged

SIZE = (150, 44)
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ESCALATION = """
notifiers: {pager: {kind: console}}
escalations:
  night: {levels: [{to: [{person: ana}]}, {after: 10m, to: [{person: bo}]}, {after: 20m, to: [{team: lending}]}]}
"""
BLIND = """
kind: card
model: blind
tier: 2
owners: {team: lending}
metrics: {errors: {source: pushed, query: error_rate, every: 1s, stale_after: 1h}}
rules: [{rule: errors-high, when: metrics.errors > 0.5, for: 1h}]
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running engine with a critical incident that escalates, and a model of which nothing is known."""
    loans = FILES["loans.yaml"].replace("accountable: ana", "accountable: ana, escalation: night")
    more = {"org.yaml": FILES["org.yaml"] + ESCALATION, "loans.yaml": loans, "blind.yaml": BLIND}
    made = world(tmp_path_factory.mktemp("beside") / "engine", more)
    yield made
    made.close()


def hung(markup: str, width: int) -> list[str]:
    """Return the lines of a text as they are drawn."""
    return [each.rstrip() for each in Hanging(Content.from_markup(markup)).fitted(width).plain.split("\n")]


def test_further_lines_begin_below_the_words_and_not_below_the_glyph() -> None:
    assert hung("  → Find the feature that moved", 20) == ["  → Find the feature", "    that moved"]
    assert hung(fact("lead", "ana of the team that pays"), 30) == ["lead         ana of the team", f"{'':13}that pays"]
    assert hung(f"12:01 {HANG}ana took it, and says why", 24) == ["12:01 ana took it, and", "      says why"]
    assert hung("a sentence without any glyph", 18) == ["a sentence without", "any glyph"]
    assert hung("short\n\n✓ done", 18) == ["short", "", "✓ done"]
    assert hung(f"{'x' * 30} {HANG}y", 20) == ["x" * 20, "x" * 10 + " y"]


def test_a_filter_that_hides_all_says_so_and_how_it_is_cleared(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "quiet", "loans"))
            await pilot.press("slash", *"nothing-like-it", "enter")
            said = "the filter hides all 4 models: escape clears it"
            await until(pilot, lambda: shows(app, said, "0 of 4 models"))
            assert not shows(app, "no model is governed here")
            await pilot.resize_terminal(80, 24)  # where there is no pane
            await until(pilot, lambda: shows(app, said))
            await pilot.press("escape")
            await until(pilot, lambda: shows(app, "loans", "worst first") and not shows(app, said))

    played(story)


def test_the_pane_tells_why_who_is_next_and_what_became_of_it(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=(150, 60)) as pilot:
            await until(pilot, lambda: shows(app, "when metrics.errors > 0.5", "✗ metrics.errors 0.9 > 0.5", "limit"))
            await until(pilot, lambda: shows(app, "✓ L1 ana told   ▶ L2 bo in 0", "○ L3 ana, bo", "━"))
            assert shows(app, "Runbook none has been started: b starts one", "live → rules-of-thumb")
            await until(pilot, lambda: shows(app, "rule opened", "(errors-high)", "escalation level 1 of night"))
            await pilot.press("a")
            await until(pilot, lambda: shows(app, "✓ L1 ana acked in ", "ana took it (tui)"))
            assert not shows(app, "▶ L2")
            await pilot.press("enter")
            await until(pilot, lambda: shows(app, "Escalation · night", "ana told (person ana)", "ana acknowledged in"))

    played(story)


def test_where_there_is_little_room_it_says_what_is_left_out(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=(150, 20)) as pilot:
            await until(pilot, lambda: shows(app, "when metrics.errors > 0.5", "▲ critical  INC-", "(enter opens)"))
            pane = main_of(app).query_one("#incident")
            assert pane.max_scroll_y == 0, screen(app)

    played(story)


def test_a_model_with_missing_data_says_which_rules_wait_for_what_and_what_to_do(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "blind"))
            main_of(app).query_one("#fleet").select("blind")  # type: ignore[attr-defined]
            await until(pilot, lambda: shows(app, "? no data  blind", "Not judged 1 of", "errors-high", "→ its source"))

    played(story)


def test_nothing_is_asked_while_a_key_is_held_and_what_comes_late_is_thrown_away(here: World) -> None:
    asked: list[str] = []

    def note(request: httpx.Request) -> None:
        if "/models/" in request.url.path:
            asked.append(request.url.path.split("/")[3])

    async def story() -> None:
        app = here.app("ana")
        hooks: Any = app.client._http.event_hooks
        app.client._http.event_hooks = {**hooks, "request": [*hooks["request"], note]}
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "when metrics.errors > 0.5"))
            main, before = main_of(app), len(asked)
            for _ in range(20):
                for key in "jk":
                    main.query_one("#fleet").action_move(1 if key == "j" else -1)  # type: ignore[attr-defined]
            assert set(asked[before:]) <= {"loans"}, "the cursor has not rested on another"
            main.post_message(Found(Subject("quiet"), Facts(Subject("quiet"), lacks="of another model")))
            await pilot.pause()
            assert not shows(app, "of another model")
            assert shows(app, "when metrics.errors > 0.5")

    played(story)


def told(lines: Iterator[str] | list[str]) -> list[str]:
    return [Content.from_markup(each).plain.replace(HANG, "").rstrip() for each in lines]


def test_parts_are_cut_or_left_out_by_their_rank() -> None:
    parts = [
        Part("facts", 0, ["a", "b"]),
        Part("chart", 3, ["c", "d", "e"]),
        Part("why", 1, ["f", "g", "h", "i"], 2),
        Part("story", 2, ["j", "k", "l", "m"], 2),
    ]
    left = "… 2 more (enter opens)"
    assert fitted(parts, 20, 16) == [*"ab", "", *"cde", "", *"fghi", "", *"jklm"]
    assert told(fitted(parts, 20, 12)) == [*"abcdefghijk", left]
    assert told(fitted(parts, 20, 9)) == [*"abfg", left, *"jk", left, "… chart (enter opens)"]
    assert told(fitted(parts, 20, 6)) == [*"abfg", left, "… chart, story (enter opens)"]


def clock(**more: object) -> IncidentView:
    facts = {
        "policy": "night", "level": 1, "last_level": 4, "loop": 0, "loops": 0, "state": "running", "told": ["ana"],
        "next_at": NOW + timedelta(minutes=6, seconds=12), "next_to": ["bo"], "since": NOW - timedelta(minutes=4),
        "levels": [
            {"level": 1, "state": "told", "to": ["on call for first", "person cy"], "who": ["ana", "cy"],
             "told_at": NOW - timedelta(minutes=4),
             "reached": [{"who": "ana", "state": "told"}, {"who": "cy", "state": "failed", "why": "no address"}]},
            {"level": 2, "state": "next", "to": ["person bo"], "who": ["bo"]},
            {"level": 3, "state": "passed", "to": ["team ops"], "who": ["dee"]},
            {"level": 4, "state": "later", "to": ["team bosses"], "who": ["a", "b", "c", "d"], "fallback": True},
        ],
    }  # fmt: skip
    return IncidentView.model_construct(escalation=EscalationView.model_validate({**facts, **more}))


def test_each_level_is_told_apart() -> None:
    assert told(ladder(clock(), NOW, 60))[1:4] == [
        "✓ L1 ana told   ▶ L2 bo in 06:12   ○ fallback a, b, c +1",
        "  ✗ cy: no address",
        "━" * 24 + "─" * 36,
    ]
    assert told(ladder(clock(), NOW, 60, whole=True))[1:-1] == [
        "✓ L1 11:56:00 ana told, ✗ cy: no address (on call for first, person cy)",
        "▶ L2 bo in 06:12 (person bo)",
        "– L3 team ops: not for this severity",
        "○ fallback a, b, c +1 (team bosses)",
    ]
    answered = clock().escalation
    assert answered is not None
    first = answered.levels[0].model_copy(update={"answered_by": "cy", "answered_at": NOW - timedelta(seconds=201)})
    rest = [each.model_copy(update={"state": "later"}) for each in answered.levels[1:2]]
    halted = clock(next_at=None, state="stopped", levels=[each.model_dump() for each in (first, *rest)])
    assert told(ladder(halted, NOW, 60))[1:] == ["✓ L1 cy acked in 39 s   ○ L2 bo", "  ✗ cy: no address"]


def test_a_run_in_brief_says_by_whom_and_what_it_waits_for() -> None:
    step = {"kind": "instruct", "glyph": "✓", "state": "done", "text": "", "by": "ana", "ended_at": NOW}
    waits = {"kind": "approve", "glyph": "▶", "state": "waiting", "text": "", "deadline": NOW + timedelta(minutes=59)}
    steps = [{"step": f"step-{each}", **step} for each in range(8)]
    steps += [{"step": "consent", **waits, "waits_for": "waits for an approver (bo) until 12:59"}]
    steps += [{"step": "tell", "kind": "instruct", "glyph": "○", "state": "to come", "text": ""}]
    run = RunView.model_validate({
        "id": "RUN-1", "runbook": "back", "description": "", "model": "m", "incident": 1, "mode": "live",
        "state": "waiting", "started_by": "ana", "started_at": NOW, "because": "", "steps": steps, "number": 9,
    })  # fmt: skip
    assert told(in_brief(run, NOW, 60)) == [
        "Runbook · back RUN-1 ▶ waits",
        "✓ 7 step-6   ana 12:00:00",
        "✓ 8 step-7   ana 12:00:00",
        "▶ 9 consent  an approver (bo) 59m left",
        "○ 10 tell     instruct",
    ]


def test_what_could_not_be_judged_is_told_by_what_is_missing() -> None:
    old = {"name": "metrics.psi", "value": None, "time": "2026-01-31T11:54:00Z", "reason": "6 m old"}
    few = {"name": "metrics.recall", "value": None, "time": None, "reason": "3 rows, needs 20"}
    last = [
        RuleView(rule="drift", outcome="stale", inputs=[old]),
        RuleView(rule="rollback", outcome="stale", inputs=[old]),
        RuleView(rule="worse", outcome="too_few", inputs=[few]),
        RuleView(rule="broken", outcome="error", reason="the source refused the query"),
        RuleView(rule="fine", outcome="pass"),
        RuleView(rule="elsewhere", outcome="not applicable"),
    ]
    lines = told(unjudged(last, NOW))
    assert lines[:5] == [
        "Not judged 4 of 5 rules",
        "? metrics.psi nothing since 11:54:00Z, 6 m ago drift, rollback",
        "? metrics.recall 3 rows, needs 20 worse",
        "? broken the source refused the query broken",
        "  → its source answers with nothing newer: look at what writes it",
    ]
    assert len(lines) == 7
    assert list(unjudged(last[-2:], NOW)) == []
