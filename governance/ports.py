"""Protocols that plug-ins and the outside world implement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from governance.core.effect import Effect, Receipt
from governance.core.metric import Answer, Query


class Clock(Protocol):
    """Where the time comes from; nothing else in the engine reads a clock."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""
        ...


class MetricSource(Protocol):
    """A system that answers metric queries for the past and the present."""

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query as of `at`; nothing known only later may enter. A failure is an Answer with `failure`."""
        ...


class Action(Protocol):
    """A way to act on the world; the same effect key must act once, however often it is asked."""

    def perform(self, effect: Effect) -> Receipt:
        """Carry out an effect and say what the other side answered; a failure is a Receipt that was not delivered."""
        ...
