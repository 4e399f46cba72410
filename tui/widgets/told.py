"""Text that is drawn anew each second: the screen is laid out anew only where its lines have another height."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Told(Static):
    """A text of many lines."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (the framework's name)
        super().__init__(id=id)
        self._shape: tuple[int, ...] = ()
        self._markup: str | None = None

    def tell(self, markup: str) -> None:
        """Draw this markup, if it is another than before."""
        if markup == self._markup:
            return
        self._markup = markup
        said = Content.from_markup(markup)
        width = self.size.width or 1
        shape = (width, *(max(-(-line.cell_length // width), 1) for line in said.split("\n", allow_blank=True)))
        long = any(each > 1 for each in shape[1:])  # how words break in a line is not known beforehand
        self.update(said, layout=long or shape != self._shape)
        self._shape = shape
