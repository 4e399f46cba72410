"""The fleet at a glance: one row per model, worst first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.core.compiled import CompiledPolicy, EvaluationPlan
from governance.core.incident import Incident
from governance.core.switch import Setting, Switch
from governance.core.verdict import Verdict
from governance.engine.entries import OWN
from governance.engine.latest import KEPT
from governance.engine.parts import Engine
from governance.engine.waiver_ends import active
from governance.engine.worst_metric import worst_metric
from governance.store import incidents, progress, switches
from governance.views import FleetRow

RANKS: tuple[str, ...] = ("critical", "warning", "unknown", "info", "none")
"""Severities of rows, the worst first; what cannot be told may be anything."""
_BLIND = frozenset({"no_data", "too_few", "stale", "error"})


@dataclass(frozen=True, slots=True)
class Told:
    """What rows are made of beside verdicts: open incidents, switches and waivers in words, by model."""

    opened: Mapping[str, Sequence[Incident]]
    pulled: Mapping[str, Switch]
    waived: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Glance:
    """What tells where a row stands among the others, and how it counts."""

    model: str
    tier: int
    severity: str
    mode: str


def told(engine: Engine) -> Told:
    """Read what rows are made of, at one instant."""
    with engine.database.read() as connection:
        opened: dict[str, list[Incident]] = defaultdict(list)
        for each in incidents.listed(connection, status="open"):
            opened[each.model].append(each)
        pulled = switches.all_of(connection)
        waived: dict[str, list[str]] = defaultdict(list)
        for waiver in active(engine, connection, engine.clock.now()):
            waived[waiver.model].append(f"{waiver.rule} until {waiver.until:%Y-%m-%d} by {waiver.approved_by}")
    return Told(opened, pulled, waived)


def noted(engine: Engine, plan: EvaluationPlan, known: Told) -> Mapping[str, int]:
    """Return by model when its row last changed, as `engine.changes` counts."""
    turns = engine.latest.turns
    marks = {model: tuple((each.id, each.version) for each in found) for model, found in known.opened.items()}
    pulled = {model: each.seq for model, each in known.pulled.items()}
    waived = {model: tuple(each) for model, each in known.waived.items()}
    models = (policy.model for policy in plan.policies)
    parts = {model: (turns.get(model), marks.get(model), pulled.get(model), waived.get(model)) for model in models}
    return engine.changes.note(plan, parts)


def rows(engine: Engine, readable: Callable[[str | None], bool]) -> list[FleetRow]:
    """Return a row for every model that may be read, the worst first."""
    known = told(engine)
    return sorted((row(engine, each, known) for each in engine.plan.policies if readable(each.model)), key=place)


def glance(engine: Engine, policy: CompiledPolicy, known: Told) -> Glance:
    """Return where the row of a model stands, which takes a tenth of making it."""
    model = policy.model
    severity = _severity(policy, engine.latest.of(model), known.opened.get(model, ()))
    return Glance(model, policy.policy.card.tier, severity, _mode(model, known))


def place(row: FleetRow | Glance) -> tuple[int, int, str]:
    """Return where a row stands among the others."""
    return RANKS.index(row.severity), row.tier, row.model


def tallies(found: Iterable[FleetRow | Glance]) -> dict[str, int]:
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


def row(engine: Engine, policy: CompiledPolicy, known: Told, points: int = KEPT) -> FleetRow:
    """Return the row of a model, with so many points of its metric at most."""
    model, card = policy.model, policy.policy.card
    verdicts, opened = engine.latest.of(model), known.opened.get(model, ())
    ordered = sorted(opened, key=lambda each: (RANKS.index(each.severity), -each.opened_at.timestamp()))
    worst = ordered[0] if ordered else None
    setting = _setting(model, known)
    times = [each.time for verdict in verdicts for each in verdict.inputs if each.time is not None]
    return FleetRow(
        model=model,
        tier=card.tier,
        team=card.owners.team,
        severity=_severity(policy, verdicts, opened),
        mode=_mode(model, known),
        mode_scope=str(setting.scope) if setting else "model",
        share=setting.share if setting and setting.mode == "throttle" else None,
        incidents=[each.id for each in ordered],
        worst=worst.title if worst else "",
        opened_at=worst.opened_at if worst else None,
        metric=worst_metric(engine, policy, verdicts, {each.key for one in opened for each in one.firing}, points),
        latency_p99=_value(verdicts, "metrics.latency_p99"),
        cost_per_1k=_value(verdicts, "metrics.cost_per_1k"),
        judged_at=max((each.at for each in verdicts), default=None),
        data_at=min(times, default=None),
        outcomes=dict(sorted(Counter(each.outcome for each in verdicts).items())),
        waived=list(known.waived.get(model, ())),
    )


def _setting(model: str, known: Told) -> Setting | None:
    switch = known.pulled.get(model)
    return switch.worst if switch is not None else None


def _mode(model: str, known: Told) -> str:
    setting = _setting(model, known)
    return setting.mode if setting else "live" if model not in OWN else ""


def _severity(policy: CompiledPolicy, verdicts: Sequence[Verdict], opened: Sequence[Incident]) -> str:
    return min((*(each.severity for each in opened), _quiet(policy, verdicts)), key=RANKS.index)


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
