"""The terminal app over a network that fails: no key waits for an answer, and nothing old is shown as fresh."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from fault_proxy import FaultProxy
from terminal.world import World, hint, main_of, played, screen, shows, until, world
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input

from governance.client import TERMINAL_APP, Client
from tui import asking
from tui.app import LISTEN, QUIET, GovApp
from tui.known import now
from tui.screens.fleet import FleetScreen
from tui.screens.form import Form
from tui.screens.frame import Frame
from tui.screens.help import Help
from tui.screens.incident import IncidentScreen
from tui.screens.model import ModelScreen
from tui.screens.switch import SwitchModal
from tui.theme import NIGHT

SIZE = (150, 44)


class Network(FaultProxy):
    """The way to the engine, which notes what was asked and can hold all that is under way."""

    def __init__(self, to: int) -> None:
        super().__init__(to)
        self.asked = ""

    def hold(self) -> None:
        """Let nothing through, and reset nothing, until `go_on`."""
        self.fault = "black hole"

    def go_on(self) -> None:
        """Let everything through, also what was held."""
        self.fault = "none"

    async def _spoil(self, part: bytes, writer: object, *, answers: bool) -> None:
        if not answers:
            self.asked += part.decode("latin-1")
        await super()._spoil(part, writer, answers=answers)  # type: ignore[arg-type]


class Clock:
    """A clock that goes on by itself, and can be moved ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.ahead


class Elapsed:
    """Seconds that only a test lets pass."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running engine with a critical incident, for all tests of this file, in their order."""
    made = world(tmp_path_factory.mktemp("slow") / "engine")
    yield made
    made.close()


@pytest.fixture
def network(engine: World) -> Iterator[Network]:
    """The way to it."""
    made = Network(engine.served.port)
    yield made
    made.close()


@asynccontextmanager
async def opened(engine: World, network: Network, **more: object) -> AsyncIterator[tuple[GovApp, Pilot[None]]]:
    """Open the app as ana on the other side of the network, once it shows the fleet."""
    with Client(network.url, engine.tokens["ana"], TERMINAL_APP) as client:
        app = GovApp(client, **{"quiet": 60.0, **more})  # type: ignore[arg-type]
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            app.theme = NIGHT.name  # which a terminal of few colours does not get, and where what is old is dimmed
            await until(pilot, lambda: shows(app, "INC-1", "● live", "judged"))
            try:
                yield app, pilot
            finally:
                network.go_on()


async def held(pilot: Pilot[None], network: Network) -> int:
    """Hold all answers; return what has passed until then."""
    network.hold()
    await pilot.pause(0.3)  # what was on its way a moment ago has come
    return network.passed


def test_no_key_waits_for_an_answer(engine: World, network: Network) -> None:
    async def story() -> None:
        async with opened(engine, network) as (app, pilot):
            passed = await held(pilot, network)
            fleet = main_of(app)
            first = fleet.row.model if fleet.row else ""
            await pilot.press("j")
            assert fleet.row is not None
            assert fleet.row.model != first
            await pilot.press("k")
            assert fleet.row.model == first
            for key, view in enumerate(("fleet", "incidents", "runs", "approvals", "policies", "log", "on-call"), 1):
                await pilot.press(str(key))
                assert isinstance(app.screen, Frame)
                assert app.screen.VIEW.replace("_", "-") == view
            await pilot.press("1", "question_mark")
            assert isinstance(app.screen, Help)
            await pilot.press("escape")
            await pilot.press("slash", *"quie", "enter")
            assert shows(app, "1 of 3 models")
            await pilot.press("escape")
            assert not shows(app, "1 of 3 models")
            await pilot.press("g", "enter")
            assert isinstance(app.screen, IncidentScreen)
            assert shows(app, "Errors at 0.9"), "what is known of it is there"
            await pilot.press("escape")
            assert isinstance(app.screen, FleetScreen)
            assert network.passed == passed, "no answer came meanwhile"

    played(story)


def test_an_act_says_that_it_waits_and_acts_once(engine: World, network: Network) -> None:
    async def story() -> None:
        async with opened(engine, network) as (app, pilot):
            await held(pilot, network)
            await pilot.press("c")
            assert isinstance(app.screen, Form)
            assert shows(app, "asking whether you may")
            app.screen.query_one(Input).value = "held on its way"
            await until(pilot, lambda: "ready" in hint(app))
            passed = network.passed
            await pilot.press("enter", "enter", "ctrl+j")
            assert "… sending" in hint(app)
            await pilot.press("enter")
            assert isinstance(app.screen, Form)
            assert network.passed == passed, "no answer came meanwhile"
            network.go_on()
            await until(pilot, lambda: not isinstance(app.screen, Form))

    played(story)
    noted = [each for each in engine.log("incident.noted") if each["body"]["text"] == "held on its way"]
    assert len(noted) == 1


def test_what_a_key_asks_for_is_asked_once_and_said_to_wait(engine: World, network: Network) -> None:
    async def story() -> None:
        async with opened(engine, network) as (app, pilot):
            await held(pilot, network)
            before = network.asked.count("GET /v1/switches/loans ")
            await pilot.press("K", "K", "j")
            assert main_of(app).row is not None, "other keys go on"
            await until(pilot, lambda: shows(app, "the kill switch of loans: no answer yet"))
            network.go_on()
            await until(pilot, lambda: isinstance(app.screen, SwitchModal))
            assert network.asked.count("GET /v1/switches/loans ") == before + 1
            await pilot.press("escape", "k")
            await held(pilot, network)
            await pilot.press("a", "a", "a")
            await until(pilot, lambda: shows(app, "taking INC-1: no answer yet"))
            network.go_on()
            await until(pilot, lambda: shows(app, "INC-1 is yours"))

    played(story)
    assert len(engine.log("incident.acknowledged")) == 1


