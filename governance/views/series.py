"""The last values of what a model is judged by, as charts show them."""

from __future__ import annotations

from datetime import datetime

from governance.views.view import View


class PointView(View):
    """A value and the instant that it speaks for."""

    at: datetime
    value: float


class SeriesView(View):
    """One input of a rule with its last values, oldest first.

    `limit` is the number that the rule compares it with, None where it is no plain number; `above`: it is wrong to be
    above it, else to be below. `failing` tells whether the rule fails now.
    """

    name: str
    labels: dict[str, str] = {}
    rule: str
    limit: float | None = None
    above: bool = True
    failing: bool = False
    points: list[PointView] = []
