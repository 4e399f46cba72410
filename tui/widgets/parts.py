"""What is told in parts: as many as there is room for, the most important first; what is left out is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tui.text import MORE
from tui.widgets.told import laid_out

_ENOUGH = 6
"""Lines of the least important part that are worth more than blank lines between the others."""


@dataclass(frozen=True, slots=True)
class Part:
    """Lines about one thing; `rank` is how important it is, 0 the most.

    Where there is no room for all of them, at least `least` are shown, or else it is left out. None: it is not cut.
    """

    name: str
    rank: int
    lines: Sequence[str]
    least: int | None = None


def fitted(parts: Sequence[Part], width: int, height: int) -> list[str]:
    """Return the lines of as many parts as there is room for, in their order, with a blank line between where it is."""
    told = [each for each in parts if each.lines]
    heights = {each.name: [_height(line, width) for line in each.lines] for each in told}
    gaps = len(told) - 1
    if sum(map(sum, heights.values())) + gaps <= height:
        return "\n\n".join("\n".join(each.lines) for each in told).split("\n")
    bare = {each.name: Part(each.name, each.rank, [line for line in each.lines if line], each.least) for each in told}
    told = list(bare.values())
    heights = {each.name: [_height(line, width) for line in each.lines] for each in told}
    apart = _shared(told, heights, height - gaps)
    if len(apart) == len(told) and _whole_but_last(told, heights, apart):
        return "\n\n".join("\n".join(_cut(each, heights[each.name], apart[each.name])) for each in told).split("\n")
    given = _shared(told, heights, height)
    missing = [each.name for each in told if each.name not in given]
    if missing:
        given = _shared(told, heights, height - 1)
        missing = [each.name for each in told if each.name not in given]
    lines = [line for each in told if each.name in given for line in _cut(each, heights[each.name], given[each.name])]
    return [*lines, *([f"[$muted]… {', '.join(missing)} ({MORE})[/]"] if missing else [])]


def _whole_but_last(parts: Sequence[Part], heights: Mapping[str, list[int]], given: Mapping[str, int]) -> bool:
    """Tell whether only the least important part is cut, and enough of it is left."""
    last = max(parts, key=lambda each: each.rank)
    return given[last.name] >= _ENOUGH and all(
        given[each.name] == sum(heights[each.name]) for each in parts if each is not last
    )


def _height(line: str, width: int) -> int:
    return len(laid_out(line, max(width, 1)))


def _shared(parts: Sequence[Part], heights: Mapping[str, list[int]], height: int) -> dict[str, int]:
    """Return how many rows each part has: first what it needs at least, by rank, then as much more as there is."""
    given: dict[str, int] = {}
    ranked = sorted(parts, key=lambda each: each.rank)
    for each in ranked:
        rows = heights[each.name]
        needs = sum(rows) if each.least is None or len(rows) <= each.least else sum(rows[: each.least]) + 1
        if needs <= height or each.rank == 0:
            given[each.name], height = needs, height - needs
    for each in ranked:
        if each.name in given:
            more = min(sum(heights[each.name]) - given[each.name], max(height, 0))
            given[each.name], height = given[each.name] + more, height - more
    return given


def _cut(part: Part, rows: Sequence[int], room: int) -> Iterator[str]:
    """Yield the lines of a part for which there is room, and how many more there are."""
    if sum(rows) <= room:
        yield from part.lines
        return
    used = 0
    for index, (line, row) in enumerate(zip(part.lines, rows, strict=True)):
        if used + row > room - 1:
            left = len(part.lines) - index
            yield f"[$muted]… {left} more ({MORE})[/]"
            return
        used += row
        yield line
