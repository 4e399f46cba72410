"""Draw every screen in every terminal: `make snapshots` keeps what is drawn now, to be looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.color import ColorSystem
from terminal.picture import Line, picture, svg
from terminal.stages import STAGES, Curtain, Seat, Stage, each_stage, settled, wires
from textual.command import CommandPalette
from textual.filter import Monochrome
from textual.widgets import Input

from tui.theme import fitting

STORED = Path(__file__).parent / "snapshots"
LOOKS = ("120x40", "day", "sixteen", "no-color", "80x24", "200x60")
"""Terminals: at night in all colours but where they say otherwise, and of 120 columns and 40 lines."""


def drawn() -> Mapping[str, list[Line]]:
    """Return all screens in all terminals by their names, such as `fleet.80x24`."""
    found: dict[str, list[Line]] = {}
    missing: set[str] = set()
    made = wires()

    def wire_of(who: str) -> Any:
        wire = made(who)
        wire.missing = missing
        return wire

    async def seen(stage: Stage, seat: Seat) -> None:
        for look in LOOKS:
            system = await turned(seat, look)
            found[f"{stage.name}.{look}"] = picture(seat.app, system)
        await turned(seat, LOOKS[0])

    asyncio.run(each_stage(STAGES, (120, 40), wire_of, seen))
    assert not missing, f"the app asks what is not recorded; `make recorded` does: {sorted(missing)}"
    return found


async def turned(seat: Seat, look: str) -> ColorSystem:
    """Turn a terminal into another, as if the app had begun in it, and return which colours that has."""
    app, sized = seat.app, look[0].isdigit()
    width, height = map(int, look.split("x")) if sized else (120, 40)
    system = ColorSystem.STANDARD if look == "sixteen" else ColorSystem.TRUECOLOR
    greys = look == "no-color"
    if app.no_color != greys:
        app.no_color = greys
        app._filters = [each for each in app._filters if not isinstance(each, Monochrome)] + [Monochrome()] * greys
    theme = look if look == "day" else fitting(no_color=greys, system=system.name.lower()).name
    if theme != app.theme:
        app.theme = theme
        if isinstance(app.screen, CommandPalette):  # the framework leaves it as it was, and what is found in it
            await seat.pilot.pause()
            app.stylesheet.update(app.screen)
            field = app.screen.query_one(Input)
            typed, field.value = field.value, ""
            await settled(seat, looks=1)
            field.value, field.cursor_position = typed, len(typed)
    if app.size != (width, height):
        await seat.pilot.resize_terminal(width, height)
    app.paint()
    Curtain.down = False
    app.screen.refresh()
    await settled(seat, looks=1)
    Curtain.down = True
    return system


def main() -> None:
    """Draw all, and keep it in the place of what was there."""
    STORED.mkdir(exist_ok=True)
    pictures = drawn()
    for old in STORED.glob("*.svg"):
        old.unlink()
    for name, lines in pictures.items():
        (STORED / f"{name}.svg").write_text(svg(lines), encoding="utf-8")
    print(f"{len(list(STORED.glob('*.svg')))} pictures in {STORED}: look at those that changed (git diff --stat)")


if __name__ == "__main__":
    main()
