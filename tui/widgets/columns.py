"""The columns of a table: which there is room for, how wide each is, and a text in exactly that width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

YIELDS = 6
"""Cells by which columns of long texts give way before a column is left out."""


class Column(NamedTuple):
    """One column: its head, its width in cells, to which side it leans.

    With `most` it is as wide as its longest text, up to that; one that `grows` takes all the room that is left.
    """

    name: str
    width: int
    side: Literal["<", ">"] = "<"
    most: int = 0
    grows: bool = False


def fitting(
    width: int, columns: Sequence[Column], dropped: Sequence[int], longest: dict[int, int]
) -> list[tuple[int, Column]]:
    """Return the columns that there is room for, with their widths."""
    shown = {
        index: each._replace(width=max(each.width, min(longest.get(index, 0), each.most))) if each.most else each
        for index, each in enumerate(columns)
    }
    for index in dropped:
        slack = sum(each.width - columns[place].width for place, each in shown.items())
        if _taken(shown) <= width + min(slack, YIELDS):
            break
        del shown[index]
    for index in sorted(shown, key=lambda each: shown[each].width, reverse=True):  # long texts give way first
        least, over = columns[index].width, _taken(shown) - width
        if over > 0 and shown[index].most:
            shown[index] = shown[index]._replace(width=max(least, shown[index].width - over))
    left = width - _taken(shown)
    return [
        (index, each._replace(width=each.width + max(left, 0)) if each.grows else each) for index, each in shown.items()
    ]


def _taken(shown: dict[int, Column]) -> int:
    return 1 + sum(each.width + 1 for each in shown.values())


def width_of(text: str) -> int:
    """Return how many cells a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def cell(text: str, column: Column) -> str:
    """Return a text in exactly the width of its column; what is cut ends in an ellipsis."""
    text = text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
    length = width_of(text)
    if length > column.width:
        return set_cell_size(text, column.width - 1) + "…"
    pad = " " * (column.width - length)
    return pad + text if column.side == ">" else text + pad
