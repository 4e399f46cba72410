"""A waiver: a rule not enforced on a model, by whom, why, until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from governance.core.duration import format_duration
from governance.core.metric import Labels
from governance.core.problem import Position

Event = Literal["new_version", "retrained"]
"""What happens to a model that ends a waiver before its time."""
End = Literal["until", "new_version", "retrained", "unused", "withdrawn"]


@dataclass(frozen=True, slots=True)
class WaiverFacts:
    """What is known of a model that may end a waiver: the version that serves ("" unknown), when it was trained."""

    version: str = ""
    trained: datetime | None = None


NOTHING_KNOWN = WaiverFacts()


@dataclass(frozen=True, slots=True)
class Waiver:
    """An approved waiver; empty `labels` cover every instance of the rule. `since` is when it was approved.

    It ends at the earliest of `until`, what `ends_on` names, and `unused_for` without a finding that it kept from being
    told: `used_at` is the last one (to the hour). `version` is what served when it was approved. `ended` says what
    ended it, where that was not `until`. `written` is the file that asks for it, "" of none.
    """

    id: str
    model: str
    rule: str
    labels: Labels
    because: str
    requested_by: str
    approved_by: str
    until: datetime
    since: datetime | None = None
    ends_on: tuple[Event, ...] = ()
    unused_for: timedelta | None = None
    version: str = ""
    used_at: datetime | None = None
    ended: End | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    written: str = ""

    def covers(self, model: str, rule: str, labels: Labels) -> bool:
        """Tell whether it is about an instance."""
        return self.model == model and self.rule == rule and set(self.labels) <= set(labels)

    def known(self, at: datetime) -> bool:
        """Tell whether it was approved by an instant that has passed: what was missed then is not waived by it."""
        return self.since is None or self.since <= at

    @property
    def ends(self) -> tuple[str, ...]:
        """What ends it before `until`, as its author writes it."""
        return ends_written(self.ends_on, self.unused_for)


def is_active(waiver: Waiver, facts: WaiverFacts, at: datetime) -> bool:
    """Tell whether a waiver is in force, with what is known of its model."""
    return end_of(waiver, facts, at) is None


def end_of(waiver: Waiver, facts: WaiverFacts, at: datetime) -> End | None:
    """Return what has ended a waiver by `at`, None while it is in force; what is not known ends nothing."""
    if waiver.ended is not None and waiver.ended_at is not None and waiver.ended_at <= at:
        return waiver.ended
    if waiver.until <= at:
        return "until"
    since = waiver.since
    if "new_version" in waiver.ends_on and waiver.version and facts.version not in ("", waiver.version):
        return "new_version"
    if "retrained" in waiver.ends_on and since is not None and facts.trained is not None and facts.trained > since:
        return "retrained"
    last = waiver.used_at or since
    if waiver.unused_for is not None and last is not None and at - last >= waiver.unused_for:
        return "unused"
    return None


def facts_of(card: Mapping[str, object], evidence: Mapping[str, object]) -> WaiverFacts:
    """Return what a card (with what its registry says) and the evidence tell of a model, as expressions see them."""
    versions = card.get("versions")
    serving = versions.get("serving") if isinstance(versions, Mapping) else None
    trained = evidence.get("trained")
    return WaiverFacts(serving if isinstance(serving, str) else "", trained if isinstance(trained, datetime) else None)


def ends_written(ends_on: tuple[Event, ...], unused_for: timedelta | None) -> tuple[str, ...]:
    """Return the earlier ends of a waiver as they are written in YAML."""
    if unused_for is None:
        return ends_on
    days = timedelta(days=1)
    shown = f"{unused_for // days}d" if unused_for % days == timedelta(0) else format_duration(unused_for)
    return (*ends_on, f"unused_for {shown}")  # 14d and not 2w, as people write it


@dataclass(frozen=True, slots=True)
class WrittenWaiver:
    """A waiver that a file asks for; `key` names what it says, so that another text is another request."""

    key: str
    model: str
    rule: str
    labels: Labels
    because: str
    requested_by: str
    until: datetime
    ends_on: tuple[Event, ...]
    unused_for: timedelta | None
    place: Position


@dataclass(frozen=True, slots=True)
class WaiverRequest:
    """A waiver that somebody asked for; it is in force once a second person approved it. `said` tells how it ended.

    `written` is the key of the file that asks for it, "" of none.
    """

    id: str
    model: str
    rule: str
    labels: Labels
    because: str
    requested_by: str
    requested_at: datetime
    until: datetime
    state: Literal["pending", "approved", "refused", "withdrawn"] = "pending"
    decided_by: str = ""
    said: str = ""
    ends_on: tuple[Event, ...] = ()
    unused_for: timedelta | None = None
    written: str = ""

    @property
    def text(self) -> str:
        """What is asked for, in words."""
        about = " {" + ", ".join(f"{name}={value}" for name, value in self.labels) + "}" if self.labels else ""
        ends = "".join(f" or {each}" for each in ends_written(self.ends_on, self.unused_for))
        return f"waive {self.rule}{about} on {self.model} until {self.until:%Y-%m-%d %H:%M} UTC{ends}: {self.because}"

    def granted(self, by: str, version: str = "") -> Waiver:
        """Return the waiver as approved while a version serves."""
        return Waiver(
            self.id, self.model, self.rule, self.labels, self.because, self.requested_by, by, self.until,
            ends_on=self.ends_on, unused_for=self.unused_for, version=version, written=self.written,
        )  # fmt: skip
