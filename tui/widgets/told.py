"""Text that is drawn anew each second: the screen is laid out anew only where it has another height."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

from textual.content import Content
from textual.css.styles import RulesMap
from textual.selection import Selection
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual
from textual.widgets import Static

from tui.text import HANG

_MARK = re.compile(r"\s*(?:[^\w\s\"'({\[<&|=!]\s+)?")
"""What a line begins with: blanks, and one glyph such as ✓, under which its further lines do not begin."""
_LEAST = 16
"""Cells that a line has beside what it hangs on; where there are fewer, it does not hang."""


class Hanging(Visual):
    """Lines of text, the further lines of each of which begin below its words, not below its glyph or its name."""

    def __init__(self, said: Content | Sequence[str]) -> None:
        """Hold a text, or lines of markup none of which goes on in the next."""
        self._lines = said.split("\n", allow_blank=True) if isinstance(said, Content) else said
        self._fitted: tuple[int, Content] = (-1, Content())

    def fitted(self, width: int) -> Content:
        """Return the text broken into lines of a width."""
        if self._fitted[0] != width:
            lines = (laid_out(each, width) if isinstance(each, str) else hung(each, width) for each in self._lines)
            self._fitted = width, Content("\n").join(chain.from_iterable(lines))
        return self._fitted[1]

    def height(self, width: int) -> int:
        """Return how many lines there are in a width."""
        return self.fitted(width).plain.count("\n") + 1

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        """Draw it."""
        return self.fitted(width).render_strips(width, height, style, options)

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:
        """Return all the width there is."""
        del rules
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:
        """Return how many lines there are in a width."""
        del rules
        return self.height(max(width, 1))


@lru_cache(maxsize=2048)
def laid_out(line: str, width: int) -> list[Content]:
    """Return a line of markup as lines of a width; from one second to the next most lines stay what they are."""
    return hung(Content.from_markup(line), width)


def hung(line: Content, width: int) -> list[Content]:
    """Return a line as lines of a width; all but the first begin where its words do: at `HANG`, or after its glyph."""
    mark = line.plain.find(HANG)
    if mark >= 0:
        line = line[:mark] + line[mark + 1 :]
    if line.cell_length <= width:
        return [line]
    found = _MARK.match(line.plain)
    begin = mark if mark >= 0 else found.end() if found is not None else 0
    first, rest = line[:begin], line[begin:]
    hang = first.cell_length
    if width - hang < _LEAST:
        return line.wrap(width)
    more = rest.wrap(width - hang)
    return [first + more[0], *(Content(" " * hang) + each for each in more[1:])]


class Told(Static):
    """A text of many lines."""

    def __init__(self, *, id: str | None = None, fills: bool = False) -> None:  # noqa: A002 (the framework's name)
        """Be as high as the text is; where it `fills` what it is in, no text has it laid out anew."""
        super().__init__(id=id)
        self._fills = fills
        self._shape: tuple[int, int] = (0, 0)
        self._markup: str | Sequence[str] | None = None
        self._hanging = Hanging(Content())

    def tell(self, markup: str | Sequence[str]) -> None:
        """Draw this markup, if it is another than before; of lines by themselves each is parsed once."""
        if markup == self._markup:
            return
        said = Content.from_markup(markup) if isinstance(markup, str) else markup
        self._markup, self._hanging = markup, Hanging(said)
        width = self.size.width
        shape = (width, 0 if self._fills or not width else self._hanging.height(width))
        self.update(self._hanging, layout=not width or shape != self._shape)  # without one it is not laid out yet
        self._shape = shape

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what was marked with the mouse."""
        return selection.extract(self._hanging.fitted(self.size.width or 1).plain), "\n"
