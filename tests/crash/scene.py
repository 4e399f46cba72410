"""What the engine goes through while it is killed: three models over 45 cycles, a source that fails, people who act.

It is away twice, its clock leaps once, its policies change once, and in the end it forgets old samples.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from scenarios.series import RememberingSource, SeriesSource
from scenarios.story import FixedClock

from governance.core.card import Card
from governance.core.organisation import Organisation
from governance.core.plan import evaluation_plan
from governance.core.waiver import Waiver
from governance.engine import evidence, operations, pushing
from governance.engine.clock import stepped
from governance.engine.parts import Engine
from governance.errors import Conflict
from governance.loader import load
from governance.settings import Settings
from governance.sources.prediction_log import PredictionLog
from governance.sources.push import Push, PushConfig
from governance.store import incidents, progress
from governance.store.database import Database
from governance.store.pushed import PushedSample

START = datetime(2026, 1, 5, tzinfo=UTC)
EVERY = timedelta(minutes=10)
LEAP = 30
"""The last cycle before the clock leaps, by an hour."""
EDITED = 38
"""The first cycle under other policies."""
BEATS = (*range(25), *range(28, LEAP + 1), *range(LEAP + 7, EDITED + 2), *range(195, 203))
"""The cycles in which somebody looks, counted from the start: before the others the engine was away."""

_POLICIES = {
    "org.yaml": """
kind: org
people: {ana: {}, bo: {}}
notifiers: {hook: {kind: webhook, address: "http://127.0.0.1:1"}}
sources:
  fast: {kind: parquet, path: data}    # the worker puts series in their place
  slow: {kind: parquet, path: data}
  logs: {kind: parquet, path: data}
  given: {kind: push, keep: 8h}
incidents: {reopen_within: 30m}
cycle: {every: 10m, catch_up: 40m}
""",
    "loans.yaml": """
kind: card
model: loans
owners: {team: t, accountable: ana}
metrics:
  psi: {source: fast, query: psi, labels: [feature]}
  errors: {source: fast, query: errors, every: 10m}
  returns: {source: given, query: returns}
rules:
  - {rule: drift, when: metrics.psi > 0.25, for: 10m, severity: critical, summary: "{labels.feature} is {metrics.psi}"}
  - {rule: errors, when: {warning: metrics.errors > 0.5, critical: metrics.errors > 0.8}, keep_firing_for: 10m}
  - {rule: rising, when: "avg_over_time(metrics.errors, '30m') > 0.4", severity: info}
  - {rule: returns, when: metrics.returns > 0.5}
""",
    "prices.yaml": """
kind: card
model: prices
owners: {team: t, accountable: ana}
metrics:
  lag: {source: slow, query: lag}
  trend: {source: slow, query: trend, every: 30m}    # not due in the cycle in which its source begins to fail
rules:
  - {rule: slow, when: metrics.lag > 0.5, severity: critical, no_data: {for: 20m, then: alert}}
  - {rule: note, when: metrics.lag > 0.8, severity: info, no_data: {then: ok}}
  - {rule: trend, when: metrics.trend > 0.5, severity: info}
""",
    "churn.yaml": """
kind: card
model: churn
owners: {team: t}
log:
  source: logs
  table: churn
  labels: truth
  columns: {time: at, request: id, decision: yes, label: was, label_time: known}
truth: {delay: 10m, complete_after: 1h}
metrics: {right: {measure: accuracy, window: 1h, every: 10m, min_samples: 5}}
rules:
  - {rule: wrong, when: metrics.right < 0.45}
  - {rule: nobody, when: "!has(card.owners.accountable)", severity: info}
