"""The picture of a metric with its limit: a few large marks on a light ground, to be read on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from governance.engine.parts import Engine
from governance.engine.worst_metric import Limit, limit_of
from governance.views import IncidentView

LEAST = 5
"""Values of which fewer say no more than words."""
_SIZE = (1200, 630)
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 230, 110, 90
_GROUND, _INK, _MUTED, _LINE, _WRONG = "#ffffff", "#1a1a1a", "#5a5f66", "#1f5fa8", "#c2261e"


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one metric with their times, the oldest first, and the limit that a rule sets it."""

    name: str
    points: tuple[tuple[datetime, float], ...]
    limit: Limit

    @property
    def words(self) -> str:
        """What the picture shows, for who cannot see it."""
        first, last = self.points[0], self.points[-1]
        side = "above" if self.limit.above else "below"
        began, ended = (f"{_number(value)} at {_clock(at)}" for at, value in (first, last))
        return f"{self.name} from {began} to {ended} UTC; it is wrong {side} {_number(self.limit.value)}"


def series_of(engine: Engine, incident: IncidentView) -> Series | None:
    """Return the metric that an incident is about, None where a picture would say no more than words."""
    policy = engine.plan.by_model.get(incident.model)
    worst = next((each for each in incident.findings if each.ended is None and each.kind == "condition"), None)
    if policy is None or worst is None:
        return None
    for verdict in engine.latest.of(incident.model):
        if verdict.rule != worst.rule or dict(verdict.labels) != worst.labels:
            continue
        for each in verdict.inputs:
            limit = limit_of(policy, verdict.rule, each.name)
            points = engine.latest.timed(incident.model, each.name, verdict.labels)
            if limit is not None and len(points) >= LEAST:
                labels = (
                    f" {{{', '.join(f'{name}={value}' for name, value in verdict.labels)}}}" if verdict.labels else ""
                )
                return Series(f"{each.name.removeprefix('metrics.')}{labels}", tuple(points), limit)
    return None


def picture(series: Series) -> bytes:
    """Return the picture as PNG."""
    image = Image.new("RGB", _SIZE, _GROUND)
    draw = ImageDraw.Draw(image)
    large, small = ImageFont.load_default(44), ImageFont.load_default(32)
    heights = _heights([value for _, value in series.points], series.limit.value)
    across = _across([at for at, _ in series.points])
    marks = [(across(at.timestamp()), heights(value)) for at, value in series.points]
    border = heights(series.limit.value)
    right = _SIZE[0] - _RIGHT
    draw.line(marks, fill=_LINE, width=6, joint="curve")
    _dashes(draw, border, right)
    last = series.points[-1][1]
    x, y = marks[-1]
    colour = _WRONG if (last > series.limit.value) == series.limit.above else _LINE
    draw.ellipse((x - 12, y - 12, x + 12, y + 12), fill=colour)
    apart = y if abs(y - border) > 50 else border + (50 if y >= border else -50)
    draw.text((right + 24, apart), _number(last), fill=colour, font=large, anchor="lm")
    draw.text((right + 24, border), f"limit {_number(series.limit.value)}", fill=_INK, font=small, anchor="lm")
    draw.text((_LEFT, 50), _shortened(series.name), fill=_INK, font=large, anchor="lm")
    foot = _SIZE[1] - 40
    draw.text((_LEFT, foot), _clock(series.points[0][0]), fill=_MUTED, font=small, anchor="lm")
    draw.text((right, foot), f"{_clock(series.points[-1][0])} UTC", fill=_MUTED, font=small, anchor="rm")
    made = BytesIO()
    image.save(made, "PNG", optimize=True)
    return made.getvalue()


class _Scale:
    """Maps values between two ends to pixels between two others."""

    def __init__(self, ends: tuple[float, float], pixels: tuple[float, float]) -> None:
        self._low, self._span = ends[0], (ends[1] - ends[0]) or 1.0
        self._from, self._over = pixels[0], pixels[1] - pixels[0]

    def __call__(self, value: float) -> float:
        return self._from + self._over * (value - self._low) / self._span


def _heights(values: Sequence[float], limit: float) -> _Scale:
    low, high = min(*values, limit), max(*values, limit)
    room = (high - low) * 0.1 or abs(high) * 0.1 or 1.0
    return _Scale((low - room, high + room), (_SIZE[1] - _BOTTOM, _TOP))


def _across(times: Sequence[datetime]) -> _Scale:
    return _Scale((times[0].timestamp(), times[-1].timestamp()), (_LEFT, _SIZE[0] - _RIGHT))


def _dashes(draw: ImageDraw.ImageDraw, height: float, right: int) -> None:
    for start in range(_LEFT, right, 30):
        draw.line((start, height, min(start + 18, right), height), fill=_WRONG, width=4)


def _number(value: float) -> str:
    return f"{value:.4g}"


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M}"


def _shortened(name: str) -> str:
    shown = "".join(each if each.isprintable() else "?" for each in name)
    return shown if len(shown) <= 45 else f"{shown[:44]}…"
