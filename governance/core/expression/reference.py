"""What an expression asks of the metrics: which one, aggregated how, and which view of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Final, Literal

from governance.core.duration import format_duration

View = Literal["value", "samples", "age", "series"]
Stretch = Literal[
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "stddev_over_time",
    "quantile_over_time",
    "offset",
    "slope",
    "change",
]


@dataclass(frozen=True, slots=True)
class Over:
    """A stretch of a metric's past and what is computed over it; `q` is the quantile of quantile_over_time."""

    function: Stretch
    window: timedelta
    q: float | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What is asked of an SLO; `slo` is "" for the item of a for_each over card.slos.

    `window` is set for burn_rate only; with `per` it scales with the SLO's own window: '1h per 30d' is 56 minutes for
    an SLO over 28 days.
    """

    function: Literal["burn_rate", "budget_left", "time_to_exhaustion"]
    slo: str = ""
    window: timedelta | None = None
    per: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A metric as an expression uses it; `aggregates` are (function, labels kept), the innermost first.

    `over` looks back at the aggregated metric's past. With `budget` it is an SLO that is asked, and `metric` is "".
    Its hash is kept, as every evaluation looks its references up.
    """

    metric: str
    view: View = "value"
    aggregates: tuple[tuple[str, tuple[str, ...]], ...] = ()
    over: Over | None = None
    budget: Budget | None = None
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = hash((self.metric, self.view, self.aggregates, self.over, self.budget))
        object.__setattr__(self, "_hash", found)

    def __hash__(self) -> int:
        return self._hash

    @property
    def text(self) -> str:
        """The reference as its author would write it, such as change(avg(metrics.approvals), '7d')."""
        if self.budget is not None:
            return _asked(self.budget)
        text = _member("metrics", self.metric)
        for function, kept in self.aggregates:
            text = f"{function}({text}, {list(kept)!r})" if kept else f"{function}({text})"
        if self.over is not None:
            text = _looked_back(self.over, text)
        return text if self.view == "value" else f"{self.view}({text})"


def _asked(budget: Budget) -> str:
    slo = _member("slos", budget.slo) if budget.slo else "slo"
    if budget.window is None:
        return f"{budget.function}({slo})"
    per = f" per {format_duration(budget.per)}" if budget.per else ""
    return f"{budget.function}({slo}, '{format_duration(budget.window)}{per}')"


def _looked_back(over: Over, text: str) -> str:
    quantile = "" if over.q is None else f"{str(over.q).removesuffix('.0')}, "
    return f"{over.function}({quantile}{text}, '{format_duration(over.window)}')"


def _member(of: str, name: str) -> str:
    return f"{of}.{name}" if name.isidentifier() else f"{of}[{name!r}]"


class _Sentinel(Enum):
    MISSING = "missing"


MISSING: Final = _Sentinel.MISSING
"""Bind a reference to this when there is no value for it."""
