"""What can be reached how: every act is off for who may only look, the mouse, the palette, and names of approvals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from terminal.world import World, hint, main_of, played, screen, shows, until, world
from textual.content import Content
from textual.widgets import Input

from governance.views import EscalationView, IncidentView
from tui.keys import GROUPS, Key, _acts
from tui.screens.approvals import Approvals, Waiting
from tui.screens.entry import EntryScreen
from tui.screens.form import Form
from tui.screens.frame import Frame
from tui.screens.incident import IncidentScreen
from tui.screens.incidents import Incidents
from tui.screens.model import ModelScreen
from tui.screens.on_call import OnCall
from tui.screens.run import RunScreen
from tui.screens.switch import SwitchModal
from tui.situation import Situation
from tui.widgets.ladder import ladder
from tui.widgets.things import Things

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SIZE = (150, 46)
CAREFUL = """
kind: runbook
runbook: careful
description: Look twice.
steps: [{step: look, instruct: "Look."}]
"""
NARROW = CAREFUL.replace("runbook: careful", "runbook: narrow\napplies_to: card.tier == 2")
LOOKS = {
    "help", "goto", "command_palette", "back", "refresh", "pause", "copy", "theme", "quit", "open", "filter",
    "only_open", "model", "next_step", "ended", "follow", "older", "unfold",
}  # fmt: skip
"""What changes nothing."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running engine with a critical incident, for all tests of this file, in their order."""
    made = world(tmp_path_factory.mktemp("reach") / "engine", {"careful.yaml": CAREFUL, "narrow.yaml": NARROW})
    yield made
    made.close()


@pytest.mark.parametrize("key", [each for group in GROUPS.values() for each in group], ids=lambda each: each.act)
def test_who_may_only_look_has_no_key_that_acts(key: Key) -> None:
    looks = key.act in LOOKS or key.act.startswith(("view(", "move("))
    why = "you may only look: the app was opened with --read-only"
    if looks:
        assert _acts not in key.needs
    else:
        assert key.off(Situation(looks_only=why)) == why, "the reason is the first that is told"
        assert key.off(Situation(offline=True)) == "the engine is not reached"


def _incident(**more: object) -> IncidentView:
    clock = EscalationView.model_validate({
        "policy": "ml-oncall", "level": 1, "last_level": 3, "loop": 0, "loops": 1, "next_to": ["bo"],
        "next_at": NOW + timedelta(minutes=6, seconds=12), "since": NOW - timedelta(minutes=3, seconds=48),
        "state": "running", "told": ["ana"], **more,
    })  # fmt: skip
    return IncidentView.model_construct(escalation=clock)


def _lines(at: datetime, **more: object) -> list[str]:
    return [Content.from_markup(each).plain for each in ladder(_incident(**more), at, 50)]


def test_the_escalation_counts_down_and_its_line_fills() -> None:
    assert _lines(NOW)[:3] == [
        "Escalation · ml-oncall",
        "✓ L1 ana told   ▶ L2 bo in 06:12   ○ L3",
        "━" * 19 + "─" * 31,
    ]
    assert _lines(NOW + timedelta(minutes=6))[1:3] == ["✓ L1 ana told   ▶ L2 bo in 00:12   ○ L3", "━" * 49 + "─"]
    assert _lines(NOW + timedelta(hours=1))[1:3] == ["✓ L1 ana told   ▶ L2 bo now   ○ L3", "━" * 50]
    assert _lines(NOW, next_to=[])[1:3] == ["✓ L1 ana told   ▶ L2 nobody is there in 06:12", "○ L3"]
    assert _lines(NOW, next_at=None, state="exhausted", level=3)[1:] == ["✓ L3 ana told   everybody was told"]
    assert "━" not in "".join(_lines(NOW, waits_for="a silence until 13:00")), "what waits does not count down"