def burst(app: GovApp, *keys: str) -> None:
    """Let keys come at once, as what is typed ahead of a slow line or pasted does."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))


def test_what_is_typed_ahead_goes_to_what_opens_and_to_nothing_else(
    engine: World, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with opened(engine, network) as (app, pilot):
            burst(app, "colon", *"quiet", "enter")
            await until(pilot, lambda: isinstance(app.screen, ModelScreen))
            assert isinstance(app.screen, ModelScreen)
            assert app.screen.model == "quiet"
            await pilot.press("escape")
            await held(pilot, network)
            burst(app, "K", *"can")  # on the list these are a note, an incident that is taken, and a run
            await until(pilot, lambda: shows(app, "the kill switch of loans: no answer yet"))
            assert isinstance(app.screen, FleetScreen), "it does not open now, and what was typed for it is forgotten"
            network.go_on()
            await until(pilot, lambda: isinstance(app.screen, SwitchModal))
            await pilot.press("escape")
            monkeypatch.setattr(asking, "SLOW", 60.0)
            await held(pilot, network)
            burst(app, "K", *"ca", "escape", "slash", *"quie", "enter")
            await pilot.pause(0.1)
            assert isinstance(app.screen, FleetScreen)
            network.go_on()
            await until(pilot, lambda: shows(app, "1 of 3 models"))
            assert isinstance(app.screen, FleetScreen), "the modal was opened, and left by escape"

    acts = len(engine.log("incident."))
    played(story)
    assert len(engine.log("incident.")) == acts


def test_a_lost_engine_is_told_soon_dims_what_is_seen_and_comes_back_by_itself(engine: World, network: Network) -> None:
    assert QUIET + LISTEN < 3, "the banner is there within three seconds"
    clock, elapsed = Clock(), Elapsed()

    async def story() -> None:
        async with opened(engine, network, quiet=QUIET, clock=clock, elapsed=elapsed) as (app, pilot):
            await held(pilot, network)
            elapsed.seconds += QUIET - 0.1
            await pilot.pause(2 * LISTEN)
            assert app.offline is None
            elapsed.seconds += 0.2
            await until(pilot, lambda: shows(app, "✗ offline", "the engine gives no sign of life", "Actions are off"))
            assert app.screen.query_one("#body").has_class("stale")
            assert not shows(app, "● live judged")
            age, judged = _age(app), _judged(app)
            clock.ahead += timedelta(seconds=100)
            await until(pilot, lambda: _age(app) - age >= 100 and _judged(app) - judged >= 100)
            for key in ("K", "a", "c", "R"):
                await pilot.press(key)
                assert isinstance(app.screen, FleetScreen), key
            asked = network.asked.count("POST ")
            clock.ahead = timedelta(0)
            network.go_on()
            await until(pilot, lambda: shows(app, "● live") and not shows(app, "Actions are off"))
            assert not app.screen.query_one("#body").has_class("stale")
            assert network.asked.count("POST ") == asked, "nothing was done late"

    played(story)


def test_events_go_on_where_they_broke(engine: World, network: Network) -> None:
    async def story() -> None:
        async with opened(engine, network) as (app, pilot):
            ana, incident = engine.client(), engine.incident()
            assert incident is not None
            await pilot.press("6")
            ana.answer(1, "note", {"text": "before"}, key="before")
            await until(pilot, lambda: shows(app, "before"))
            network.fault = "refuse"
            network.cut()
            await until(pilot, lambda: shows(app, "✗ offline", "Actions are off"))
            for word in ("one", "two", "three"):
                ana.answer(1, "note", {"text": f"meanwhile {word}"}, key=word)
            network.asked = ""
            network.go_on()
            await until(pilot, lambda: shows(app, "● live", "meanwhile one", "meanwhile two", "meanwhile three"))
            again = re.search(r"GET /v1/events .*?last-event-id: (\d+)", network.asked, re.DOTALL | re.IGNORECASE)
            assert again is not None, network.asked
            seqs = {each["body"]["text"]: each["seq"] for each in engine.log("incident.noted")}
            assert seqs["before"] <= int(again[1]) < seqs["meanwhile one"]

    played(story)


@pytest.mark.parametrize(("status", "said"), [(b"500 Oh", "answered 500 Oh"), (b"503 No", "answered 503 No")])
def test_an_engine_that_answers_with_an_error_counts_as_lost_until_it_answers(
    engine: World, network: Network, status: bytes, said: str
) -> None:
    async def story() -> None:
        async with opened(engine, network) as (app, pilot):
            network.corrupted = lambda part: part.replace(b"200 OK", status)
            network.fault = "corrupt"
            network.cut()
            await until(pilot, lambda: shows(app, "✗ offline", said, "Actions are off"))
            assert shows(app, "loans"), "what was known stays"
            await pilot.press("j", "slash", *"quie", "enter")
            assert shows(app, "1 of 3 models"), "keys that look go on"
            network.go_on()
            await pilot.press("r")
            await until(pilot, lambda: shows(app, "● live") and not shows(app, "Actions are off"))

    played(story)


def _age(app: GovApp) -> int:
    return _seconds(app, r"showing the state of (?:(\d+) m )?(\d+) s ago")


def _judged(app: GovApp) -> int:
    """How long ago the model under the cursor was judged, as the screen says."""
    return _seconds(app, r"judged .*?pass (?:(\d+) m )?(\d+) s ago")


def _seconds(app: GovApp, words: str) -> int:
    found = re.search(words, " ".join(screen(app).split()))
    assert found is not None, screen(app)
    return int(found[1] or 0) * 60 + int(found[2])
