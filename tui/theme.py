"""Themes: night and day, each also of 256 colours; one of sixteen colours alone; one of greys alone, for NO_COLOR.

Each colour of text has at least 5:1 contrast on whatever it is drawn on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from textual.theme import Theme

OWN: Mapping[str, str] = {
    "muted": "$secondary", "row-cursor": "$panel", "dead": "$panel", "caution": "$panel",
    "critical": "$error", "critical-ground": "transparent", "hot": "$error",
}  # fmt: skip
"""Variables that only our themes have, with what themes of others have in their place.

`critical` is written on `critical-ground`, and a stopped switch on `dead`: without colours, in reverse video. `hot` is
a number beyond its limit.
"""


def _theme(name: str, *, dark: bool, border: str, muted: str, row_cursor: str, colors: str, **own: str) -> Theme:
    """Return a theme; `colors` are background, surface, panel, foreground, primary, secondary, accent and the three of
    warning, error, success."""
    names = ("background", "surface", "panel", "foreground", "primary", "secondary", "accent", "warning", "error",
             "success")  # fmt: skip
    each: dict[str, Any] = dict(zip(names, colors.split(), strict=True))
    variables = {
        "footer-key-foreground": each["primary"],
        "footer-background": each["surface"],
        "border": border,
        "border-blurred": border,
        "muted": muted,
        "row-cursor": row_cursor,
        "critical": each["error"],
        "critical-ground": "transparent",
        "hot": each["error"],
        "block-cursor-background": row_cursor,
        "block-cursor-foreground": each["foreground"],
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": row_cursor,
        "block-cursor-blurred-foreground": each["foreground"],
        "block-cursor-blurred-text-style": "none",
        "block-hover-background": row_cursor,
        "input-cursor-background": each["foreground"],
        "input-cursor-foreground": each["background"],
        "scrollbar": border,
        "scrollbar-hover": muted,
        "scrollbar-active": muted,
        "scrollbar-background": each["background"],
        "scrollbar-background-hover": each["background"],
        "scrollbar-background-active": each["background"],
        "scrollbar-corner-color": each["background"],
    }
    written = {name.replace("_", "-"): color for name, color in own.items()}
    return Theme(name=name, dark=dark, variables={**variables, **written}, **each)


NIGHT = _theme(
    "night", dark=True, border="#3B4261", muted="#949CC4", row_cursor="#1F2945", dead="#4A1D2E", caution="#2E2719",
    colors="#12141C #171A25 #1F2333 #C8D0E8 #7AA2F7 #9AA5CE #BB9AF7 #E0AF68 #F7768E #9ECE6A",
)  # fmt: skip
DAY = _theme(
    "day", dark=False, border="#C9CCC2", muted="#595F70", row_cursor="#DCE5FB", dead="#F6D5DB", caution="#F6EBCB",
    colors="#FAFAF7 #F0F0EA #E6E7E0 #1C2233 #2750B5 #444E72 #6E35B0 #7A4F00 #A81B36 #26682B",
)  # fmt: skip
NIGHT_256 = replace(NIGHT, name="night-256")
"""The night in a terminal of 256 colours, whose nearest are near enough; but what is old is not dimmed there."""
DAY_256 = _theme(
    "day-256", dark=False, border="#BCBCBC", muted="#585858", row_cursor="#D7FFFF", dead="#FFD7D7", caution="#FFFFD7",
    colors="#FFFFFF #F1F1F1 #E6E6E6 #1C1C1C #005FAF #444444 #5F00AF #5F5F00 #AF0000 #005F00",
)  # fmt: skip
"""Each colour is one of a terminal's 256: the nearest to those of the day are too light on its grounds."""
SIXTEEN = _theme(
    "sixteen", dark=True, border="#AAAAAA", muted="#AAAAAA", row_cursor="#0000AA", dead="#AA0000", caution="#000000",
    critical="#FFFFFF", critical_ground="#AA0000", hot="#FFFF55",
    colors="#000000 #000000 #0000AA #FFFFFF #55FFFF #AAAAAA #55FFFF #FFFF55 #FF5555 #55FF55",
)  # fmt: skip
"""Each colour is exactly one of a terminal's sixteen, so that none is mixed up with its neighbour."""
PLAIN = _theme(
    "plain", dark=True, border="#505050", muted="#A4A4A4", row_cursor="#2E2E2E", dead="#E6E6E6", caution="#242424",
    critical="#121212", critical_ground="#E6E6E6", hot="#FFFFFF",
    colors="#121212 #181818 #202020 #E6E6E6 #FFFFFF #B4B4B4 #E6E6E6 #E6E6E6 #FFFFFF #C4C4C4",
)  # fmt: skip
THEMES = (NIGHT, DAY, NIGHT_256, DAY_256, SIXTEEN, PLAIN)
FADE = frozenset({NIGHT.name, DAY.name, PLAIN.name})
"""Themes in which what is old can be dimmed: of few colours the next darker one cannot be read."""
TURNED: Mapping[str, str] = {
    one.name: other.name
    for night, day in ((NIGHT, DAY), (NIGHT_256, DAY_256))
    for one, other in ((night, day), (day, night))
}
"""Themes that are each other's night and day."""


def fitting(*, no_color: bool, system: str | None) -> Theme:
    """Return the theme that a terminal begins with; `system` is how many colours it has, as Rich names that."""
    if no_color:
        return PLAIN
    few = {"standard": SIXTEEN, "windows": SIXTEEN, "256": NIGHT_256}
    return few.get(system or "", NIGHT)
