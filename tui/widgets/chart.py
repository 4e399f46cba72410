"""A chart of four rows of blocks with its limit as a line: what is beyond the limit is red, and ends at `limit`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from governance.views.series import SeriesView
from tui.known import number, span

BLOCKS = " ▁▂▃▄▅▆▇█"
ROWS = 4
NEAR = 0.8
"""From this share of the limit a value is drawn as near to it."""
_SIDE = 7
"""Cells for the numbers on the left."""


def chart(series: SeriesView, width: int, rows: int = ROWS) -> list[str]:
    """Return a series as lines of markup: its last values, where there is no room for all."""
    room = max(width - _SIDE - 8, 8)
    values = [each.value for each in series.points][-room:]
    if not values:
        return []
    low, high = _scale(values, series.limit)
    levels = [round((each - low) / (high - low) * rows * 8) for each in values]
    line = rows - 1 - min(int((series.limit - low) / (high - low) * rows), rows - 1) if series.limit is not None else -1
    colours = [_colour(each, series) for each in values]
    found = [
        f"[$muted]{_side(row, line, low, high, series.limit, rows):>{_SIDE - 1}}[/] "
        + "".join(_cells(row, line, levels, colours, rows))
        + _right(row, line, rows, values[-1], colours[-1])
        for row in range(rows)
    ]
    first, last = series.points[-len(values)].at, series.points[-1].at
    ago = f"{span(first, last)} to {last:%H:%M:%S}Z" if len(values) > 1 else f"at {last:%H:%M:%S}Z"
    return [*found, f"{'':{_SIDE}}[$muted]{ago}[/]"]


def _scale(values: Sequence[float], limit: float | None) -> tuple[float, float]:
    """Return the least and the greatest value drawn: zero and the limit are always in it, with some air above."""
    known = [*values, 0.0, *([limit * 1.15] if limit is not None else [])]
    low, high = min(known), max(known)
    return (low, high) if high > low else (low, low + 1)


def _colour(value: float, series: SeriesView) -> str:
    if series.limit is None:
        return "$primary"
    beyond = value > series.limit if series.above else value < series.limit
    if beyond:
        return "$error"
    reach = value / series.limit if series.above and series.limit > 0 else series.limit / value if value > 0 else 0
    return "$warning" if reach >= NEAR else "$primary"


def _cells(row: int, line: int, levels: Sequence[int], colours: Sequence[str], rows: int) -> Iterator[str]:
    """Yield the cells of one row, those of one colour together; the limit is drawn where no bar reaches."""
    floor = (rows - 1 - row) * 8
    cells = [
        ("┈", "$error") if row == line and level <= floor else (BLOCKS[max(0, min(level - floor, 8))], colour)
        for level, colour in zip(levels, colours, strict=True)
    ]
    if row == rows - 1:  # a value is seen, however small
        cells = [("▁" if cell == " " else cell, colour) for cell, colour in cells]
    for colour, group in groupby(cells, key=lambda each: each[1]):
        yield f"[{colour}]{''.join(cell for cell, _ in group)}[/]"


def _side(row: int, line: int, low: float, high: float, limit: float | None, rows: int) -> str:
    if row == line and limit is not None:
        return number(limit)
    return number(high) if row == 0 else number(low) if row == rows - 1 else ""


def _right(row: int, line: int, rows: int, last: float, colour: str) -> str:
    if row == line:
        return " [$error]limit[/]"
    shown = 0 if line != 0 else rows - 1
    return f" [b {colour}]{number(last)}[/]" if row == shown else ""
