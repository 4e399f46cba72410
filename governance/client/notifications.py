"""Notifications that nobody got."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.client.connection import Connection
from governance.views import Page
from governance.views.notifications import DeliveryView, RetriedView


class Notifications(Connection):
    """Asks what could not be delivered, and has it tried again."""

    def undelivered(self, incident: int = 0) -> list[DeliveryView]:
        """Return what was given up, of one incident or (0) of all, with whether we may have it tried again."""
        return self._whole("/v1/notifications", Page[DeliveryView], incident=incident)

    def retry_notifications(self, body: Mapping[str, Any], *, key: str) -> RetriedView:
        """Have tried again what was given up: {key}, {notifier} or {incident}, and {because}."""
        return RetriedView.model_validate(self._post("/v1/notifications/retry", body, key))
