"""All that an auditor asks of a fleet as of an instant: what is declared, judged, open, waived and proved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.card import Card
from governance.core.cell import column
from governance.core.compiled import CompiledPolicy
from governance.core.compliance import judgements, named_elsewhere
from governance.core.control import Cited, Judgement, Known, Logged, State
from governance.core.evidence import Record
from governance.core.incident import Incident
from governance.core.metric import Query
from governance.core.policy_version import PolicyVersion
from governance.core.switch import Switch
from governance.core.verdict import Verdict
from governance.core.waiver import Waiver, WaiverFacts, WaiverRequest, is_active
from governance.engine import entries
from governance.engine.budget_curves import Tallies, budgets, parts_of
from governance.engine.incident_past import open_at, opening
from governance.engine.parts import Engine
from governance.engine.picture import Agenda, Picture, Trouble, agenda, taken
from governance.engine.portrait import Measured
from governance.errors import NotFound
from governance.store import citations, evidence, policy_versions, progress, switches, waiver_requests, waivers
from governance.store.heads_file import Head

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from governance.core.evaluation import Evaluation

MONEY = ("cost_per_1k", "spend")
"""The standard metrics that say what a model costs."""


@dataclass(frozen=True, slots=True)
class ModelReport:
    """One model: what is known of it, and what is found of each control; `elsewhere` are controls of other regimes."""

    policy: CompiledPolicy
    known: Known
    judgements: tuple[Judgement, ...]
    elsewhere: tuple[Judgement, ...]
    version: str
    switch: Switch
    measured: tuple[Measured, ...]
    requests: tuple[WaiverRequest, ...]

    @property
    def card(self) -> Card:
        """The model's card."""
        return self.policy.policy.card

    def count(self, state: State) -> int:
        """Return how many controls are found to be so."""
        return sum(each.state == state for each in (*self.judgements, *self.elsewhere))

    @property
    def failing(self) -> tuple[Verdict, ...]:
        """The verdicts of rules that fail."""
        return tuple(each for each in self.known.verdicts if each.outcome == "fail")


@dataclass(frozen=True, slots=True)
class FleetReport:
    """The fleet as of `at`, what is not compliant first; `own` is what the engine knows of itself.

    `version` is the digest of the policies that are judged here, `ruled` the version that ruled then, None of none.
    `head` is that of the decision log, which all entries that are cited lie under; `heads` is the name of the
    file in which heads are published, "" of none.
    """

    environment: str
    at: datetime
    version: str
    ruled: PolicyVersion | None
    adopted: Cited | None
    head: Head | None
    heads: str
    models: tuple[ModelReport, ...]
    own: tuple[ModelReport, ...]

    @property
    def cited(self) -> tuple[Cited, ...]:
        """Every entry that is cited, each once, in their order."""
        found: dict[int, Cited] = {}
        for each in (*self.models, *self.own):
            rests = [entry for judged in (*each.judgements, *each.elsewhere) for entry in judged.entries]
            shown = [entry for _, entry in (*each.known.records, *each.known.waivers, *each.known.incidents)]
            found |= {entry.seq: entry for entry in (*rests, *shown) if entry is not None}
        if self.adopted is not None:
            found[self.adopted.seq] = self.adopted
        return tuple(found[seq] for seq in sorted(found))


def fleet_report(engine: Engine, at: datetime) -> FleetReport:
    """Ask for everything about every model as of `at`; nothing is written."""
    policies = engine.plan.policies
    picture = taken(engine, agenda(policies, None, at, Trouble(), budgets=True), at, also=_money(policies))
    opened = open_at(engine, at)
    with engine.database.read() as connection:
        facts = _Facts(engine, connection, at, picture, opened)
    found = [_model(facts, each) for each in picture.agenda]
    published = engine.database.heads
    return FleetReport(
        engine.organisation.environment, at, engine.plan.version, facts.ruled, facts.adopted, facts.head,
        published.name if published is not None else "",
        tuple(sorted((each for each in found if each.card.model not in entries.OWN), key=place)),
        tuple(each for each in found if each.card.model in entries.OWN),
    )  # fmt: skip


def place(report: ModelReport) -> tuple[int, int, int, str]:
    """Return where a model stands among the others: what is not met first, of these the critical ones."""
    bad = report.count("not met")
    return (0 if bad or report.known.incidents else 1, report.card.tier, -bad, report.card.model)


