"""The line at the foot: the keys that do something here, as many as there is room for; `?` and the palette always."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.content import Content

from tui.text import safe
from tui.widgets.line import Line, Word, width

LAST = ("app.help", "app.command_palette")
"""Acts that stay on the line however narrow it is."""


class Shown(NamedTuple):
    """A key as it is written, the action it runs, its word, and whether it does something now."""

    key: str
    action: str
    word: str
    live: bool


class KeyLine(Line):
    """Shows keys with their words; a click does what the key does."""

    def show(self, keys: Sequence[Shown]) -> None:
        """Draw these, what does something now before what does not."""
        last = [_word(each) for each in keys if each.action in LAST]
        first: list[Word] = []
        for each in sorted((each for each in keys if each.action not in LAST), key=lambda each: not each.live):
            if width([*first, _word(each), *last]) > self.room:
                break
            first.append(_word(each))
        self.tell([*first, *last])


def _word(key: Shown) -> Word:
    if not key.live:
        return Word(Content.from_markup(f"[$muted]{safe(key.key)} {key.word}[/]"))
    where = key.action if key.action.startswith("app.") else f"screen.{key.action}"
    return Word(Content.from_markup(f"[b $primary]{safe(key.key)}[/] {key.word}"), where)
