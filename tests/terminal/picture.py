"""A screen as a picture: what stands in each cell in which colours, as a small SVG with one line for each line of it.

The SVG that the framework exports has a window around it, a font from the network and names made by chance, at ten
times the weight; ours is the same whenever the screen is, and a change of it can be read.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import Any

from rich.cells import cell_len
from rich.color import Color, ColorSystem
from rich.segment import Segment
from rich.terminal_theme import TerminalTheme

WIDTH, HEIGHT = 8, 17
"""Pixels of a cell."""
XTERM = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
    (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255),
    (255, 255, 255),
)  # fmt: skip
"""The sixteen colours as xterm has them, source: XTerm-col.ad."""
VGA = (
    (0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170),
    (85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85), (85, 85, 255), (255, 85, 255), (85, 255, 255),
    (255, 255, 255),
)  # fmt: skip
"""The sixteen colours as the text mode of the VGA had them, and the console of Linux has."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a text is drawn; reverse is carried out, so that the colours are those that are seen."""

    color: str
    ground: str
    marks: str = ""
    """b bold, i italic, u underlined, s struck, d dim."""


Line = tuple[tuple[str, Look], ...]


def picture(app: Any, system: ColorSystem = ColorSystem.TRUECOLOR, palette: Sequence[Any] = VGA) -> list[Line]:
    """Return the lines of the screen as a terminal with such colours shows them."""
    seen = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    theme = TerminalTheme(palette[0], palette[7], list(palette[:8]), list(palette[8:]))
    return [tuple(_joined(_look(each, system, theme) for strip in line for each in strip)) for line in seen.strips]


def _look(segment: Segment, system: ColorSystem, theme: TerminalTheme) -> tuple[str, Look]:
    style = segment.style
    if style is None:
        return segment.text, Look("#000000", "#000000")
    color, ground = (_hex(each, system, theme, fore) for each, fore in ((style.color, True), (style.bgcolor, False)))
    if style.reverse:
        color, ground = ground, color
    marks = {"b": style.bold, "i": style.italic, "u": style.underline, "s": style.strike, "d": style.dim}
    return segment.text, Look(color, ground, "".join(mark for mark, on in marks.items() if on))


def _hex(color: Color | None, system: ColorSystem, theme: TerminalTheme, fore: bool) -> str:
    found = (color or Color.default()).downgrade(system)
    return found.get_truecolor(theme, foreground=fore).hex


def _joined(parts: Iterable[tuple[str, Look]]) -> Iterator[tuple[str, Look]]:
    """Yield texts of one look together; of blanks only the ground is seen, so that they go with what stands before."""
    text, look = "", None
    for more, other in parts:
        alike = (
            look is not None
            and other.ground == look.ground
            and not more.strip()
            and "u" not in other.marks + look.marks
        )
        if look is not None and (other == look or alike):
            text += more
        else:
            if look is not None:
                yield text, look
            text, look = more, other
    if look is not None:
        yield text, look


def words(lines: Sequence[Line]) -> list[str]:
    """Return the text of a picture, line by line."""
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def svg(lines: Sequence[Line]) -> str:
    """Return a picture as SVG, a line for each line of the screen."""
    columns = max(sum(cell_len(text) for text, _ in line) for line in lines)
    ground, color = _usual(lines)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns * WIDTH} {len(lines) * HEIGHT}" '
        'font-family="DejaVu Sans Mono,monospace" font-size="13.29" xml:space="preserve">\n'
        "<style>.b{font-weight:bold}.i{font-style:italic}.u{text-decoration:underline}.s{text-decoration:line-through}"
        f'.d{{opacity:.6}}</style>\n<rect width="100%" height="100%" fill="{ground}"/>\n<g fill="{color}">\n'
    )
    drawn = "".join(f"{_drawn(line, row, ground, color)}\n" for row, line in enumerate(lines))
    return f"{head}{drawn}</g></svg>\n"


def _usual(lines: Sequence[Line]) -> tuple[str, str]:
    """Return the ground and the colour that most cells have."""
    grounds: Counter[str] = Counter()
    colors: Counter[str] = Counter()
    for line in lines:
        for text, look in line:
            grounds[look.ground] += len(text)
            colors[look.color] += len(text.replace(" ", ""))
    return grounds.most_common(1)[0][0], colors.most_common(1)[0][0]


def _drawn(line: Line, row: int, ground: str, color: str) -> str:
    boxes, spans, column = [], [], 0
    for text, look in line:
        cells = cell_len(text)
        if look.ground != ground:
            boxes.append(_box(column, row, cells, look.ground))
        written = text.strip(" ")
        if written:
            before = len(text) - len(text.lstrip(" "))
            fill = f' fill="{look.color}"' if look.color != color else ""
            marks = f' class="{" ".join(look.marks)}"' if look.marks else ""
            spans.append(f'<tspan x="{(column + before) * WIDTH}"{fill}{marks}>{escape(written, quote=False)}</tspan>')
        column += cells
    return f'{"".join(boxes)}<text y="{row * HEIGHT + 13}">{"".join(spans)}</text>'


def _box(column: int, row: int, cells: int, ground: str) -> str:
    return f'<path fill="{ground}" d="M{column * WIDTH} {row * HEIGHT}h{cells * WIDTH}v{HEIGHT}h-{cells * WIDTH}"/>'


_SPAN = re.compile(r'<tspan x="(\d+)"[^>]*>([^<]*)</tspan>')
_TEXT = re.compile(r"<text [^>]*>(.*)</text>")


def read(drawn: str) -> list[str]:
    """Return the text of an SVG of ours, line by line."""
    found = []
    for body in _TEXT.findall(drawn):
        line = ""
        for x, text in _SPAN.findall(body):
            line += " " * (int(x) // WIDTH - cell_len(line)) + unescape(text)
        found.append(line)
    return found


def differences(before: str, after: str) -> str:
    """Return what has changed between two SVGs: the lines of the screen, and where only colours did, which."""
    old, new = read(before), read(after)
    changed = list(difflib.unified_diff(old, new, "stored", "drawn now", lineterm="", n=1))
    rows = (
        [each for each in before.splitlines() if "<text" in each],
        [each for each in after.splitlines() if "<text" in each],
    )
    for index, (one, other) in enumerate(zip(*rows, strict=False)):
        if one != other and index < min(len(old), len(new)) and old[index] == new[index]:
            changed.append(f"line {index + 1} has other colours: {new[index].strip()}")
            changed += [f"    {mark} {each}" for mark, each in _told(one, other)]
    if not changed:
        changed.append("the size, or the usual colours")
    return "\n".join(changed)


def _told(one: str, other: str) -> Iterator[tuple[str, str]]:
    parts = [re.findall(r"<(?:tspan|path) [^>]*>[^<]*", each) for each in (one, other)]
    for mark, these, those in (("-", *parts), ("+", *parts[::-1])):
        yield from ((mark, re.sub(r"</?|tspan ", "", each)) for each in these if each not in those)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21, source: WCAG 2.2, relative luminance."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
