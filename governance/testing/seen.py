"""What an engine shows after a beat: its alerts, incidents, effects and entries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from governance.core.alert import Alert, AlertKey
from governance.core.effect import Effect
from governance.core.incident import Incident
from governance.core.run import Run
from governance.core.switch import MODES, Switch
from governance.engine.parts import Engine
from governance.store import alerts, decision_log, effects, incidents, runs, switches

_ENTRIES = 100_000


@dataclass
class Seen:
    """What there is at one instant, each part read when it is first asked for."""

    engine: Engine

    @cached_property
    def alerts(self) -> dict[AlertKey, Alert]:
        """The alerts that are pending or firing."""
        with self.engine.database.read() as connection:
            return alerts.active(connection)

    @cached_property
    def incidents(self) -> list[Incident]:
        """All incidents, the newest first."""
        with self.engine.database.read() as connection:
            return list(incidents.listed(connection))

    @cached_property
    def effects(self) -> list[Effect]:
        """What was told, or withheld, of all incidents, the newest incident first."""
        found = self.incidents  # read first: a database in memory has one connection
        with self.engine.database.read() as connection:
            return [each for one in found for each in effects.of_incident(connection, one.id)]

    @cached_property
    def entries(self) -> list[str]:
        """The kinds of all entries of the decision log."""
        return [each.decision.kind for each in decision_log.tail(self.engine.database, _ENTRIES)]

    @cached_property
    def runs(self) -> list[Run]:
        """All runs of runbooks, the newest first."""
        with self.engine.database.read() as connection:
            return runs.listed(connection, state="all")

    @cached_property
    def switches(self) -> list[Switch]:
        """The kill switches that were ever pulled."""
        with self.engine.database.read() as connection:
            return list(switches.all_of(connection).values())

    def mode(self, model: str | None) -> str:
        """Return the most restrictive mode that holds, of a model or of any."""
        modes = [setting.mode for each in self.switches if model in (None, each.model) for setting in each.settings]
        return max(modes, key=MODES.index, default="live")
