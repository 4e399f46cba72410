"""A maintenance window as somebody writes it in YAML: for a while, or at the same hours again and again until a day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from pydantic import Field, field_validator, model_validator

from governance.core.authored import Authored
from governance.core.authority import Refused, authority
from governance.core.compiled import CompiledPolicy
from governance.core.document import Document, Duration, Instant
from governance.core.organisation import Organisation
from governance.core.placed import placed, unknown
from governance.core.problem import Problem
from governance.core.requested import WrittenSilence
from governance.core.silence_document import LONGEST
from governance.core.wall_clock import DAY, checked_zone

LAST = timedelta(days=366)
"""A window that repeats must end too: what is maintained for longer is looked at again once a year."""


class Repeats(Document):
    """How often a window comes again, and until when; at the same hours of the clocks on the wall of `zone`."""

    every: Duration = timedelta(days=7)
    until: Instant
    zone: str = "UTC"

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        return checked_zone(value)

    @field_validator("every")
    @classmethod
    def _days(cls, value: timedelta) -> timedelta:
        if value < DAY or value % DAY:
            raise ValueError("a window repeats after whole days, such as 1d or 7d")
        return value


class MaintenanceDocument(Document):
    """A time in which models are worked on: nobody is paged or told of them but of an end; without `models` of all."""

    because: str = Field(min_length=1)
    by: str
    from_: Instant = Field(alias="from")
    until: Instant
    models: tuple[str, ...] = ()
    repeats: Repeats | None = None

    @model_validator(mode="after")
    def _ends(self) -> MaintenanceDocument:
        if not timedelta(0) < self.until - self.from_ <= LONGEST:
            raise ValueError(f"a maintenance window ends after it begins, and within {LONGEST.days} days")
        if self.repeats is None:
            return self
        if self.until - self.from_ > self.repeats.every:
            raise ValueError("a maintenance window is over before it comes again")
        if not self.until <= self.repeats.until <= self.from_ + LAST:
            raise ValueError(f"a window stops repeating after its first end, and within {LAST.days} days")
        return self


def written_maintenance(window: Authored[MaintenanceDocument]) -> WrittenSilence:
    """Return what a file asks for."""
    said = window.document
    key = hashlib.sha256(said.model_dump_json().encode()).hexdigest()[:16]
    again = said.repeats
    return WrittenSilence(
        key, "", "", (), said.because, said.by, said.from_, said.until, said.models, maintenance=True,
        every=again.every if again is not None else None, last=again.until if again is not None else None,
        zone=again.zone if again is not None else "UTC",
    )  # fmt: skip


def maintenance_problems(
    windows: Sequence[Authored[MaintenanceDocument]],
    policies: Mapping[str, CompiledPolicy],
    organisation: Organisation,
) -> Iterator[Problem]:
    """Check the windows against the policies; whether one is over is no matter of the file."""
    for each in windows:
        said = each.document
        for index, model in enumerate(said.models):
            if model not in policies:
                yield unknown(each, ("models", index), "model", model, policies)
        if organisation.people and said.by not in organisation.people:
            yield unknown(each, ("by",), "person", said.by, organisation.people)
            continue
        known = [policies[model].policy.card for model in said.models if model in policies]
        for card in known if said.models else [None]:
            found = authority(said.by, "silence.create", card, organisation)
            if isinstance(found, Refused):
                yield placed(each, ("by",), "may-not-silence", str(found))
                break
