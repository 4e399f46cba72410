"""Two themes, night and day; each colour of text has at least 5:1 contrast on its background."""

from __future__ import annotations

from textual.theme import Theme

NIGHT = Theme(
    name="night",
    primary="#7AA2F7",
    secondary="#9AA5CE",
    accent="#BB9AF7",
    warning="#E0AF68",
    error="#F7768E",
    success="#9ECE6A",
    foreground="#C8D0E8",
    background="#12141C",
    surface="#171A25",
    panel="#1F2333",
    dark=True,
    variables={
        "footer-key-foreground": "#7AA2F7",
        "footer-background": "#171A25",
        "border": "#3B4261",
        "border-blurred": "#3B4261",
        "muted": "#949CC4",
        "row-cursor": "#1F2945",
        "dead": "#4A1D2E",
        "caution": "#2E2719",
    },
)
DAY = Theme(
    name="day",
    primary="#2750B5",
    secondary="#444E72",
    accent="#6E35B0",
    warning="#7A4F00",
    error="#A81B36",
    success="#26682B",
    foreground="#1C2233",
    background="#FAFAF7",
    surface="#F0F0EA",
    panel="#E6E7E0",
    dark=False,
    variables={
        "footer-key-foreground": "#2750B5",
        "footer-background": "#F0F0EA",
        "border": "#C9CCC2",
        "border-blurred": "#C9CCC2",
        "muted": "#595F70",
        "row-cursor": "#DCE5FB",
        "dead": "#F6D5DB",
        "caution": "#F6EBCB",
    },
)
OWN = ("muted", "row-cursor", "dead", "caution")
"""Variables that only our themes have; other themes need a value for them too."""
