"""A line of words that can be clicked, each of which keeps its own colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.content import Content
from textual.events import Click
from textual.widgets import Static


class Word(NamedTuple):
    """What is written, and the action that a click on it runs, "" for none."""

    said: Content
    action: str = ""


class Line(Static):
    """Words with a gap between them."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (the framework's name)
        super().__init__(id=id)
        self._spans: list[tuple[int, int, str]] = []
        self._told: tuple[Content, str] | None = None

    def tell(self, words: Sequence[Word], gap: int = 2) -> None:
        """Draw these words, if they are others than before."""
        at, self._spans = 0, []
        for word in words:
            self._spans.append((at, at + word.said.cell_length, word.action))
            at += word.said.cell_length + gap
        said = Content(" " * gap).join([word.said for word in words])
        told = (said, said.markup)
        if self._told is None or told[1] != self._told[1]:
            self._told = told
            self.update(said, layout=False)  # one line stays one line

    @property
    def room(self) -> int:
        """How many cells there are for the words."""
        return self.content_size.width

    async def on_click(self, event: Click) -> None:
        """Do what was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for start, end, action in self._spans:
            if start <= offset.x < end and action:
                await self.run_action(action)


def width(words: Sequence[Word], gap: int = 2) -> int:
    """Return how many cells words take."""
    return sum(word.said.cell_length for word in words) + gap * max(len(words) - 1, 0)
