"""The terminal app over a running engine, as a person uses it: what the screen says, and what the engine then holds."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest
from terminal.world import World, hint, main_of, played, screen, shows, until, world
from textual.events import Key
from textual.widgets import Button, Input

from tui.screens.approvals import Approvals
from tui.screens.fleet import FleetScreen
from tui.screens.switch import SwitchModal
from tui.theme import DAY, NIGHT
from tui.widgets.fleet import Fleet

SIZE = (150, 44)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running engine with a critical incident, for all tests of this file: those that only look come first."""
    made = world(tmp_path_factory.mktemp("app") / "engine")
    yield made
    made.close()


@pytest.fixture
def here(engine: World) -> Iterator[World]:
    """The engine, whose model is live before and after."""
    yield engine
    engine.give_back("loans")


def test_the_fleet_worst_first_with_its_incident_and_who_is_on_call(here: World) -> None:
    async def story() -> None:
        app = here.app()
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "loans", "quiet", "▲ 1 critical"))
            lines = screen(app).splitlines()
            assert [each for each in lines if "▲ critical" in each and "loans" in each], screen(app)
            rows = [name for line in lines for name in ("loans", "quiet") if f" {name} " in line and "●" in line]
            assert rows == ["loans", "quiet"]
            said = ("Errors at 0.9", "INC-1", "nobody yet", "● live", "errors-high", "judged", "ana admin")
            await until(pilot, lambda: shows(app, *said))
            await pilot.press("7")
            await until(pilot, lambda: shows(app, "On-call", "lending-primary", "✗ NOBODY", "ana (you)", "layer 1"))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, FleetScreen))

    played(story)


def test_words_filter_and_escape_shows_all_again(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "quiet", "loans"))
            await pilot.press("slash", *"quie", "enter")
            await until(pilot, lambda: main_of(app).row is not None and main_of(app).row.model == "quiet")
            assert shows(app, "1 of 3 models")
            await pilot.press("escape")
            await until(pilot, lambda: shows(app, "3 models") and not shows(app, "1 of 3 models"))

    played(story)


def test_what_is_typed_right_behind_the_key_of_the_filter_is_no_act(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "quiet", "loans"))
            app.theme = NIGHT.name
            for key in "/team":  # as fast as a paste: t is the theme, e escalates, a acknowledges, m opens the model
                pressed = Key("slash" if key == "/" else key, key)
                pressed.set_sender(app)
                app.post_message(pressed)
            await until(pilot, lambda: isinstance(app.focused, Input) and app.focused.value == "team")
            assert isinstance(app.screen, FleetScreen)
            assert app.theme == NIGHT.name

    played(story)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_it_fits(here: World, size: tuple[int, int]) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: shows(app, "▲ critical", "loans", "● live", "judged"))
            app.theme = DAY.name
            await pilot.press("K")
            await until(pilot, lambda: isinstance(app.screen, SwitchModal) and shows(app, "loans", "rules-of-thumb"))
            await pilot.press("escape", "enter")
            await until(pilot, lambda: shows(app, "errors-high"))
            await pilot.press("escape")
            assert main_of(app).query_one(Fleet).has_focus

    played(story)


def test_who_may_only_look_has_no_keys_that_act(here: World) -> None:
    async def story(who: str, *, read_only: bool) -> None:
        app = here.app(who, read_only=read_only)
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("K", "a")
            await pilot.pause(0.5)
            assert not isinstance(app.screen, SwitchModal)
            await pilot.press("question_mark")
            await until(pilot, lambda: shows(app, "you may only look"))

    played(lambda: story("ana", read_only=True))
    incident = here.incident()
    assert incident is not None
    assert incident.status == "triggered"


def test_a_refusal_says_once_who_may(here: World) -> None:
    async def story() -> None:
        app = here.app("vic")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("K")
            await until(pilot, lambda: isinstance(app.screen, SwitchModal))
            await until(
                pilot, lambda: shows(app, "allowed ✗ 'vic' may not pull kill switches: it needs the role responder")
            )
            assert shows(app, "these people may: ana, bo")
            assert screen(app).count("may not pull kill switches") == 1, "it is said once"
            assert hint(app) == "esc goes back"
            assert app.screen.query_one("#yes", Button).disabled

    played(story)


def test_an_engine_that_is_lost_and_comes_back(here: World) -> None:
    async def story() -> None:
        app = here.app("ana", quiet=2.5)
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            here.served.process.send_signal(signal.SIGSTOP)
            await until(pilot, lambda: shows(app, "✗ offline", "Actions are off", "gov switch pull loans"))
            assert shows(app, "loans"), "what was known stays"
            await pilot.press("K")
            await pilot.pause(0.5)
            assert not isinstance(app.screen, SwitchModal)
            here.served.process.send_signal(signal.SIGCONT)
            await pilot.press("r")
            await until(pilot, lambda: shows(app, "● live") and not shows(app, "Actions are off"))

    played(story)


