"""One cycle: collect, evaluate, advance, gather, respond, record."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from governance.core.incident import IncidentChange
from governance.core.metric import Answer, Query
from governance.engine import entries, revision
from governance.engine.commit import Change, commit
from governance.engine.health import in_trouble, troubled
from governance.engine.judging import Judging, all_changes
from governance.engine.parts import Engine
from governance.engine.picture import Agenda, Picture, agenda, taken
from governance.engine.recall import remember
from governance.engine.recording import keep
from governance.engine.roll import Roll
from governance.engine.running.by_rules import begin_owed
from governance.engine.switching.automatic import settle
from governance.engine.waiver_ends import settle_waivers
from governance.store import alerts, decision_log, evidence, instances, progress, trouble, waivers


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What a cycle did, and the seconds it spent on each part."""

    at: datetime
    outcomes: Mapping[str, int]
    changes: tuple[IncidentChange, ...]
    collect_seconds: float
    evaluate_seconds: float
    commit_seconds: float


def run_cycle(
    engine: Engine, at: datetime, *, late: bool = False, given: Mapping[Query, Answer] | None = None
) -> CycleReport:
    """Judge what is due as of `at` and commit what follows; repeating a cycle that was cut off changes nothing twice.

    A `late` cycle catches up on an instant that has passed, from the answers `given`: it judges only rules whose
    questions these answer, and what it would tell waits until the present is known.
    """
    started = time.perf_counter()
    cycle, last, due = _begun(engine, at, None if not late else given or {})
    revisions = [] if late else revision.due(engine.plan, cycle.active, at)
    reviews = [
        each
        for each in revision.reviews(due, at)
        if not late or all(query in (given or {}) for query in each.asked.values())
    ]
    again: list[revision.Revision | revision.Review] = [*revisions, *reviews]
    also = ((each.policy.model, query) for each in again for query in each.asked.values())
    picture = taken(engine, due, at, also=also, given=given)
    collected = time.perf_counter()
    changes = list(all_changes(cycle, picture, revisions, reviews))
    evaluated = time.perf_counter()
    with engine.database.giving_way():
        incident_changes = _committed(cycle, changes, {model: each.version for model, each in picture.facts.items()})
        _finish(cycle, picture, last)
    if not late:
        engine.latest.take(cycle.verdicts, at, cycle.budgets)
    done = time.perf_counter()
    outcomes: Counter[str] = Counter(verdict.outcome for verdict in cycle.verdicts)
    spent = (collected - started, evaluated - collected, done - evaluated)
    return CycleReport(at, dict(outcomes), incident_changes, *spent)


def _begun(
    engine: Engine, at: datetime, given: Mapping[Query, Answer] | None
) -> tuple[Judging, datetime | None, tuple[Agenda, ...]]:
    """Return what is known before a cycle (a late one, if answers are `given`), the cycle before, and what is due.

    The cycle before is None where the same instant is asked for again: all of it is due once more.
    """
    late = given is not None
    with engine.database.read() as connection:
        under = entries.Under(engine.plan.version, progress.era(connection))
        roll = Roll(instances.known(connection))
        found = waivers.holding(connection, at)  # one that ended counts no more where the clock was set back since
        holding = [each for each in found if (each.known(at) if late else each.ended is None)]
        cycle = Judging(engine, at, late, alerts.active(connection), holding, under, roll)
        last = progress.last(connection, progress.CYCLE if late else progress.JUDGED)
        news = evidence.recorded(connection, last, at) if last is not None else frozenset()
        before = troubled(trouble.left(connection))
    last = None if last == at else last
    due = agenda(engine.plan.policies, last, at, replace(before, models=before.models | news), budgets=not late)
    return cycle, last, due if given is None else _answerable(due, given)


def _committed(cycle: Judging, changes: Sequence[Change], serving: Mapping[str, str]) -> tuple[IncidentChange, ...]:
    """Commit what changes, and in the present the pulls that were owed."""
    engine, at = cycle.engine, cycle.at
    found = commit(engine, _groups(engine, changes), at, serving)
    if not cycle.late and any(alert.owes_pull for alert in cycle.active.values()):
        begin_owed(engine, at)
        settle(engine, serving, at)
    return tuple(found)


def _answerable(due: Sequence[Agenda], given: Mapping[Query, Answer]) -> tuple[Agenda, ...]:
    """Leave out the rules that rest on the present only: of an instant that has passed nobody can tell."""
    return tuple(
        replace(
            each,
            rules=tuple(rule for rule in each.rules if all(query in given for query in rule.queries)),
            slos=tuple(
                slo
                for slo in each.slos
                if all(each.policy.policy.metrics[one.metric].query in given for one in slo.references)
            ),
        )
        for each in due
    )


def _finish(cycle: Judging, picture: Picture, before: datetime | None) -> None:
    """Remember samples that are looked back on or tried anew, say that the cycle is complete, and seal what it did."""
    engine, at = cycle.engine, cycle.at
    keep(picture, before)
    remember(engine, picture.recalled)
    cycle.roll.write(engine, at)
    with engine.database.transaction() as connection:
        last = progress.last(connection, progress.CYCLE)
        if last != at:  # the same instant again has its entry already
            over = waivers.ended(connection, last, at) if last is not None else []
            entry = entries.of_cycle(cycle.verdicts, at, last, cycle.under, late=cycle.late)
            decision_log.append(connection, [*(entries.of_waiver_end(each, at, cycle.under) for each in over), entry])
        trouble.leave(connection, in_trouble(alerts.active(connection, entries.ENGINE)))
        progress.set_last(connection, progress.CYCLE, at)
        if not cycle.late:  # what an instant that has passed could not tell is due at the next of the present
            decision_log.append(connection, settle_waivers(connection, cycle, picture.facts))
            progress.set_last(connection, progress.JUDGED, at)
    decision_log.seal(engine.database, at)


def _groups(engine: Engine, changes: Sequence[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        found[change.group(engine.organisation.incidents)].append(change)
    return found