class _Facts:
    """What the store knows, read in few questions for all models."""

    def __init__(
        self, engine: Engine, connection: Connection, at: datetime, picture: Picture, opened: Sequence[Incident]
    ) -> None:
        self.at, self.picture = at, picture
        names = [each.policy.model for each in picture.agenda]
        self.head = citations.head_at(connection, at)
        size = self.head.size if self.head is not None else 0
        self.holding = [each for each in waivers.holding(connection, at) if each.known(at)]
        self.opened, self.switches = opened, switches.all_of(connection)
        self.records = {each: _known_by(evidence.of_model(connection, each), at) for each in names}
        self.requests = [each for each in waiver_requests.pending(connection) if each.requested_at <= at]
        self.logged: Mapping[str, Mapping[str, Logged]] = citations.by_kind(connection, names, size)
        self.cited = citations.of_decisions(connection, self._decisions(), size)
        self.cycle = citations.newest(connection, "cycle.evaluated", size)
        self.adopted = citations.adoption(connection, engine.plan.version, size)
        self.ruled = _ruled(connection, at)
        self.unsound_since = progress.last(connection, progress.UNSOUND)
        slos = [slo for each in picture.agenda for slo in each.policy.slos.values()]
        self.tallies: Tallies = parts_of(connection, slos, at)

    def _decisions(self) -> set[str]:
        recorded = {each.decision for found in self.records.values() for each in found}
        return {*recorded, *map(opening, self.opened), *map(_approval, self.holding)}


def _model(facts: _Facts, each: Agenda) -> ModelReport:
    model, evaluation = each.policy.model, facts.picture.evaluation(each)
    verdicts = tuple(evaluation.verdicts(facts.holding))
    known = Known(
        card=each.policy.policy.card,
        at=facts.at,
        version=facts.picture.facts[model].version,
        rules={rule.rule.id: rule.rule for rule in each.policy.rules},
        verdicts=verdicts,
        summaries=_summaries(each.policy, evaluation, verdicts),
        records=tuple((record, facts.cited.get(record.decision)) for record in facts.records[model]),
        waivers=tuple((waiver, facts.cited.get(_approval(waiver))) for waiver in _in_force(facts, model)),
        incidents=tuple((one, facts.cited.get(opening(one))) for one in facts.opened if one.model == model),
        budgets=budgets(each.policy, evaluation, facts.tallies, facts.at),
        logged=facts.logged.get(model, {}),
        adopted=facts.adopted,
        cycle=facts.cycle,
        unsound_since=facts.unsound_since,
    )
    governed = model not in entries.OWN
    return ModelReport(
        each.policy,
        known,
        judgements(known) if governed else (),
        named_elsewhere(known) if governed else (),
        known.version,
        facts.switches.get(model, Switch(model)),
        _measured(facts, each.policy),
        tuple(one for one in facts.requests if one.model == model),
    )


def _money(policies: Iterable[CompiledPolicy]) -> list[tuple[str, Query]]:
    return [
        (each.model, each.policy.metrics[name].query)
        for each in policies
        for name in MONEY
        if name in each.policy.metrics
    ]


def _measured(facts: _Facts, policy: CompiledPolicy) -> tuple[Measured, ...]:
    found = []
    for name in MONEY:
        metric = policy.policy.metrics.get(name)
        if metric is None:
            continue
        answered = column(metric, facts.picture.answers.get(metric.query), facts.at)
        cell = answered.at((), ())
        found.append(Measured(metric, {}, cell.value, cell.count, cell.detail, cell.time))
    return tuple(found)


def _summaries(policy: CompiledPolicy, evaluation: Evaluation, verdicts: Iterable[Verdict]) -> dict[str, str]:
    """Return what a failing rule says, of one that fails for several labels the first."""
    rules = {each.rule.id: each for each in policy.rules}
    found: dict[str, str] = {}
    for each in verdicts:
        if each.outcome == "fail" and each.rule not in found:
            found[each.rule] = evaluation.summary(rules[each.rule], each.labels)
    return found


def _in_force(facts: _Facts, model: str) -> list[Waiver]:
    records = [each for each in facts.records[model] if each.kind == "trained"]
    known = WaiverFacts(facts.picture.facts[model].version, records[0].at if records else None)
    return [each for each in facts.holding if each.model == model and is_active(each, known, facts.at)]


def _known_by(found: Iterable[tuple[Record, int | None]], at: datetime) -> list[Record]:
    return [record for record, _ in found if record.recorded_at <= at]


def _approval(waiver: Waiver) -> str:
    return entries.identity("waiver", waiver.id)


def _ruled(connection: Connection, at: datetime) -> PolicyVersion | None:
    try:
        return policy_versions.ruling_at(connection, at)
    except NotFound:
        return None
