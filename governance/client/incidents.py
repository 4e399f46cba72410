"""Incidents, and the answers to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.client.connection import PAGE, Connection
from governance.views import IncidentDoneView, IncidentView, Page, TimelineLine


class Incidents(Connection):
    """Asks for incidents, and answers them."""

    def incidents(self, status: str = "open") -> list[IncidentView]:
        """Return incidents, newest first."""
        return self._whole("/v1/incidents", Page[IncidentView], status=status)

    def incident(self, number: int) -> IncidentView:
        """Return one incident, with the remedy and the place of the rule of each finding."""
        return self._get(f"/v1/incidents/{number}", IncidentView)

    def timeline(self, number: int, after: int = -1) -> list[TimelineLine]:
        """Return what became of an incident, oldest first; only what came after an entry."""
        found: list[TimelineLine] = []
        page = self._get(f"/v1/incidents/{number}/timeline", Page[TimelineLine], limit=PAGE, after=after)
        while page.next is not None:
            found.extend(page.items)
            page = self._get(f"/v1/incidents/{number}/timeline", Page[TimelineLine], limit=PAGE, after=page.next)
        return [*found, *page.items]

    def acknowledge(self, number: int, *, version: int, key: str) -> None:
        """Take an incident as it was at `version`."""
        self._post(f"/v1/incidents/{number}/acknowledge", {"version": version}, key)

    def resolve(self, number: int, *, version: int, because: str, key: str) -> None:
        """Close an incident by hand."""
        self._post(f"/v1/incidents/{number}/resolve", {"version": version, "because": because}, key)

    def answer(self, number: int, act: str, body: Mapping[str, Any], *, key: str) -> IncidentDoneView:
        """Answer an incident: note {text}, snooze {version, until, because}, severity, hand-over, escalate, merge."""
        return IncidentDoneView.model_validate(self._post(f"/v1/incidents/{number}/{act}", body, key))
