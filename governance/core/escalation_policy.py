"""Escalation policies as the organisation writes them: who is told next, after how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from governance.core.document import Count, Document, Duration, Flag

ALONE = timedelta(minutes=15)
"""How long a policy of one level waits before it begins anew, where it does not say so."""
SHORTEST = timedelta(minutes=1)
Kind = Literal["schedule", "team", "person", "notifier"]
KINDS: tuple[Kind, ...] = ("schedule", "team", "person", "notifier")


class Target(Document):
    """Who is told: whoever is on call by a schedule, the members of a team, a person, or a notifier's own place."""

    schedule: str | None = None
    team: str | None = None
    person: str | None = None
    notifier: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Target:
        if len([kind for kind in KINDS if getattr(self, kind) is not None]) != 1:
            raise ValueError("name one of schedule, team, person and notifier")
        return self

    @property
    def kind(self) -> Kind:
        """What it names."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def name(self) -> str:
        """The name of what it names."""
        return str(getattr(self, self.kind))

    def __str__(self) -> str:
        """Return it in words."""
        return f"on call for {self.name}" if self.kind == "schedule" else f"{self.kind} {self.name}"


class Level(Document):
    """Who is told once an incident has waited `after` without an answer, and at which severities.

    With `hands_over` another system escalates from here on, and our clock stops.
    """

    to: tuple[Target, ...]
    after: Duration = timedelta(0)
    severities: tuple[Literal["warning", "critical"], ...] = ("critical",)
    hands_over: Flag = False

    @field_validator("to", "severities")
    @classmethod
    def _some(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        if not value:
            raise ValueError("an empty list tells nobody: write at least one, or leave the level out")
        return value

    @model_validator(mode="after")
    def _to_another_system(self) -> Level:
        if self.hands_over and all(each.notifier is None for each in self.to):
            raise ValueError("only a notifier can take over: name one in `to`, such as {notifier: pager}")
        return self


class EscalationPolicy(Document):
    """Levels in turn until somebody answers, the whole of it `repeat` times more, then the fallback.

    After the last level it waits `repeat_after` before it begins anew: as long as that level waited for, unless said.
    """

    levels: tuple[Level, ...]
    repeat: Annotated[Count, Field(le=100)] = 0
    repeat_after: Duration | None = None
    fallback: tuple[Target, ...] = ()
    acknowledge_timeout: Duration | None = None

    @field_validator("levels")
    @classmethod
    def _somebody(cls, value: tuple[Level, ...]) -> tuple[Level, ...]:
        if not value:
            raise ValueError("without a level nobody is told: write at least one")
        return value

    @field_validator("repeat_after", "acknowledge_timeout")
    @classmethod
    def _some_time(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value < SHORTEST:
            raise ValueError("must be a minute at least: people need time to answer")
        return value

    @property
    def pause(self) -> timedelta:
        """How long the last level is given before the ladder begins anew, or the fallback is told."""
        if self.repeat_after is not None:
            return self.repeat_after
        return self.levels[-1].after - self.levels[-2].after if len(self.levels) > 1 else ALONE

    def names(self, kind: Kind, *, fallback: bool = True) -> frozenset[str]:
        """Return every schedule, team, person or notifier that it may tell, without those of the `fallback` alone."""
        targets = [each for level in self.levels for each in level.to] + (list(self.fallback) if fallback else [])
        return frozenset(each.name for each in targets if each.kind == kind)
