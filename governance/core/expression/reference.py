"""What an expression asks of the metrics: which one, aggregated how, and which view of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

View = Literal["value", "samples", "age", "series"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A metric as an expression uses it; `aggregates` are (function, labels kept), the innermost first."""

    metric: str
    view: View = "value"
    aggregates: tuple[tuple[str, tuple[str, ...]], ...] = ()


class _Sentinel(Enum):
    MISSING = "missing"


MISSING: Final = _Sentinel.MISSING
"""Bind a reference to this when there is no value for it."""
