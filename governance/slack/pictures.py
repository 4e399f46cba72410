"""Put the picture of an incident's metric into its thread, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from governance.engine.parts import Engine
from governance.slack.chart import picture, series_of
from governance.slack.sender import Later, Place, Sender, SlackTrouble
from governance.slack.shown import Shown
from governance.store import slack_messages
from governance.store.slack_messages import Posted


class Pictures:
    """Uploads at most one picture each time an incident opens; one that is lost is not worth a second."""

    def __init__(self, engine: Engine, sender: Sender, complain: Callable[[str], None]) -> None:
        """Prepare; `complain` is told once when pictures cannot be uploaded."""
        self._engine, self._sender, self._complain = engine, sender, complain
        self._trouble = ""

    def __call__(self, posted: Posted, shown: Shown, now: datetime) -> bool:
        """Upload the picture where there is none yet and one says more than words."""
        del now
        incident = shown.incident
        if posted.chart > incident.reopened or not shown.is_open or incident.severity == "info":
            return False
        series = series_of(self._engine, incident)
        if series is None:
            return False
        self._save(replace(posted, chart=incident.reopened + 1))
        name = f"INC-{incident.id}.png"
        try:
            place = Place(posted.channel, posted.ts)
            self._sender.upload(place, picture(series), name, f"{series.name} of {incident.model}", series.words)
        except Later:
            self._save(posted)
            raise
        except SlackTrouble as error:
            self._tell(f"Slack takes no pictures: {error}")
        return True

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._complain(trouble)

    def _save(self, posted: Posted) -> None:
        with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
            slack_messages.save(connection, posted)
