"""Check cards, packs and the organisation against each other; positions and suggestions for each problem."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from governance.core.acting_checks import acting_problem, then_problems
from governance.core.authored import Authored
from governance.core.card import Card, RegistryName
from governance.core.defaults import default_problems
from governance.core.interval_checks import interval_problems
from governance.core.metric_checks import feature_problems, metric_problems, numbers_of
from governance.core.organisation import Organisation
from governance.core.pack import Pack
from governance.core.people_checks import (
    canary_problems,
    escalation_problems,
    member_problems,
    named_problems,
    role_problems,
    schedule_problems,
)
from governance.core.placed import placed, unknown
from governance.core.problem import Problem
from governance.core.rule import Rule
from governance.core.slo_checks import slo_problems

ENGINE = "engine"
"""The model, and the kind of source, that stand for the engine itself: its metrics come from it."""


def organisation_problems(organisation: Authored[Organisation]) -> Iterator[Problem]:
    """Check the organisation by itself."""
    yield from member_problems(organisation)
    yield from role_problems(organisation)
    yield from schedule_problems(organisation)
    yield from canary_problems(organisation)
    yield from escalation_problems(organisation)


def card_problems(card: Authored[Card], organisation: Organisation, twins: Collection[str]) -> Iterator[Problem]:
    """Check one card against the organisation; `twins` are the models that several cards declare."""
    document = card.document
    if document.model in twins:
        yield placed(card, ("model",), "duplicate-model", f"another card declares the model '{document.model}' too")
    if document.log is None and not document.metrics and document.model != ENGINE:
        message = "a card needs a prediction log (`log`) or `metrics`; without either nothing can be judged"
        yield placed(card, ("model",), "nothing-to-judge", message)
    sources = _sources(organisation)
    if document.log is not None and document.log.source not in sources:
        yield unknown(card, ("log", "source"), "source", document.log.source, sources)
    yield from _version_problems(card, sources)
    yield from named_problems(card, organisation)
    yield from interval_problems(card)
    yield from slo_problems(card)
    yield from metric_problems(card, organisation.sources, sources, numbers_of(document))
    yield from feature_problems(card)
    yield from _rule_problems(card, document.rules)
    for name, trigger in (("rollback", document.rollback), ("retraining", document.retraining)):
        if trigger is not None:
            yield from then_problems(card, (name,), trigger.then)
            if why := acting_problem(trigger.enforcement, trigger.then, ("warning",)):
                yield placed(card, (name, "enforcement"), "cannot-act", why)


def _version_problems(card: Authored[Card], sources: Sequence[str]) -> Iterator[Problem]:
    versions = card.document.versions
    if versions and versions.rollback_to is not None and versions.rollback_to == versions.serving:
        message = "the version to roll back to is the one that serves"
        yield placed(card, ("versions", "rollback_to"), "rollback-to-itself", message)
    if versions and isinstance(versions.serving, RegistryName) and versions.serving.registry not in sources:
        yield unknown(card, ("versions", "serving", "registry"), "source", versions.serving.registry, sources)


def pack_problems(pack: Authored[Pack], organisation: Organisation) -> Iterator[Problem]:
    """Check one pack against the organisation."""
    yield from default_problems(pack)
    yield from metric_problems(pack, organisation.sources, _sources(organisation))
    yield from _rule_problems(pack, pack.document.rules)
    for index, rule in enumerate(pack.document.rules):
        if rule.when is None:
            yield placed(pack, ("rules", index, "rule"), "no-condition", f"the rule '{rule.rule}' has no `when`")


def _sources(organisation: Organisation) -> list[str]:
    """Return the sources that people declare."""
    return [name for name, each in organisation.sources.items() if each.kind != ENGINE]


def _rule_problems(owner: Authored[Any], rules: Sequence[Rule]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.rule in seen:
            message = f"there is a rule '{rule.rule}' above already"
            yield placed(owner, ("rules", index, "rule"), "duplicate-rule", message)
        seen.add(rule.rule)
        if rule.when is None and "/" not in rule.rule and isinstance(owner.document, Card):
            yield placed(owner, ("rules", index, "rule"), "no-condition", f"the rule '{rule.rule}' has no `when`")
        yield from then_problems(owner, ("rules", index), rule.then)
        override = "/" in rule.rule and isinstance(owner.document, Card)  # judged with the rule that it changes
        if why := "" if override else acting_problem(rule.enforcement, rule.then, tuple(rule.conditions())):
            yield placed(owner, ("rules", index, "enforcement"), "cannot-act", why)
