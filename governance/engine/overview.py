"""The fleet at a glance: one row per model, worst first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from governance.core.compiled import CompiledPolicy
from governance.core.incident import Incident
from governance.core.switch import Switch
from governance.core.verdict import Verdict
from governance.engine.entries import OWN
from governance.engine.parts import Engine
from governance.engine.waiver_ends import active
from governance.engine.worst_metric import worst_metric
from governance.store import incidents, progress, switches
from governance.views import FleetRow

RANKS: tuple[str, ...] = ("critical", "warning", "unknown", "info", "none")
"""Severities of rows, the worst first; what cannot be told may be anything."""
UNDER_WAY = timedelta(seconds=5)
"""How long an act on an incident or a switch may be under way before others can read of it."""
_BLIND = frozenset({"no_data", "too_few", "stale", "error"})


def rows(engine: Engine, readable: Callable[[str | None], bool], since: datetime | None = None) -> list[FleetRow]:
    """Return a row for every model that may be read, the worst first; with `since` only what may have changed by then.

    A model has changed when it was judged, or when an open incident of it or its kill switch changed. Of an incident
    that was resolved the list of open ones tells.
    """
    with engine.database.read() as connection:
        opened: dict[str, list[Incident]] = defaultdict(list)
        for each in incidents.listed(connection, status="open"):
            opened[each.model].append(each)
        pulled = switches.all_of(connection)
        waived = active(engine, connection, engine.clock.now())
    policies = [policy for policy in engine.plan.policies if readable(policy.model)]
    if since is not None:
        policies = [each for each in policies if _changed(engine, each.model, opened, pulled, since)]
    found = [_row(engine, each, opened.get(each.model, []), pulled.get(each.model)) for each in policies]
    told: dict[str, list[str]] = defaultdict(list)
    for waiver in waived:
        told[waiver.model].append(f"{waiver.rule} until {waiver.until:%Y-%m-%d} by {waiver.approved_by}")
    return sorted((each.model_copy(update={"waived": told.get(each.model, [])}) for each in found), key=place)


def _changed(
    engine: Engine,
    model: str,
    opened: Mapping[str, Sequence[Incident]],
    pulled: Mapping[str, Switch],
    since: datetime,
) -> bool:
    switch, begun = pulled.get(model), since - UNDER_WAY
    return (
        engine.latest.judged_since(model, since)
        or any(each.changed_at >= begun for each in opened.get(model, ()))
        or (switch is not None and switch.changed_at is not None and switch.changed_at >= begun)
    )


def place(row: FleetRow) -> tuple[int, int, str]:
    """Return where a row stands among the others."""
    return RANKS.index(row.severity), row.tier, row.model


def tallies(found: Iterable[FleetRow]) -> dict[str, int]:
    """Count rows by severity, and those whose switch is not live."""
    listed = list(found)
    by_severity = Counter(each.severity for each in listed)
    return {
        **{name: by_severity[name] for name in RANKS},
        "not_live": sum(each.mode not in ("live", "") for each in listed),
    }


def last_judged(engine: Engine) -> datetime | None:
    """Return the instant of the last complete cycle."""
    with engine.database.read() as connection:
        return progress.last(connection, progress.CYCLE)


def _row(engine: Engine, policy: CompiledPolicy, opened: Sequence[Incident], switch: Switch | None) -> FleetRow:
    model, card = policy.model, policy.policy.card
    verdicts = engine.latest.of(model)
    ordered = sorted(opened, key=lambda each: (RANKS.index(each.severity), -each.opened_at.timestamp()))
    worst = ordered[0] if ordered else None
    setting = switch.worst if switch is not None else None
    times = [each.time for verdict in verdicts for each in verdict.inputs if each.time is not None]
    return FleetRow(
        model=model,
        tier=card.tier,
        team=card.owners.team,
        severity=min((worst.severity if worst else "none", _quiet(policy, verdicts)), key=RANKS.index),
        mode=setting.mode if setting else "live" if model not in OWN else "",
        mode_scope=str(setting.scope) if setting else "model",
        share=setting.share if setting and setting.mode == "throttle" else None,
        incidents=[each.id for each in ordered],
        worst=worst.title if worst else "",
        opened_at=worst.opened_at if worst else None,
        metric=worst_metric(engine, policy, verdicts, {each.key for one in opened for each in one.firing}),
        latency_p99=_value(verdicts, "metrics.latency_p99"),
        cost_per_1k=_value(verdicts, "metrics.cost_per_1k"),
        judged_at=max((each.at for each in verdicts), default=None),
        data_at=min(times, default=None),
        outcomes=dict(sorted(Counter(each.outcome for each in verdicts).items())),
    )


def _quiet(policy: CompiledPolicy, verdicts: Sequence[Verdict]) -> str:
    """Return the severity of a model but for its incidents: nothing, if all that was expected could be judged.

    Until the alert about missing data fires, this alone tells of it. Too few rows are usual at night: they count only
    where nothing else could be judged either.
    """
    waived = {each.rule.id for each in policy.rules if each.rule.no_data_then == "ok"}
    blind = (each.outcome == "error" or _lacks(each, waived) for each in verdicts)
    return "unknown" if any(blind) or all(each.outcome in _BLIND for each in verdicts) else "none"


def _lacks(verdict: Verdict, waived: Collection[str]) -> bool:
    return verdict.outcome in ("no_data", "stale") and verdict.expected and verdict.rule not in waived


def _value(verdicts: Sequence[Verdict], name: str) -> float | None:
    return next((each.value for verdict in verdicts for each in verdict.inputs if each.name == name), None)