def test_a_mouse_is_enough(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1", "quiet"))
            fleet = main_of(app).query_one("#fleet")
            rows = [row.model for row in app.snapshot.fleet.items] if app.snapshot is not None else []
            await pilot.click(fleet, offset=(12, 2 + rows.index("quiet")))
            await until(pilot, lambda: main_of(app).row is not None and main_of(app).row.model == "quiet")  # type: ignore[union-attr]
            await pilot.click(fleet, offset=(12, 2 + rows.index("loans")))
            await until(pilot, lambda: main_of(app).row is not None and main_of(app).row.model == "loans")  # type: ignore[union-attr]
            await pilot.click(fleet, offset=(12, 2 + rows.index("loans")), times=2)
            await until(pilot, lambda: isinstance(app.screen, ModelScreen | IncidentScreen))
            await pilot.press("escape")
            await pilot.click("#tabs", offset=(15, 0))
            await until(pilot, lambda: isinstance(app.screen, Incidents) and shows(app, "Incidents 1 open"))
            await until(pilot, lambda: shows(app, "K Kill switch"))
            line = next(line for line in screen(app).splitlines() if "K Kill switch" in line)
            await pilot.click("#keys", offset=(line.index("K Kill"), 0))
            await until(pilot, lambda: isinstance(app.screen, SwitchModal) and "ready" in hint(app))
            await pilot.click("#mode-stopped")
            await until(pilot, lambda: "5 more characters" in hint(app))
            await pilot.click("#no")
            await until(pilot, lambda: isinstance(app.screen, Incidents))

    played(story)
    assert here.client().switch("loans").mode == "live"


def test_the_palette_starts_a_runbook_on_any_model(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("ctrl+p", *"careful")
            await until(pilot, lambda: shows(app, "Start careful on loans", "on INC-1: Look twice."))
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(app.screen, Form) and shows(app, "Start careful"))
            assert app.screen.query_one("#field-because", Input).value.startswith("INC-1: Errors")
            await pilot.press("escape", "4", "ctrl+p", *"start careful on qui")
            await until(pilot, lambda: shows(app, "Start careful on quiet"))
            assert not shows(app, "on loans")
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(app.screen, Form) and shows(app, "Start careful", "quiet"))
            await pilot.press("escape", "ctrl+p", *"narrow inc-1")
            await until(
                pilot,
                lambda: shows(
                    app, "✗ Start narrow on loans", "off: 'narrow' is not for this model: card.tier 1 == 2 is false"
                ),
            )
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(app.screen, Approvals))

    async def looking() -> None:
        app = here.app("vic")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("ctrl+p", *"careful quiet")
            why = ("off: 'vic' may not start runbooks: it needs the role responder for quiet; these", "may: ana, bo")
            await until(pilot, lambda: shows(app, "✗ Start careful on quiet", *why))

    played(story)
    played(looking)


def test_the_palette_finds_all_that_has_a_name_and_says_why_an_act_is_off(here: World) -> None:
    at = {"because": "known", "until": "2027-01-01T00:00:00Z"}
    waiver = here.client().waive({"model": "quiet", "rule": "errors-high", **at}, key="w-quiet")
    here.client("bo").approve(waiver.id, key="a-quiet")
    here.client().start_run("quiet", {"runbook": "careful", "because": "to look"}, key="r-quiet")

    async def story() -> None:
        app = here.app("ana")

        async def finds(typed: str, *said: str) -> None:
            await pilot.press("ctrl+p", *typed)
            await until(pilot, lambda: shows(app, *said))
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(app.screen, Frame))

        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await finds("run-1", "RUN-1 careful on quiet")
            await until(pilot, lambda: isinstance(app.screen, RunScreen) and shows(app, "Look twice."))
            await finds(waiver.id, f"{waiver.id} errors-high on quiet", "waiver for")
            listed = app.screen.query_one(Things)
            await until(pilot, lambda: listed.selected is not None and listed.selected.id == waiver.id)
            await finds("call lending", "On call by lending-primary")
            assert isinstance(app.screen, OnCall)
            await finds("#2", "#2 entry of the decision log")
            await until(pilot, lambda: isinstance(app.screen, EntryScreen))
            await pilot.press("1", "ctrl+p", *"restore")
            await until(pilot, lambda: shows(app, "✗ Restore (U)", "off: it is live already"))

    played(story)


def test_going_to_an_approval_puts_the_cursor_on_it(here: World) -> None:
    until_ = "2027-01-01T00:00:00Z"
    for rule in ("errors-high", "rollback/no-criterion"):
        asked = {"model": "loans", "rule": rule, "because": "known", "until": until_}
        here.client().waive(asked, key=f"w-{rule}".replace("/", "-"))

    async def story() -> None:
        app = here.app("bo")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "2 to approve"))
            last = app.snapshot.approvals[-1].id if app.snapshot is not None else ""
            await pilot.press("colon", *last, "enter")
            await until(pilot, lambda: isinstance(app.screen, Approvals))
            chosen = app.screen.query_one(Waiting)
            await until(pilot, lambda: chosen.selected is not None and chosen.selected.id == last)

    played(story)
