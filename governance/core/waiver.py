"""A waiver: a rule not enforced on a model, by whom, why, until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from governance.core.metric import Labels


@dataclass(frozen=True, slots=True)
class Waiver:
    """An approved waiver; empty `labels` cover every instance of the rule. `since` is when it was approved."""

    id: str
    model: str
    rule: str
    labels: Labels
    because: str
    requested_by: str
    approved_by: str
    until: datetime
    since: datetime | None = None

    def covers(self, model: str, rule: str, labels: Labels, at: datetime) -> bool:
        """Tell whether the waiver holds for this instance now."""
        return self.model == model and self.rule == rule and at < self.until and set(self.labels) <= set(labels)

    def known(self, at: datetime) -> bool:
        """Tell whether it was approved by an instant that has passed: what was missed then is not waived by it."""
        return self.since is None or self.since <= at


@dataclass(frozen=True, slots=True)
class WaiverRequest:
    """A waiver that somebody asked for; it is in force once a second person approved it. `said` tells how it ended."""

    id: str
    model: str
    rule: str
    labels: Labels
    because: str
    requested_by: str
    requested_at: datetime
    until: datetime
    state: Literal["pending", "approved", "refused"] = "pending"
    decided_by: str = ""
    said: str = ""

    @property
    def text(self) -> str:
        """What is asked for, in words."""
        about = " {" + ", ".join(f"{name}={value}" for name, value in self.labels) + "}" if self.labels else ""
        return f"waive {self.rule}{about} on {self.model} until {self.until:%Y-%m-%d %H:%M} UTC: {self.because}"

    def granted(self, by: str) -> Waiver:
        """Return the waiver as approved."""
        return Waiver(self.id, self.model, self.rule, self.labels, self.because, self.requested_by, by, self.until)