def test_a_token_that_does_not_hold_is_said(here: World) -> None:
    async def story() -> None:
        app = replace(here, tokens={"ana": "gov_aaaaaaaa_" + "b" * 43}).app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "token"))
            assert shows(app, "✗ offline")

    played(story)


def test_a_switch_is_pulled_and_restored_by_two(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("K")
            await until(pilot, lambda: isinstance(app.screen, SwitchModal))
            said = ("rules-of-thumb", "quiet reads", "version 7", "tier 1", "none reports", "health unknown")
            await until(pilot, lambda: shows(app, *said))
            assert app.screen.query_one("#reason", Input).value.startswith("INC-1: Errors at 0.9")
            await until(pilot, lambda: "ready" in hint(app))
            await pilot.press("ctrl+j")
            await until(pilot, lambda: "fallback" in hint(app) and "since entry" in hint(app))
            assert here.client().switch("loans").mode == "fallback"
            await pilot.press("escape")
            await until(pilot, lambda: shows(app, "◩ fallback", "■ 1 not live"))
            await pilot.press("U")
            await until(pilot, lambda: isinstance(app.screen, SwitchModal) and shows(app, "a second person must"))
            assert app.screen.query_one("#yes", Button).disabled
            await pilot.press(*"feed mended", "enter", *"loan")
            assert "1 more character" in hint(app)
            await pilot.press("s", "enter")
            await until(pilot, lambda: "a second person must approve: bo" in hint(app))
            assert here.client().switch("loans").mode == "fallback"

    async def second() -> None:
        app = here.app("bo")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "1 to approve"))
            await pilot.press("4")
            await until(pilot, lambda: isinstance(app.screen, Approvals) and shows(app, "asked by ana"))
            await pilot.press("Y")
            await until(pilot, lambda: shows(app, "nothing waits"))
            assert here.client().switch("loans").mode == "live"

    played(story)
    played(second)


def test_who_asked_cannot_approve(here: World) -> None:
    async def story() -> None:
        ana = here.client()
        ana.pull("loans", {"mode": "fallback", "because": "x"}, key="k1")
        switch = ana.switch("loans")
        ana.restore("loans", {"because": "y", "seq": switch.seq, "confirm": "loans"}, key="k2")
        app = here.app("ana")
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            await until(pilot, lambda: shows(app, "1 to approve"))
            await pilot.press("4")
            await until(pilot, lambda: isinstance(app.screen, Approvals) and shows(app, "asked by ana"))
            await pilot.press("Y")
            await until(pilot, lambda: shows(app, "ana asked for this restore"))
            assert ana.switch("loans").mode == "fallback"

    played(story)


def test_a_throttle_says_what_is_wrong_with_its_share(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("K")
            await until(pilot, lambda: isinstance(app.screen, SwitchModal))
            await pilot.click("#mode-throttle")
            app.screen.query_one("#share", Input).value = "150%"
            await until(pilot, lambda: "between 0% and 100%" in hint(app))
            app.screen.query_one("#share", Input).value = "25%"
            await until(pilot, lambda: "ready" in hint(app))
            await pilot.press("ctrl+j")
            await until(pilot, lambda: "throttle" in hint(app) and "since entry" in hint(app))
            await pilot.press("escape")
            await until(pilot, lambda: shows(app, "◐ 25% held"))

    played(story)


def test_stopping_asks_for_the_name_and_a_double_submit_acts_once(here: World) -> None:
    before = here.client().switch("loans").seq

    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("K")
            await until(pilot, lambda: isinstance(app.screen, SwitchModal))
            await pilot.click("#mode-stopped")
            assert "5 more characters" in hint(app)
            await pilot.press("ctrl+j")
            assert here.client().switch("loans").mode == "live"
            app.screen.query_one("#typed", Input).focus()
            await pilot.press(*"loans")
            await pilot.press("enter", "enter", "ctrl+j")
            await until(pilot, lambda: "STOPPED" in hint(app))
            assert here.client().switch("loans").seq == before + 1

    played(story)


def test_an_incident_is_taken_and_resolved(here: World) -> None:
    async def story() -> None:
        app = here.app("bo")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "nobody yet"))
            await pilot.press("a")
            await until(pilot, lambda: shows(app, "acknowledged"))
            incident = here.incident()
            assert incident is not None
            assert incident.acknowledged_by == "bo"
            await pilot.press("R")
            await until(pilot, lambda: shows(app, "What was done?"))
            await pilot.press(*"rolled back", "enter")
            await until(pilot, lambda: here.incident() is None)

    played(story)
