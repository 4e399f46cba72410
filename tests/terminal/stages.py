"""Every screen of the app, and by which keys one comes to it; what plays them, and what makes the pictures of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from terminal.played import Played, client_of, recorded
from terminal.scene import ENDS
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from tui.app import GovApp
from tui.screens.fleet import FleetScreen

RESTS = 0.02
"""Seconds after which the cursor rests here: the pictures need not wait as people do."""
LOST = timedelta(minutes=2, seconds=14)
"""For how long the engine is not reached where it is not."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One screen: who looks, what they press; one key of several characters that is none is typed."""

    name: str
    keys: tuple[str, ...] = ()
    who: str = "ana"
    read_only: bool = False
    lost: bool = False
    after: bool = False
    """Whether it changes the engine: what is asked afterwards is recorded apart."""


STAGES = (
    Stage("fleet"),
    Stage("filter", ("j", "slash", "=tier:1 -severity:ok")),
    Stage("incidents", ("2", "j")),
    Stage("incident", ("j", "enter")),
    Stage("runbooks", ("3",)),
    Stage("run", ("3", "enter")),
    Stage("approvals", ("4", "j")),
    Stage("policies", ("5",)),
    Stage("log", ("6",)),
    Stage("entry", ("colon", "=#161", "enter")),
    Stage("on-call", ("7",)),
    Stage("model", ("j", "o")),
    Stage("help", ("question_mark",)),
    Stage("goto", ("colon", "=ra")),
    Stage("palette", ("ctrl+p", "=scorer")),
    Stage("pull", ("j", "K")),
    Stage("pull-stopped", ("j", "K", "down", "down", "down", "enter", *["tab"] * 4, "=fraud-sco")),
    Stage("pull-several", ("j", "space", "space", "space", "g", "j", "K")),
    Stage("restore", ("U",)),
    Stage("form", ("j", "e")),
    Stage("waive", ("j", "W")),
    Stage("pick", ("j", "b")),
    Stage("paused", ("p",)),
    Stage("offline", lost=True),
    Stage("read-only", ("j", "question_mark"), read_only=True),
    Stage("refused", ("j", "K"), who="vic"),
    Stage("pulled", ("j", "K", "ctrl+j"), after=True),
)


class Seat(NamedTuple):
    """Somebody before the app: what is asked goes through `wire`."""

    app: GovApp
    pilot: Pilot[Any]
    wire: Any
    clock: Clock


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.at = ENDS

    def now(self) -> datetime:
        """Return the same instant as before."""
        return self.at


_DRAW = Screen._compositor_refresh


class Curtain:
    """Nobody sees what is drawn between the pictures, and to draw it took half of the time."""

    down = True


def _refresh(screen: Screen[object]) -> None:
    if Curtain.down:
        screen._dirty_widgets.clear()
    else:
        _DRAW(screen)


async def each_stage(
    stages: Sequence[Stage],
    size: tuple[int, int],
    wire_of: Callable[[str], Any],
    seen: Callable[[Stage, Seat], Awaitable[object]],
) -> None:
    """Play stages in a terminal of a size, those of one person one after the other, and show each to `seen`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tui.asking.SLOW", 1e6)  # on a slow machine nothing is said of an answer that is late
        patch.setattr(Screen, "_compositor_refresh", _refresh)
        patch.setattr("tui.screens.beside.RESTS", RESTS)
        await _each_stage(stages, size, wire_of, seen)


async def _each_stage(
    stages: Sequence[Stage],
    size: tuple[int, int],
    wire_of: Callable[[str], Any],
    seen: Callable[[Stage, Seat], Awaitable[object]],
) -> None:
    groups: dict[tuple[str, bool, bool], list[Stage]] = {}
    for stage in stages:
        groups.setdefault((stage.who, stage.read_only, stage.after), []).append(stage)
    for (who, read_only, _), group in groups.items():
        wire, clock = wire_of(who), Clock()
        app = GovApp(client_of(wire), read_only=read_only, quiet=1e9, clock=clock.now, pause=lambda _: None)
        async with app.run_test(size=size) as pilot:
            seat = Seat(app, pilot, wire, clock)
            await settled(seat)
            for stage in group:
                await _enter(stage, seat)
                await seen(stage, seat)
                await _leave(stage, seat)


async def _enter(stage: Stage, seat: Seat) -> None:
    seat.wire.after = stage.after
    if stage.lost:
        seat.wire.lost = True
        while seat.app.offline is None:
            await seat.pilot.pause(0.05)
        seat.clock.at = ENDS + LOST
        seat.app.paint()
    for key in stage.keys:
        if key.startswith("="):
            field = seat.app.focused
            assert isinstance(field, Input), f"{stage.name}: nothing takes what is typed"
            field.value, field.cursor_position = key[1:], len(key) - 1
        else:
            await seat.pilot.press(key)
        await settled(seat)
    await settled(seat)


async def _leave(stage: Stage, seat: Seat) -> None:
    """Go back to where one began."""
    seat.wire.lost = seat.wire.after = False
    seat.clock.at = ENDS
    if stage.name == "paused":
        await seat.pilot.press("p")
    while seat.app.offline is not None:
        seat.app.feed.refresh()
        await seat.pilot.pause(0.05)
    while (
        len(seat.app.screen_stack) > 2
        or not isinstance(seat.app.screen, FleetScreen)
        or seat.app.screen.words
        or seat.app.screen.marked
    ):
        await seat.pilot.press("escape")
        await seat.pilot.pause()
    await seat.pilot.press("g")


async def settled(seat: Seat, looks: int = 2, pause: float = RESTS * 2) -> None:
    """Wait until the first picture is there, nothing is under way, and the cursor rests."""
    app, quiet, left = seat.app, 0, 1000
    while quiet < looks:
        await asyncio.sleep(pause)
        await seat.pilot.pause()
        busy = app.snapshot is None or any(each.group != "feed" and not each.is_finished for each in app.workers)
        busy = busy or getattr(app.frame, "waits", False)
        quiet, left = 0 if busy else quiet + 1, left - 1
        assert left, f"it does not come to rest: {[each.name for each in app.workers]}"
    for field in app.screen.query(Input):
        field.cursor_blink = False


def wires() -> Callable[[str], Played]:
    """Return what makes wires to the recorded engine."""
    answers = recorded()
    return lambda who: Played(who, answers)
