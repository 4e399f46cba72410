"""An error budget over its window, drawn small: from all of it on the left to what is left now."""

from __future__ import annotations

from datetime import datetime

from governance.core.control import Budget

WIDTH, HEIGHT = 320, 96
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 8, 8, 20
_DEEPEST = -1.0
"""A budget that is overspent further than by itself is drawn at the bottom; its number stands beside the picture."""
_MANY = 8
"""From so many points on a curve is drawn without dots."""


def svg(budget: Budget, at: datetime) -> str:
    """Return the picture; colours come from the classes of the page."""
    lowest = min(0.0, *(max(left, _DEEPEST) for _, left in budget.curve))
    start = at - budget.window

    def place(time: datetime, left: float) -> tuple[float, float]:
        across = (time - start) / budget.window
        down = (1.0 - max(min(left, 1.0), lowest)) / (1.0 - lowest)
        x = _LEFT + across * (WIDTH - _LEFT - _RIGHT)
        return round(x, 1), round(_TOP + down * (HEIGHT - _TOP - _BOTTOM), 1)

    points = [place(time, left) for time, left in budget.curve]
    zero = place(at, 0.0)[1]
    line = " ".join(f"{x:g},{y:g}" for x, y in points)
    area = f"{points[0][0]:g},{zero:g} {line} {points[-1][0]:g},{zero:g}"
    dots = points if len(points) < _MANY else points[-1:]
    left = budget.left or 0.0
    tone = "bad" if left <= 0 else "good"
    return "".join(
        (
            f'<svg class="plot {tone}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" ',
            f'aria-label="Error budget left: {left:.0%}">',
            f'<polygon class="area" points="{area}"/>',
            _level(_TOP, "100 %"),
            _level(zero, "0 %"),
            f'<polyline class="line" points="{line}"/>',
            *(f'<circle class="dot" cx="{x:g}" cy="{y:g}" r="2.5"/>' for x, y in dots),
            f'<text x="{_LEFT}" y="{HEIGHT - 5}">{start:%Y-%m-%d}</text>',
            f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 5}" text-anchor="end">{at:%Y-%m-%d}</text>',
            "</svg>",
        )
    )


def _level(y: float, name: str) -> str:
    edge = WIDTH - _RIGHT
    return (
        f'<line class="level" x1="{_LEFT}" x2="{edge}" y1="{y:g}" y2="{y:g}"/>'
        f'<text x="{_LEFT - 5}" y="{y + 4:g}" text-anchor="end">{name}</text>'
    )
