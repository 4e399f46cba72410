"""The fleet at a glance: one row per model, worst first."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from governance.core.compiled import CompiledPolicy
from governance.core.incident import Incident
from governance.core.metric import Labels
from governance.core.switch import Switch
from governance.core.verdict import Input, Verdict
from governance.engine.parts import Engine
from governance.store import incidents, progress, switches
from governance.views import FleetRow, MetricView

RANKS: tuple[str, ...] = ("critical", "warning", "unknown", "info", "none")
"""Severities of rows, the worst first; what cannot be told may be anything."""
_BLIND = frozenset({"no_data", "too_few", "stale", "error"})
_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"


def rows(engine: Engine, readable: Callable[[str | None], bool]) -> list[FleetRow]:
    """Return a row for every model that may be read, the worst first."""
    with engine.database.read() as connection:
        opened: dict[str, list[Incident]] = defaultdict(list)
        for each in incidents.listed(connection, status="open"):
            opened[each.model].append(each)
        pulled = switches.all_of(connection)
    policies = [policy for policy in engine.plan.policies if readable(policy.model)]
    found = [_row(engine, each, opened.get(each.model, []), pulled.get(each.model)) for each in policies]
    return sorted(found, key=place)


def place(row: FleetRow) -> tuple[int, int, str]:
    """Return where a row stands among the others."""
    return RANKS.index(row.severity), row.tier, row.model


def tallies(found: Iterable[FleetRow]) -> dict[str, int]:
    """Count rows by severity, and those whose switch is not live."""
    listed = list(found)
    by_severity = Counter(each.severity for each in listed)
    return {**{name: by_severity[name] for name in RANKS}, "not_live": sum(each.mode != "live" for each in listed)}


def last_judged(engine: Engine) -> datetime | None:
    """Return the instant of the last complete cycle."""
    with engine.database.read() as connection:
        return progress.last(connection, progress.CYCLE)


def _row(engine: Engine, policy: CompiledPolicy, opened: Sequence[Incident], switch: Switch | None) -> FleetRow:
    model, card = policy.model, policy.policy.card
    verdicts = engine.latest.of(model)
    worst = min(opened, key=lambda each: RANKS.index(each.severity), default=None)
    setting = switch.worst if switch is not None else None
    times = [each.time for verdict in verdicts for each in verdict.inputs if each.time is not None]
    return FleetRow(
        model=model,
        tier=card.tier,
        team=card.owners.team,
        severity=worst.severity if worst else _quiet(verdicts),
        mode=setting.mode if setting else "live",
        mode_scope=str(setting.scope) if setting else "model",
        share=setting.share if setting and setting.mode == "throttle" else None,
        incidents=sorted(each.id for each in opened),
        worst=worst.title if worst else "",
        opened_at=worst.opened_at if worst else None,
        metric=_metric(engine, policy, verdicts),
        latency_p99=_value(verdicts, "metrics.latency_p99"),
        cost_per_1k=_value(verdicts, "metrics.cost_per_1k"),
        judged_at=max((each.at for each in verdicts), default=None),
        data_at=min(times, default=None),
        outcomes=dict(sorted(Counter(each.outcome for each in verdicts).items())),
    )


def _quiet(verdicts: Sequence[Verdict]) -> str:
    """Return the severity of a model without an open incident: nothing, if something of it could be judged."""
    return "unknown" if all(each.outcome in _BLIND for each in verdicts) else "none"


def _metric(engine: Engine, policy: CompiledPolicy, verdicts: Sequence[Verdict]) -> MetricView | None:
    """Return the metric that is worst against its limit: one of a failing rule before any other."""
    found = [(verdict, each) for verdict in verdicts for each in verdict.inputs if each.name.startswith("metrics.")]
    if not found:
        return None

    def badness(pair: tuple[Verdict, Input]) -> tuple[int, int, float]:
        verdict, each = pair
        severity = RANKS.index(verdict.severity) if verdict.outcome == "fail" and verdict.severity else len(RANKS)
        limit = limit_of(policy, verdict.rule, each.name)
        near = abs(each.value) / abs(limit) if each.value is not None and limit else 0.0
        return severity, 0 if limit is not None else 1, -near

    verdict, each = min(found, key=badness)
    history: list[float | None] = [*engine.latest.history(policy.model, each.name, verdict.labels)]
    limit = limit_of(policy, verdict.rule, each.name)
    return MetricView(name=_named(each.name, verdict.labels), value=each.value, limit=limit, history=history)


def _named(name: str, labels: Labels) -> str:
    shown = name.removeprefix("metrics.")
    return f"{shown} {{{', '.join(f'{key}={value}' for key, value in labels)}}}" if labels else shown


def limit_of(policy: CompiledPolicy, rule: str, name: str) -> float | None:
    """Return the limit that a rule compares an input with: a number or a parameter written beside it, the worst's."""
    found = next((each.rule for each in policy.rules if each.rule.id == rule), None)
    if found is None:
        return None
    parameters = policy.policy.parameters.get(found.pack, {})
    for _, condition in reversed(found.conditions):
        beside = re.search(
            rf"{re.escape(name)}\s*[<>]=?\s*(?:({_NUMBER})(?![\w.]|\s*\*)|parameters\.(\w+))", condition.text
        )
        if beside is None:
            continue
        value = float(beside[1]) if beside[1] else parameters.get(beside[2])
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    return None


def _value(verdicts: Sequence[Verdict], name: str) -> float | None:
    return next((each.value for verdict in verdicts for each in verdict.inputs if each.name == name), None)
