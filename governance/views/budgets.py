"""What is left of the error budgets of a model's service level objectives."""

from __future__ import annotations

from datetime import datetime

from governance.views.series import PointView
from governance.views.view import View


class BurnView(View):
    """How many times faster than evenly a budget burns over `window`: at 1 it lasts exactly as long as it must."""

    window: str
    rate: float


class BudgetView(View):
    """One service level objective with its error budget, as rules judged it last.

    `left` is 1 untouched, 0 spent, negative overspent; None where nothing tells, with the reason in `why_not`. `at` is
    the instant of the newest event that it rests on, `judged_at` when that was judged. `lasts` is for how many seconds
    the rest lasts at the present burn. `counts` says what is good or bad: events or minutes. `failing` names the rules
    over this objective that fail now, `points` are the last values of `left`. `unwatched`: no rule looks at
    it; what is left is told all the same, but nobody is when it is spent.
    """

    slo: str
    objective: float
    window: str
    counts: str
    left: float | None = None
    at: datetime | None = None
    judged_at: datetime | None = None
    burns: list[BurnView] = []
    lasts: float | None = None
    failing: list[str] = []
    unwatched: bool = False
    why_not: str = ""
    points: list[PointView] = []
