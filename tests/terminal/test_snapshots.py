"""Every screen as it was last looked at, in terminals of three sizes and four kinds; all of it can be read.

A change is told by the lines of the screen that changed. `make snapshots` draws all anew: look at what changed then.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from rich.color import ColorSystem
from terminal.drawing import LOOKS, STORED, drawn
from terminal.picture import VGA, XTERM, Line, Look, contrast, differences, picture, svg, words
from terminal.played import client_of
from terminal.stages import RESTS, STAGES, Clock, Seat, settled, wires
from textual import constants

from tui.app import GovApp

FRESH = Path(".snapshots")
"""Where a picture lies that is not as it was."""
NAMES = tuple(f"{stage.name}.{look}" for stage in STAGES for look in LOOKS)
MODAL = frozenset(
    "help goto palette pull pull-stopped pull-several restore form waive pick read-only refused pulled".split()  # noqa: SIM905
)
"""Stages with a box before the rest, which is dimmed: it cannot be acted on, and what is in the box counts."""
DIMMED = {"offline": 4.5}
"""What is old while the engine is not reached is dimmed, and still to be read."""
GRAPHIC = re.compile("[─-╿▀-▟ ]*")
"""Borders and bars: what they say is said in words and numbers beside them."""


@pytest.fixture(scope="module")
def pictures() -> Mapping[str, list[Line]]:
    """All screens in all terminals, by their names."""
    return drawn()


@pytest.mark.parametrize("name", NAMES)
def test_a_screen_is_as_it_was_looked_at(name: str, pictures: Mapping[str, list[Line]]) -> None:
    stored, now = STORED / f"{name}.svg", svg(pictures[name])
    before = stored.read_text(encoding="utf-8") if stored.exists() else ""
    if before != now:
        FRESH.mkdir(exist_ok=True)
        fresh = FRESH / stored.name
        fresh.write_text(now, encoding="utf-8")
        said = differences(before, now) if before else "it has not been looked at"
        pytest.fail(
            f"{name} changed:\n{said}\nnow: {fresh}\nbefore: {stored}\n`make snapshots` keeps it", pytrace=False
        )


@pytest.mark.parametrize("look", LOOKS)
def test_all_that_is_read_has_a_contrast_of_five(look: str, pictures: Mapping[str, list[Line]]) -> None:
    faint: dict[str, str] = {}
    for stage in STAGES:
        for text, seen in read_of(stage.name, pictures[f"{stage.name}.{look}"]):
            least = DIMMED.get(stage.name, 5.0)
            for color, ground in pairs(seen, look):
                if contrast(color, ground) < least:
                    faint.setdefault(
                        f"{color} on {ground}", f"{contrast(color, ground):.1f} {stage.name}: {text.strip()}"
                    )
    assert not faint, faint


def read_of(stage: str, lines: list[Line]) -> Iterator[tuple[str, Look]]:
    """Yield the texts of a picture that are read: of a screen with a box before it, those in the box."""
    box = box_of(lines) if stage in MODAL else (0, 0, 10_000, 10_000)
    for row, line in enumerate(lines):
        column = 0
        for text, look in line:
            inside = box[0] <= column <= box[2] and box[1] <= row <= box[3]
            if inside and not GRAPHIC.fullmatch(text):
                yield text, look
            column += len(text)


def box_of(lines: list[Line]) -> tuple[int, int, int, int]:
    """Return where the box of a modal screen is: left, top, right, bottom."""
    seen = words(lines)
    top, left = next((row, line.index("┏")) for row, line in enumerate(seen) if "┏" in line)
    bottom = max(row for row, line in enumerate(seen) if line[left : left + 1] == "┗")
    return left, top, seen[top].rindex("┓"), bottom


def pairs(seen: Look, look: str) -> Iterator[tuple[str, str]]:
    """Yield the colours of a text with its ground, also as other terminals of sixteen colours have them."""
    yield seen.color, seen.ground
    if look == "sixteen":
        names = {f"#{red:02x}{green:02x}{blue:02x}": index for index, (red, green, blue) in enumerate(VGA)}
        color, ground = (XTERM[names[each]] for each in (seen.color, seen.ground))
        yield "#{:02x}{:02x}{:02x}".format(*color), "#{:02x}{:02x}{:02x}".format(*ground)


def test_without_colours_what_is_critical_or_stopped_is_in_reverse_video(pictures: Mapping[str, list[Line]]) -> None:
    looks = {text.strip(): look for line in pictures["fleet.no-color"] for text, look in line if text.strip()}
    usual = next(look for text, look in looks.items() if text.startswith("credit-limit"))
    for said in ("▲ critical", "■ STOPPED", "▲ 2 critical", "■ 2 not live"):
        found = next(look for text, look in looks.items() if text.startswith(said))
        assert contrast(found.ground, usual.ground) >= 5, said
        assert contrast(found.color, usual.color) >= 5, said


@pytest.mark.parametrize("stage", ["fleet", "incidents", "approvals", "policies"])
def test_there_is_one_cursor(stage: str, pictures: Mapping[str, list[Line]]) -> None:
    assert sum(line.count("▌") for line in words(pictures[f"{stage}.120x40"])) == 1
    ground = next(look.ground for line in pictures[f"{stage}.120x40"] for text, look in line if text.startswith("▌"))
    assert sum(any(look.ground == ground for _, look in line) for line in pictures[f"{stage}.120x40"]) == 1


@pytest.mark.parametrize("look", ["sixteen", "no-color"])
def test_the_app_finds_out_which_terminal_it_is_in(
    look: str, pictures: Mapping[str, list[Line]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.beside.RESTS", RESTS)
    if look == "sixteen":
        monkeypatch.setattr(constants, "COLOR_SYSTEM", "standard")
    else:
        monkeypatch.setenv("NO_COLOR", "1")

    async def story() -> list[Line]:
        wire, clock = wires()("ana"), Clock()
        app = GovApp(client_of(wire), quiet=1e9, clock=clock.now)
        async with app.run_test(size=(120, 40)) as pilot:
            await settled(Seat(app, pilot, wire, clock), pause=0.2)
            return picture(app, ColorSystem.STANDARD if look == "sixteen" else ColorSystem.TRUECOLOR)

    turned, begun = svg(pictures[f"fleet.{look}"]), svg(asyncio.run(story()))
    assert turned == begun, differences(turned, begun)


@pytest.mark.parametrize("look", LOOKS)
def test_how_old_it_is_and_the_way_to_the_keys_are_never_left_out(
    look: str, pictures: Mapping[str, list[Line]]
) -> None:
    for stage in STAGES:
        if stage.name not in MODAL:
            seen = words(pictures[f"{stage.name}.{look}"])
            assert re.search(r"● live .*\d+ s|✗ offline \d+ m", seen[0]), (stage.name, seen[0])
            assert "? Help" in seen[-1], (stage.name, seen[-1])


def test_a_difference_names_the_line_and_what_is_seen() -> None:
    usual, bad = Look("#ffffff", "#000000"), Look("#ff0000", "#000000", "b")
    before = [(("one < two", usual),), (("  same", usual),)]
    said = differences(svg(before), svg([(("one > two", usual),), (("  same", bad),)]))
    assert "-one < two" in said
    assert "+one > two" in said
    assert "line 2 has other colours: same" in said
