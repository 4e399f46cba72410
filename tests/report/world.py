"""A small fleet as an auditor meets it: a model in order, a hostile one that fails and is waived, one without data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from governance.bootstrap import engine as built
from governance.core.waiver import Waiver
from governance.engine import operations, pushing
from governance.engine.adoption import adopt
from governance.engine.cycle import run_cycle
from governance.engine.dispatch import dispatch
from governance.engine.evidence import record
from governance.engine.parts import Engine
from governance.engine.switching import pulling
from governance.settings import Settings
from governance.store import decision_log
from governance.store.pushed import PushedSample

START = datetime(2026, 1, 31, 6, tzinfo=UTC)
HOURS = 14
END = START + timedelta(hours=HOURS)
EVIL = (
    "\"><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>'</style>| `x` [c](javascript:x)\u202e"
)
ORG = """
kind: org
environment: audited
people: {ana: {email: ana@example.com}, bob: {email: bob@example.com}, cy: {}, dan: {}}
teams: {lending: {members: [ana, bob], leads: [ana, bob]}, risk: {members: [cy]}}
roles:
  - {role: approver, who: [ana, bob, dan]}
sources: {pushed: {kind: push, keep: 60d}}
cycle: {every: 1h}
"""
LOANS = """
kind: card
model: loans
description: Probability that a loan is not paid back.
tier: 1
regimes: [eu-ai-act, sr-26-2]
cadence: {every: 1h}
owners: {team: lending, accountable: ana, channel: "#loans"}
versions: {serving: "2", rollback_to: "1", fallback: scorecard}
data:
  features: {income: {pii: direct}, region: {type: category}}
  retention: {predictions: {at_most: 400d, at_least: 200d}, features: {at_most: 20d}}
  access: [lending, risk]
metrics:
  errors: {source: pushed, query: errors, every: 1h}
  latency: {source: pushed, query: latency, every: 1h}
  failed: {source: pushed, query: failed, every: 1h}
  asked: {source: pushed, query: asked, every: 1h}
slos:
  fast: {objective: 50%, window: 1d, good: metrics.latency < 0.5}
  right: {objective: 90%, window: 1d, errors: metrics.failed, total: metrics.asked}
rollback: {then: {switch: fallback, scope: model}, when: metrics.errors > 0.9, authority: [lending], drill_every: 90d}
review: [{by: risk, every: 180d, regime: eu-ai-act}]
cost: {per_day: 40, currency: EUR}
rules:
  - {rule: errors-high, when: metrics.errors > 0.5, severity: critical, controls: [eu-ai-act/15, iso-42001/a.6.2.6],
     then: {switch: fallback, scope: model}, summary: "Errors at {metrics.errors}"}
"""
FRAUD = """
kind: card
model: fraud
description: %s
regimes: [eu-ai-act]
labels: {note: %s}
owners: {team: lending, accountable: bob}
data: {retention: {predictions: {at_most: 90d}}}
metrics:
  errors: {source: pushed, query: errors, every: 1h}
rules:
  - {rule: errors-high, when: metrics.errors > 0.5, severity: critical, summary: %s}
  - {rule: errors-some, when: metrics.errors > 0.2}
"""
CHAT = """
kind: card
model: chat
regimes: [sr-26-2]
owners: {team: lending}
versions: {prompt: "31", provider: somebody}
metrics: {errors: {source: pushed, query: errors, every: 1h}}
rules: [{rule: errors-high, when: metrics.errors > 0.5}]
"""


@dataclass(frozen=True)
class World:
    """The directory that `gov` runs in, and the engine that worked there."""

    directory: Path
    engine: Engine


def world(directory: Path, more: dict[str, str] | None = None) -> World:
    """Write the policies and let the engine work for some hours."""
    import json

    quoted = json.dumps(EVIL, ensure_ascii=True)
    files = {"org": ORG, "loans": LOANS, "fraud": FRAUD % ((quoted,) * 3), "chat": CHAT, **(more or {})}
    (directory / "policies").mkdir(parents=True)
    for name, text in files.items():
        (directory / "policies" / f"{name}.yaml").write_text(text.lstrip(), encoding="utf-8")
    engine = _engine(directory)
    adopt(engine, START)
    _people(engine)
    for hour in range(1, HOURS + 1):
        at = START + timedelta(hours=hour)
        samples = list(_samples(at, hour))
        pushing.push(engine, "pushed", samples, key=f"k{hour}", actor="test", at=at)
        run_cycle(engine, at)
        dispatch(engine, at)
    decision_log.seal(engine.database, END)
    return World(directory, engine)


def _engine(directory: Path) -> Engine:
    class Clock:
        def now(self) -> datetime:
            return END

    for name in [each for each in os.environ if each.startswith("GOV_")]:
        del os.environ[name]
    with chdir(directory):
        return built(Settings(home=directory / ".gov", policies=directory / "policies"), clock=Clock())


def _samples(at: datetime, hour: int) -> Iterator[PushedSample]:
    yield PushedSample("loans", "errors", at, 0.1)
    yield PushedSample("loans", "latency", at, 0.9 if hour == 3 else 0.2)
    yield PushedSample("loans", "failed", at, 20.0 if hour == 9 else 1.0)
    yield PushedSample("loans", "asked", at, 100.0)
    yield PushedSample("fraud", "errors", at, 0.8 if hour >= 2 else 0.1)


def _people(engine: Engine) -> None:
    record(engine, "loans", "reviewed", actor="cy", now=START, team="risk", regime="eu-ai-act", note="yearly")
    record(engine, "loans", "approved", actor="bob", now=START, version="2")
    record(engine, "loans", "drilled", actor="bob", now=START, at=START - timedelta(days=100))
    pulling.pull(engine, "loans", "fallback", actor="bob", because="an exercise", at=START)
    waiver = Waiver("WVR-1", "fraud", "errors-some", (), EVIL, "ana", "bob", END + timedelta(days=9))
    operations.waive(engine, waiver, at=START)
