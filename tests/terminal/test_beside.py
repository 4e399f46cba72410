"""What is read of an incident beside the fleet: each part of it, and what is said where there is no room or nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from terminal.world import World, played, shows, until, world
from textual.content import Content

from tui.text import HANG, fact
from tui.widgets.told import Hanging

SIZE = (150, 44)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running engine with a critical incident."""
    made = world(tmp_path_factory.mktemp("beside") / "engine")
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
            said = "the filter hides all 3 models: escape clears it"
            await until(pilot, lambda: shows(app, said, "0 of 3 models"))
            assert not shows(app, "no model is governed here")
            await pilot.resize_terminal(80, 24)  # where there is no pane
            await until(pilot, lambda: shows(app, said))
            await pilot.press("escape")
            await until(pilot, lambda: shows(app, "loans", "worst first") and not shows(app, said))

    played(story)
