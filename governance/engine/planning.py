"""What a change of the policies would do: how it differs, who must approve, and what it would have told people.

Nothing is written, and no source is asked unless the caller gives a way to: then for few questions and instants.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from governance.core.authority import Allowed, authority
from governance.core.comparison import Comparison, compared, organisation_lines
from governance.core.compiled import CompiledPolicy, EvaluationPlan
from governance.core.document import SEVERITIES
from governance.core.incident import Incident
from governance.core.metric import Answer, Query, Sample
from governance.core.organisation import Organisation
from governance.core.past import series_key
from governance.engine.rehearsal import History, Rehearsal, replayable
from governance.store import evidence, incidents, samples, waivers
from governance.store.database import Database
from governance.views.plan import (
    IncidentEffectView,
    MetricChangeView,
    NewIncidentView,
    PlanView,
    ReplayView,
    RuleChangeView,
    RunbookChangeView,
)

LONGEST = timedelta(days=31)
LEAD = timedelta(days=1)
"""How much is read of the time before, so that what was known at its beginning is known."""
MOST_INSTANTS = 1500
"""How many instants of a model are played at most; of more, every second, third …"""
MOST_ASKED, MOST_ASKED_INSTANTS = 20, 200
"""How many questions a source is asked for the past, and of how many instants, where it is asked at all."""
_WIDTHS = tuple(timedelta(minutes=each) for each in (0, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SLACK = timedelta(minutes=5)

Ask = Callable[[Sequence[Query], datetime, datetime, timedelta], Mapping[Query, Answer]]
"""Asks the sources of the proposed policies for the past of questions: first instant, last, and step."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two versions that are compared."""

    plan: EvaluationPlan
    organisation: Organisation


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far back the replay goes, in what time it must be done, and what it may ask."""

    back: timedelta = timedelta(days=30)
    seconds: float = 60.0
    ask: Ask | None = None


def planned(database: Database | None, running: Side | None, proposed: Side, at: datetime, bounds: Bounds) -> PlanView:
    """Compare policies with those that rule, and play both to what was recorded; without a database only compare."""
    before = running.plan if running is not None else EvaluationPlan((), (), "", runbooks=proposed.plan.runbooks)
    difference = compared(before, proposed.plan)
    organisation = running.organisation if running is not None else proposed.organisation
    needs = running is not None and bool(difference.loosened)
    organised = organisation_lines(organisation, proposed.organisation)
    summary = f"{difference.summary}; the organisation differs" if organised else difference.summary
    return PlanView(
        running=before.version,
        version=proposed.plan.version,
        unchanged=difference.empty and not organised and not difference.runbooks,
        summary=summary,
        changes=[*difference.lines(), *organised],
        rules=_rules(difference),
        metrics=[
            MetricChangeView(model=each.model, metric=each.metric, effect=each.effect, reasons=list(each.reasons))
            for each in difference.metrics
        ],
        runbooks=[
            RunbookChangeView(runbook=each.runbook, effect=each.effect, reasons=list(each.reasons))
            for each in difference.runbooks
        ],
        models_added=list(difference.models_added),
        models_removed=list(difference.models_removed),
        needs_approval=needs,
        loosened=list(dict.fromkeys(each.model for each in difference.loosened)),
        who_may=_who_may(difference, before, organisation) if needs else [],
        replay=_replayed(database, running, proposed, difference, at, bounds)
        if database is not None and running is not None and bounds.back and not difference.empty
        else None,
    )


def _rules(difference: Comparison) -> list[RuleChangeView]:
    return [
        RuleChangeView(
            model=each.model,
            rule=each.rule,
            tier=each.tier,
            effect=each.effect,
            reasons=list(each.reasons),
            needs_approval=each.weakens and each.tier == 1,
        )
        for each in difference.rules
    ]


def _who_may(difference: Comparison, plan: EvaluationPlan, organisation: Organisation) -> list[str]:
    cards = [plan.by_model[each].policy.card for each in dict.fromkeys(one.model for one in difference.loosened)]
    return [
        person
        for person in sorted(organisation.people)
        if all(isinstance(authority(person, "policy.approve", card, organisation), Allowed) for card in cards)
    ]


@dataclass(slots=True)
class _Replay:
    """What the replay has found so far."""

    models: list[str] = field(default_factory=list)
    instants: set[datetime] = field(default_factory=set)
    spacing: timedelta = timedelta(0)
    pages: list[int] = field(default_factory=lambda: [0, 0])
    critical: list[int] = field(default_factory=lambda: [0, 0])
    effects: list[IncidentEffectView] = field(default_factory=list)
    news: list[NewIncidentView] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    asked: int = 0


def _replayed(
    database: Database, running: Side, proposed: Side, difference: Comparison, at: datetime, bounds: Bounds
) -> ReplayView:
    """Play both versions of every model that is judged otherwise, those of tier 1 first, while there is time."""
    since, found = at - min(bounds.back, LONGEST), _Replay()
    end = time.monotonic() + bounds.seconds
    cards = {**proposed.plan.by_model, **running.plan.by_model}
    for model in sorted(difference.touched, key=lambda each: (cards[each].policy.card.tier, each)):
        if time.monotonic() > end:
            found.left_out.append(model)
        else:
            _play(database, running, proposed, model, (since, at), bounds.ask, found)
    return ReplayView(
        since=since,
        until=at,
        models=found.models,
        instants=len(found.instants),
        first=min(found.instants, default=None),
        spacing=found.spacing.total_seconds(),
        pages_before=found.pages[0],
        pages_after=found.pages[1],
        critical_before=found.critical[0],
        critical_after=found.critical[1],
        incidents=sorted(found.effects, key=lambda each: each.incident),
        new_incidents=sorted(found.news, key=lambda each: each.opened_at),
        unknown=found.unknown,
        left_out=found.left_out,
        asked=found.asked,
    )


def _play(
    database: Database,
    running: Side,
    proposed: Side,
    model: str,
    span: tuple[datetime, datetime],
    ask: Ask | None,
    found: _Replay,
) -> None:
    sides = (running, proposed)
    policies = [side.plan.by_model.get(model) for side in sides]
    history = _history(database, [each for each in policies if each is not None], span)
    history = _with_asked(history, policies[1], span, ask, found)
    rules, unable = list[set[str]](), dict[str, str]()
    for policy in policies:
        able, why = replayable(policy, history.samples.keys()) if policy is not None else (set[str](), dict[str, str]())
        rules.append(able)
        unable.update(why)
    found.unknown.update({f"{rule} of {model}": why for rule, why in unable.items()})
    instants, spacing = _instants(history, span)
    played: list[list[Incident]] = []
    for index, (policy, side, able) in enumerate(zip(policies, sides, rules, strict=True)):
        if policy is None:
            played.append([])
            continue
        rehearsal = Rehearsal(policy, side.organisation, able - unable.keys())
        rehearsal.play(history, instants)
        played.append(rehearsal.episodes())
        found.pages[index] += len(rehearsal.pages)
        found.critical[index] += sum(page.severity == "critical" for page in rehearsal.pages)
    found.models.append(model)
    found.instants.update(instants)
    found.spacing = max(found.spacing, spacing)
    with database.read() as connection:
        recorded = [each for each in incidents.listed(connection, model=model) if span[0] < each.opened_at <= span[1]]
    slack = 2 * spacing + _SLACK
    found.effects.extend(_effects(recorded, played[0], played[1], span[1], slack))
    found.news.extend(
        NewIncidentView(model=model, opened_at=each.opened_at, severity=each.peak, title=each.title)
        for each in played[1]
        if _met(each, played[0], span[1], slack) is None
    )


def _history(database: Database, policies: Sequence[CompiledPolicy], span: tuple[datetime, datetime]) -> History:
    """Read what was recorded of every question of a model, as far back as its rules look."""
    queries = dict.fromkeys(query for policy in policies for query in _questions(policy))
    looked_back = [each for policy in policies for rule in policy.rules for each in rule.needs.past.values()]
    back = max([*looked_back, LEAD]) + max((query.offset for query in queries), default=timedelta(0))
    keys = {series_key(query): query for query in queries}
    with database.read() as connection:
        stored = samples.between(connection, list(keys), span[0] - back, span[1])
        spans = samples.spans(connection, list(keys))
        known = evidence.latest(connection, known_by=span[1])
        holding = waivers.holding(connection, span[0])
    by_query = {query: stored[series_key(query)] for query in queries if series_key(query) in stored}
    begun = {query: spans[series_key(query)][0] for query in queries if series_key(query) in spans}
    return History(by_query, begun, known, holding)


def _questions(policy: CompiledPolicy) -> Iterable[Query]:
    yield from (query for rule in policy.rules for query in rule.queries)
    if policy.registry is not None:
        yield policy.registry


def _with_asked(
    history: History, policy: CompiledPolicy | None, span: tuple[datetime, datetime], ask: Ask | None, found: _Replay
) -> History:
    """Ask for the past of what was not recorded, if that is wanted, within bounds."""
    if ask is None or policy is None:
        return history
    missing = [query for query in dict.fromkeys(_questions(policy)) if query not in history.samples]
    missing = missing[: max(MOST_ASKED - found.asked, 0)]
    if not missing:
        return history
    minutes = max(round((span[1] - span[0]) / timedelta(minutes=1) / MOST_ASKED_INSTANTS), 1)
    step = timedelta(minutes=minutes)
    last = _EPOCH + (span[1] - _EPOCH) // step * step
    answers = ask(missing, last - (MOST_ASKED_INSTANTS - 1) * step, last, step)
    found.asked += len(missing)
    more: dict[Query, Sequence[Sample]] = {
        query: sorted(answer.samples, key=lambda each: each.time) for query, answer in answers.items() if answer.samples
    }
    return History({**history.samples, **more}, history.begun, history.evidence, history.waivers)


def _instants(history: History, span: tuple[datetime, datetime]) -> tuple[list[datetime], timedelta]:
    """Return the instants at which something was recorded, and how far apart they are left where there are too many."""
    found = sorted(
        {
            each.time + query.offset
            for query, known in history.samples.items()
            for each in known
            if span[0] < each.time + query.offset <= span[1]
        }
    )
    for width in _WIDTHS:
        kept = found if not width else list({(each - _EPOCH) // width: each for each in reversed(found)}.values())[::-1]
        if len(kept) <= MOST_INSTANTS:
            break
    gaps = sorted(later - earlier for earlier, later in pairwise(kept))
    return kept, gaps[len(gaps) // 2] if gaps else timedelta(0)


def _effects(
    recorded: Sequence[Incident], old: Sequence[Incident], new: Sequence[Incident], until: datetime, slack: timedelta
) -> Iterable[IncidentEffectView]:
    """Tell of each recorded incident what would have become of it, where that is not the same."""
    for incident in recorded:
        before, after = _met(incident, old, until, slack), _met(incident, new, until, slack)
        if before is None and after is None:
            continue  # it rests on what is not replayed
        effect, seconds = _effect(before, after)
        if effect:
            yield IncidentEffectView(
                incident=incident.id,
                model=incident.model,
                title=incident.title,
                opened_at=incident.opened_at,
                effect=effect,
                seconds=seconds,
                before=before.peak if before is not None else "",
                after=after.peak if after is not None else "",
            )


def _effect(before: Incident | None, after: Incident | None) -> tuple[str, float]:
    if before is None:
        return "found", 0.0
    if after is None:
        return "missed", 0.0
    seconds = (after.opened_at - before.opened_at).total_seconds()
    if seconds:
        return ("earlier" if seconds < 0 else "later"), abs(seconds)
    one, other = SEVERITIES.index(before.peak), SEVERITIES.index(after.peak)
    return ("graver" if other > one else "milder" if other < one else ""), 0.0


def _met(incident: Incident, others: Sequence[Incident], until: datetime, slack: timedelta) -> Incident | None:
    """Return the first of these that lasted while the incident did."""
    return next(
        (
            each
            for each in others
            if each.group == incident.group
            and each.opened_at <= (incident.resolved_at or until) + slack
            and (each.resolved_at or until) >= incident.opened_at - slack
        ),
        None,
    )