""",
}
_EDIT = ("  - {rule: note, when: metrics.lag > 0.8, severity: info, no_data: {then: ok}}\n", "")
# Cycles 25 to 27 are missed: what errors say ends before anybody can be told, what psi says does not.
_FAST = {
    'psi{feature="a"}': "0.1x3 0.9x5 0.1x3 0.9x2 0.1x9 0.9x10 0.1x200",
    'psi{feature="b"}': "0.1x5 0.9x3 _x4 0.1x220",
    "errors": "0.1x2 0.6x2 0.9x2 0.6 0.1x1 0.9 0.1x11 0.9x1 0.1x165 0.9x10",
}
_ACKNOWLEDGED = {6: "loans", 9: "prices", 17: "loans", 18: "prices"}
_RESOLVED = {13: "loans"}
_WAIVED = 19
_REVIEWED = 20
_PUSHED = {3: 0.1, 8: 0.9, 12: 0.1, 29: 0.9, 38: 0.1, 196: 0.9}
_SLOW = {"lag": "0.1x4 _x5 0.9x3 down down 0.1 0.9x20 0.1x200", "trend": "0.9x13 down down 0.1x200"}


def prepare(folder: Path) -> None:
    """Write the policies and the prediction log."""
    (folder / "policies").mkdir(parents=True)
    for name, text in _POLICIES.items():
        (folder / "policies" / name).write_text(text.lstrip(), encoding="utf-8")
    for table in ("churn", "truth"):
        (folder / "data" / table).mkdir(parents=True)
    start = f"timestamp '{START:%Y-%m-%d %H:%M}'"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {start} + to_minutes(i) as at, 'r' || i as id, true as yes from range(240) t(i)) "
            f"to '{folder}/data/churn/1.parquet'"
        )
        # The labels that come within minutes say no; every second says yes and comes later, at first before a finding
        # is judged for good (which withdraws it), then after (which confirms it).
        known = f"{start} + to_minutes(i + 5 + (i % 2) * if(i < 120, 20, 90))"
        connection.execute(
            f"copy (select 'r' || i as id, i % 2 = 1 as was, {known} as known "
            f"from range(240) t(i)) to '{folder}/data/truth/1.parquet'"
        )


def settings(folder: Path) -> Settings:
    """Return where the engine of a folder has its files."""
    return Settings(home=folder / ".gov", policies=folder / "policies")


def edit(folder: Path) -> None:
    """Let an author take a rule away."""
    card = folder / "policies" / "prices.yaml"
    card.write_text(card.read_text(encoding="utf-8").replace(*_EDIT), encoding="utf-8")


def engine(folder: Path) -> Engine:
    """Return an engine over the folder, with series for sources and nothing of the standard packs."""
    loaded = load([folder / "policies"], {"card": Card, "org": Organisation})
    assert not loaded.problems, loaded.problems[0].render()
    (organisation,) = [each.document for each in loaded.loaded if isinstance(each.document, Organisation)]
    plan = evaluation_plan([each for each in loaded.loaded if isinstance(each.document, Card)], [])
    assert not plan.problems, plan.problems[0].render()
    sources = {
        "fast": RememberingSource(_FAST, START, EVERY),
        "slow": SeriesSource(_SLOW, START, EVERY),
        "logs": PredictionLog(folder / "data"),
        "given": Push(PushConfig(keep=timedelta(hours=8))),
    }
    database = Database(settings(folder).database)
    return Engine(plan, organisation, sources, {}, database, FixedClock())


def leap(engine: Engine, at: datetime) -> None:
    """Let the clock leap before the first cycle after it, unless it did already."""
    with engine.database.read() as connection:
        seen, last = progress.era(connection), progress.last(connection, progress.CYCLE)
    if last is not None and at > START + LEAP * EVERY and not seen:
        stepped(engine, at - last - EVERY, at=at)


def act(engine: Engine, index: int, at: datetime) -> None:
    """Do what people do before a cycle; what was done before the process died is refused, and that is fine."""
    if index in _ACKNOWLEDGED:
        with suppress(Conflict):
            operations.acknowledge(engine, _newest(engine, _ACKNOWLEDGED[index]), actor="ana", at=at)
    if index in _RESOLVED:
        with suppress(Conflict):
            operations.resolve(engine, _newest(engine, _RESOLVED[index]), actor="bo", because="the feed is back", at=at)
    if index == _WAIVED:
        waiver = Waiver("w1", "prices", "slow", (), "maintenance", "ana", "bo", at + 4 * EVERY)
        with suppress(Conflict):
            operations.waive(engine, waiver, at=at)
    if index == _REVIEWED and not evidence.recorded(engine, "loans"):
        evidence.record(engine, "loans", "reviewed", actor="ana", now=at)
    if index in _PUSHED:
        sample = PushedSample("loans", "returns", at, _PUSHED[index], count=1000)
        pushing.push(engine, "given", [sample], key=f"push-{index}", actor="bo", at=at)


def _newest(engine: Engine, model: str) -> int:
    with engine.database.read() as connection:
        return incidents.listed(connection, model=model)[0].id
