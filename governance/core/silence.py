"""A silence: notifications that are muted for a while. Verdicts and incidents go on, and so does their record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from governance.core.incident import Incident
from governance.core.metric import Labels


@dataclass(frozen=True, slots=True)
class Silence:
    """Who muted what, why and until when; an empty `model` or `rule` and no `labels` are all of them.

    A maintenance window is one over whole `models`: all goes on being judged, and people hear of ends alone.
    `written` is the key of the file that asks for it, "" of none.
    `caught_up` is set when those who were not told have been told what is still open.
    """

    id: str
    by: str
    because: str
    since: datetime
    until: datetime
    model: str = ""
    rule: str = ""
    labels: Labels = ()
    ended_at: datetime | None = None
    ended_by: str = ""
    caught_up: bool = False
    written: str = ""
    models: tuple[str, ...] = ()
    maintenance: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The models that it is about; none are all of them."""
        return self.models or ((self.model,) if self.model else ())

    def holds(self, at: datetime) -> bool:
        """Tell whether it mutes anything now."""
        return self.ended_at is None and self.since <= at < self.until

    def is_over(self, at: datetime) -> bool:
        """Tell whether it has ended; one that was made after `at`, while others worked as of it, has not."""
        return self.ended_at is not None or self.until <= at

    def covers(self, incident: Incident) -> bool:
        """Tell whether it mutes an incident: one finding that it does not cover is told with all the others."""
        if self.names and incident.model not in self.names:
            return False
        shown = incident.firing or incident.findings
        return all(self.rule in ("", each.key.rule) and set(self.labels) <= set(each.key.labels) for each in shown)

    @property
    def words(self) -> str:
        """Why a notification was not sent."""
        what = "in maintenance" if self.maintenance else "silenced"
        return f"{what} by {self.by} until {self.until:%Y-%m-%d %H:%M} UTC ({self.id}): {self.because}"
