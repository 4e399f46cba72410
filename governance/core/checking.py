"""Check cards, packs and the organisation against each other; positions and suggestions for each problem."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from governance.core.authored import Authored, Path, problem_at
from governance.core.card import Card
from governance.core.measure import MEASURES
from governance.core.measurement import Metric
from governance.core.organisation import Organisation
from governance.core.pack import Pack
from governance.core.problem import Problem
from governance.core.rule import Rule
from governance.core.suggestion import closest


def organisation_problems(organisation: Authored[Organisation]) -> Iterator[Problem]:
    """Check that teams are made of known people."""
    people = organisation.document.people
    for name, team in organisation.document.teams.items():
        for role in ("members", "leads"):
            for index, person in enumerate(getattr(team, role)):
                if person not in people:
                    yield _unknown(organisation, ("teams", name, role, index), "person", person, people)


def card_problems(card: Authored[Card], organisation: Organisation, twins: Collection[str]) -> Iterator[Problem]:
    """Check one card against the organisation; `twins` are the models that several cards declare."""
    document = card.document
    if document.model in twins:
        yield _at(card, ("model",), "duplicate-model", f"another card declares the model '{document.model}' too")
    if organisation.teams and document.owners.team not in organisation.teams:
        yield _unknown(card, ("owners", "team"), "team", document.owners.team, organisation.teams)
    accountable = document.owners.accountable
    if accountable and organisation.people and not _person(accountable, organisation):
        yield _unknown(card, ("owners", "accountable"), "person", accountable, organisation.people)
    if document.log is None and not document.metrics:
        message = "a card needs a prediction log (`log`) or `metrics`; without either nothing can be judged"
        yield _at(card, ("model",), "nothing-to-judge", message)
    if document.log is not None and document.log.source not in organisation.sources:
        yield _unknown(card, ("log", "source"), "source", document.log.source, organisation.sources)
    if document.truth is not None and document.truth.complete_after < document.truth.delay:
        yield _at(card, ("truth", "complete_after"), "truth-order", "`complete_after` comes before `delay`")
    versions = document.versions
    if versions and versions.rollback_to is not None and versions.rollback_to == versions.serving:
        message = "the version to roll back to is the one that serves"
        yield _at(card, ("versions", "rollback_to"), "rollback-to-itself", message)
    yield from _metric_problems(card, organisation.sources)
    yield from _rule_problems(card, document.rules)
    if document.rollback is not None and document.rollback.enforcement == "act":
        yield _at(card, ("rollback", "enforcement"), "act-unavailable", _ACT)


def pack_problems(pack: Authored[Pack], organisation: Organisation) -> Iterator[Problem]:
    """Check one pack against the organisation."""
    yield from _metric_problems(pack, organisation.sources)
    yield from _rule_problems(pack, pack.document.rules)
    for index, rule in enumerate(pack.document.rules):
        if rule.when is None:
            yield _at(pack, ("rules", index, "rule"), "no-condition", f"the rule '{rule.rule}' has no `when`")


_ACT = "this version cannot act by itself yet; `enforcement: notify` pages and shows `then` as a proposal"


def _metric_problems(owner: Authored[Any], sources: Collection[str]) -> Iterator[Problem]:
    metrics: dict[str, Metric] = owner.document.metrics
    for name, metric in metrics.items():
        if metric.source is not None and metric.source not in sources:
            yield _unknown(owner, ("metrics", name, "source"), "source", metric.source, sources)
        if metric.measure is not None and metric.measure not in MEASURES:
            yield _unknown(owner, ("metrics", name, "measure"), "measure", metric.measure, MEASURES)


def _rule_problems(owner: Authored[Any], rules: Sequence[Rule]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.rule in seen:
            yield _at(owner, ("rules", index, "rule"), "duplicate-rule", f"there is a rule '{rule.rule}' above already")
        seen.add(rule.rule)
        if rule.when is None and "/" not in rule.rule and isinstance(owner.document, Card):
            yield _at(owner, ("rules", index, "rule"), "no-condition", f"the rule '{rule.rule}' has no `when`")
        if rule.enforcement == "act":
            yield _at(owner, ("rules", index, "enforcement"), "act-unavailable", _ACT)


def _person(name: str, organisation: Organisation) -> bool:
    return name in organisation.people or any(each.email == name for each in organisation.people.values())


def _unknown(owner: Authored[Any], path: Path, kind: str, name: str, known: Collection[str]) -> Problem:
    listed = f"; known: {', '.join(sorted(known))}" if known and len(known) <= 6 else ""
    if not known:
        listed = "; no org.yaml among the checked files declares any"
    suggestion = closest(name, known)
    message = f"no {kind} '{name}'{'' if suggestion else listed}"
    return problem_at(owner.source, owner.source.at(path), f"unknown-{kind}", message, suggestion)


def _at(owner: Authored[Any], path: Path, code: str, message: str) -> Problem:
    return problem_at(owner.source, owner.source.at(path), code, message)
