"""GET /metrics: our own figures for Prometheus, read when they are asked for.

Source: https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from governance.api.gate import Who
from governance.api.ofrep.events import Streams
from governance.api.pulse import Pulse
from governance.core.document import SEVERITIES
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.store import alerts, backlog, incidents, progress

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


class Figures(Collector):
    """Reads the figures of an engine: those of its database in one snapshot, those of this process as they are."""

    def __init__(self, engine: Engine, pulse: Pulse, streams: Streams) -> None:
        """Read from these."""
        self._engine = engine
        self._pulse = pulse
        self._streams = streams

    def describe(self) -> list[Metric]:
        """Return nothing, so that registering reads no database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        yield from self._stored()
        pulse = self._pulse
        if pulse.cycle_seconds is not None:
            yield GaugeMetricFamily("gov_cycle_seconds", "How long the last cycle took.", pulse.cycle_seconds)
        yield _counted("gov_verdicts", "Verdicts since the start.", "outcome", pulse.verdicts)
        yield _counted("gov_pushed_samples", "Samples pushed since the start.", "source", pulse.pushed)
        yield CounterMetricFamily("gov_failed_steps", "Steps that failed since the start.", pulse.failed)
        tried: dict[tuple[str, ...], int] = {(name,): int(well) for name, well in self._engine.lanes.answers().items()}
        yield _labelled("gov_notifier_up", "Whether it took what it was given last.", ("notifier",), tried)
        yield GaugeMetricFamily("gov_event_streams", "Clients that hear of kill switches.", self._streams.open)
        refused = "Event streams refused since the start, as too many were open."
        yield CounterMetricFamily("gov_refused_event_streams", refused, self._streams.refused)

    def _stored(self) -> Iterator[Metric]:
        with self._engine.database.read() as connection:
            last = progress.last(connection, progress.CYCLE)
            active = list(alerts.active(connection).values())
            opened = Counter[tuple[str, ...]]((each.severity,) for each in incidents.listed(connection, status="open"))
            proved, pinged = (progress.last(connection, each) for each in (progress.CANARY, progress.PINGED))
            unsealed, undelivered = backlog.unsealed(connection), backlog.undelivered(connection)
        if last is not None:
            age = (self._engine.clock.now() - last).total_seconds()
            yield GaugeMetricFamily("gov_last_cycle_age_seconds", "Since the last complete cycle.", age)
        yield from self._outward(proved, pinged)
        states = Counter[tuple[str, ...]]((each.state, each.severity or "") for each in active)
        yield _labelled("gov_alerts", "Alerts that are pending or firing.", ("state", "severity"), states)
        by_severity: dict[tuple[str, ...], int] = {(name,): opened[(name,)] for name in SEVERITIES}
        yield _labelled("gov_open_incidents", "Incidents that are not resolved.", ("severity",), by_severity)
        failing = sum(entries.is_health(each.key) and each.key.rule == "source-failing" for each in active)
        yield GaugeMetricFamily("gov_failing_sources", "Sources that fail.", failing)
        yield GaugeMetricFamily("gov_unsealed_entries", "Decisions that wait for their seal.", unsealed)
        yield GaugeMetricFamily("gov_undelivered_effects", "Notifications still to be sent.", undelivered)

    def _outward(self, proved: datetime | None, pinged: datetime | None) -> Iterator[Metric]:
        """Yield how the outside learns that the engine works, as far as that is configured."""
        organisation, standing, now = self._engine.organisation, self._engine.standing, self._engine.clock.now()
        if organisation.canary is not None:
            yield GaugeMetricFamily("gov_canary_silent", "1 when the canary is late.", float(bool(standing.canary)))
            if proved is not None:
                age = (now - proved).total_seconds()
                yield GaugeMetricFamily("gov_canary_age_seconds", "Since the canary last went the whole way.", age)
        if organisation.alive is not None and pinged is not None:
            age = (now - pinged).total_seconds()
            yield GaugeMetricFamily("gov_ping_age_seconds", "Since the dead-man's-switch took a ping.", age)


def routes(engine: Engine, pulse: Pulse, streams: Streams) -> APIRouter:
    """Return the route of the figures."""
    router = APIRouter(tags=["health"])
    registry = CollectorRegistry()
    registry.register(Figures(engine, pulse, streams))

    @router.get("/metrics", response_class=PlainTextResponse)
    def metrics(who: Who) -> Response:
        """Give our own figures in Prometheus's text format."""
        permit(engine, who, "read")
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _labelled(
    name: str, said: str, labels: tuple[str, ...], counts: Mapping[tuple[str, ...], int]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, said, labels=labels)
    for key, count in sorted(counts.items()):
        family.add_metric(key, count)
    return family


def _counted(name: str, said: str, label: str, counts: Counter[str]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, said, labels=[label])
    for key, count in sorted(counts.copy().items()):  # another thread may count on meanwhile
        family.add_metric([key], count)
    return family
