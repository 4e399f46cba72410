"""How all models are, who we are, and what we may do."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from governance.client.connection import PAGE, Connection
from governance.client.trouble import misunderstood
from governance.views import AlertView, FleetRow, FleetView, MayView, Page, WhoamiView
from governance.views.on_call import OnCallView
from governance.views.people import PermissionsView


class Fleet(Connection):
    """Asks how all models are, who we are, and what we may do."""

    def whoami(self) -> WhoamiView:
        """Return who the engine takes us for."""
        return self._get("/v1/whoami", WhoamiView)

    def may(self, model: str = "") -> dict[str, MayView]:
        """Return whether we may do each act on a model ("": on the engine as a whole), and why or else who may."""
        return self._get("/v1/may", PermissionsView, model=model).acts

    def fleet(self, since: str = "", points: int | None = None) -> FleetView:
        """Return the fleet, worst first; with the `state` of an earlier answer only what changed, unless it is `whole`.

        Of the history of each metric `points` values at most.
        """
        asked: dict[str, Any] = {**({"since": since} if since else {}), **({"points": points} if points else {})}
        first = page = self._part_of_fleet(limit=PAGE, **asked)
        rows = {row.model: row for row in page.items}
        while page.next is not None:
            page = self._part_of_fleet(limit=PAGE, cursor=page.next, **asked)
            if page.whole != first.whole:  # another engine answers now
                return self.fleet(points=points)
            for row in page.items:  # one that moved on between two parts counts where it is
                rows.pop(row.model, None)
                rows[row.model] = row
        return first.model_copy(update={"items": list(rows.values()), "next": None})

    def _part_of_fleet(self, **query: Any) -> FleetView:
        """Return a page of the fleet, each row read by itself: whoever draws meanwhile waits for one, not for all."""
        url, content, _ = self._content("/v1/fleet", query)
        try:
            said = from_json(content)
            page = FleetView.model_validate({**said, "items": []})
            return page.model_copy(update={"items": [FleetRow.model_validate(each) for each in said["items"]]})
        except (ValidationError, ValueError, LookupError, TypeError) as error:
            raise misunderstood(url, content, FleetView, error) from error

    def alerts(self) -> list[AlertView]:
        """Return the alerts that are pending or firing, worst first."""
        return self._whole("/v1/alerts", Page[AlertView])

    def on_call(self, days: int = 0) -> list[OnCallView]:
        """Return who is on call by each schedule, with the shifts of so many days ahead."""
        return self._get("/v1/oncall", Page[OnCallView], days=days).items
