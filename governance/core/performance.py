"""What a step of a runbook asks of the world, and what the world answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

OutcomeState = Literal["done", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Request:
    """One act of a run: `operation` of the system that its name begins with, and what it is asked `with_`.

    `key` is the same for every attempt, so that the other side can drop repeats.
    """

    key: str
    operation: str
    with_: Mapping[str, object]
    at: datetime
    run: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an act, in a sentence. `unknown`: it may have taken effect, and it may not.

    `again`: whether to try again may help. `wait`: for how long the other side asked to be left alone. `outputs` are
    what later expressions of the runbook see as `steps.<name>.<output>`; plain JSON values.
    """

    state: OutcomeState
    detail: str
    outputs: Mapping[str, object] = field(default_factory=dict)
    again: bool = True
    wait: timedelta | None = None
