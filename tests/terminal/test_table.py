"""The table by itself: where its cursor is when rows move, and that its border tells which part of all rows is seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from terminal.world import played
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.theme import DAY, NIGHT
from tui.widgets.columns import Column
from tui.widgets.framed import MARK
from tui.widgets.table import Table

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NAMES = tuple(f"model-{index:03}" for index in range(200))


class Names(Table[str]):
    """Rows that are names."""

    COLUMNS: ClassVar[tuple[Column, ...]] = (Column("NAME", 20), Column("", 10, grows=True))

    def name_of(self, row: str) -> str:
        """Return it."""
        return row

    def cells(self, row: str, at: datetime) -> list[tuple[str, str]]:
        """Return it, and its length."""
        del at
        return [(row, "strong"), (f"{len(row)} letters", "dim")]


class One(App[None]):
    """A table of names, and nothing else."""

    CSS = "Names { border: round $border; scrollbar-size-vertical: 0; } Names:focus { border: round $primary; }"

    def __init__(self, names: Sequence[str] = NAMES) -> None:
        super().__init__()
        self.names = names
        for theme in (NIGHT, DAY):
            self.register_theme(theme)
        self.theme = NIGHT.name

    def compose(self) -> ComposeResult:
        """Hold a table."""
        yield Names()

    def on_mount(self) -> None:
        """Show the names."""
        self.table.focus()
        self.table.show(self.names, NOW)

    @property
    def table(self) -> Names:
        """The table."""
        return self.query_one(Names)


def lines(table: Names) -> list[str]:
    return [line.text for line in table.render_lines(table.outer_size.region)]


def marked(table: Names) -> list[int]:
    return [y for y, line in enumerate(lines(table)) if line.endswith(MARK)]


def test_where_the_row_of_the_cursor_goes_out_of_sight_the_next_key_goes_on_where_it_was_seen() -> None:
    async def story() -> None:
        app = One()
        async with app.run_test(size=(60, 20)) as pilot:
            await pilot.press(*"jjjjj")
            for key, expected in (("j", "model-006"), ("k", "model-004")):
                app.table.show(NAMES, NOW)
                app.table.go(5)
                app.table.show([*NAMES[:5], *NAMES[6:], NAMES[5]], NOW)  # it is healthy now: the last of all
                await pilot.pause()
                assert app.table.selected == "model-005"  # what acts go to is what was looked at
                assert not [line for line in lines(app.table) if "▌" in line]
                assert app.table.strayed == "the row you were at is now line 200: enter opens it, j goes on here"
                await pilot.press(key)
                assert app.table.selected == expected
                assert [line for line in lines(app.table) if "▌" in line and expected in line]
                assert not app.table.strayed

    played(story)


def test_a_row_that_comes_back_into_sight_has_its_cursor_again() -> None:
    async def story() -> None:
        app = One()
        async with app.run_test(size=(60, 20)) as pilot:
            await pilot.press("j", "j")
            app.table.show([*NAMES[:2], *NAMES[3:], NAMES[2]], NOW)
            assert app.table.strayed
            app.table.show(NAMES, NOW)
            assert not app.table.strayed
            await pilot.press("j")
            assert app.table.selected == "model-003"

    played(story)


def test_the_border_tells_which_part_of_the_rows_is_seen() -> None:
    async def story() -> None:
        app = One()
        async with app.run_test(size=(60, 22)) as pilot:  # 19 rows of 200
            assert marked(app.table) == [2]
            await pilot.press("G")
            assert marked(app.table) == [20]
            app.table.show(NAMES[:19], NOW)  # all of them
            await pilot.pause()
            assert marked(app.table) == []

    played(story)


def test_the_border_is_pulled_by_the_mouse_and_the_cursor_stays() -> None:
    async def story() -> None:
        app = One()
        async with app.run_test(size=(60, 22)) as pilot:
            await pilot.mouse_down(offset=(59, 2))
            await pilot.hover(offset=(59, 11))
            await pilot.pause()
            assert marked(app.table) == [11]
            await pilot.hover(offset=(40, 20))  # the hand need not be steady
            await pilot.pause()
            assert "model-199" in lines(app.table)[-2]
            await pilot.mouse_up(offset=(40, 20))
            await pilot.hover(offset=(40, 3))
            await pilot.pause()
            assert "model-199" in lines(app.table)[-2]
            assert app.table.selected == "model-000"
            await pilot.click(offset=(5, 20))
            assert app.table.selected == "model-199"

    played(story)


def by_framework(table: Names) -> list[Strip]:
    """Return the lines as the framework draws and frames them, all anew."""
    return ScrollView.render_lines(table, table.outer_size.region)


def test_lines_are_as_the_framework_draws_them_whatever_was_kept() -> None:
    async def story() -> None:
        app = One(NAMES[:40])
        async with app.run_test(size=(60, 22)) as pilot:

            def same() -> None:
                whole = Region(0, 0, app.table.outer_size.width - 1, app.table.outer_size.height)
                ours = [
                    line.crop(0, whole.width).simplify() for line in app.table.render_lines(app.table.outer_size.region)
                ]
                app.table.refresh()
                theirs = [line.crop(0, whole.width).simplify() for line in by_framework(app.table)]
                assert ours == theirs

            same()
            for keys in ("jjj", "G", "kkk", "g"):
                await pilot.press(*keys)
                same()
            app.theme = DAY.name
            await pilot.pause()
            same()
            app.set_focus(None)
            await pilot.pause()
            same()
            app.table.styles.border = ("heavy", "red")
            await pilot.pause()
            same()
            app.table.show([f"{name}!" for name in NAMES[:40]], NOW)
            await pilot.pause()
            same()
            app.table.styles.opacity = 0.9
            await pilot.pause()
            same()
            await pilot.resize_terminal(50, 12)
            await pilot.pause()
            same()

    played(story)
