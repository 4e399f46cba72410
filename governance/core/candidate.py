"""Judge a version before it serves: the policy of its model, over the rows of that version alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from governance.core.card import Card, Columns, Data, FeatureCard, Log, Truth, Versions
from governance.core.compiled import CompiledRule
from governance.core.expression import Reference
from governance.core.measure import COMPARISONS, MEASURES
from governance.core.measurement import Metric
from governance.core.policy import Absent, EffectiveMetric, EffectivePolicy
from governance.core.question import log_table, query, unavailable

_NAMES_VERSION = re.compile(r"\$version\b|:version\b")


def candidate_card(card: Card, version: str, *, table: str, columns: frozenset[str] | None) -> Card:
    """Return the card as if `version` served, with its rows in `table`.

    `columns` are those of an offline evaluation, whose truth stands beside each prediction; None of rows of the log.
    """
    versions = (card.versions or Versions()).model_copy(update={"serving": version})
    changes: dict[str, object] = {"versions": versions}
    if card.log is not None:
        changes["log"] = _log(card.log, table, columns)
        changes["truth"] = card.truth if columns is None else Truth(delay=timedelta(0), complete_after=timedelta(0))
    if card.data is not None:
        changes["data"] = _compared_with_training(card.data)
    return card.model_copy(update=changes)


def candidate_policy(policy: EffectivePolicy, card: Card, window: timedelta) -> EffectivePolicy:
    """Return a policy whose metrics over the log are those of `card`, each over the whole `window`."""
    log = log_table(card)
    metrics: dict[str, EffectiveMetric] = {}
    absent = dict(policy.absent)
    for name, each in policy.metrics.items():
        spec = each.spec if each.spec.measure is None else each.spec.model_copy(update={"window": window})
        reason = unavailable(spec, card, log)
        if reason:
            absent[name] = Absent(reason, each.labels)
        else:
            metrics[name] = replace(each, spec=spec, query=query(spec, card, log))
    return replace(policy, card=card, metrics=metrics, absent=absent)


def unfit(rule: CompiledRule, metrics: Mapping[str, EffectiveMetric]) -> str:
    """Return why no version can be judged by a rule, "" when it can: told by what its condition asks for."""
    if not rule.references:
        return "it is about the card or the evidence, not about a version"
    return next((why for each in rule.references if (why := _unfit(each, metrics))), "")


def _unfit(reference: Reference, metrics: Mapping[str, EffectiveMetric]) -> str:
    if reference.budget is not None:
        return "an error budget is the service's, not a version's"
    spec = metrics[reference.metric].spec
    if spec.query is not None:
        if _NAMES_VERSION.search(spec.query) and spec.model_label is None:
            return _looks_back(reference)
        return f"the query of metrics.{reference.metric} does not name $version, so that it cannot tell versions apart"
    measure = MEASURES.get(spec.measure or "")
    if measure is not None and not measure.of_version:
        return f"metrics.{reference.metric} tells of the service ({measure.description}), not of a version"
    if spec.by == "version":
        return f"metrics.{reference.metric} sets versions beside each other; here each is judged by itself"
    if _compares_with_before(spec):
        return f"metrics.{reference.metric} compares with the time before, which a candidate does not have"
    return _looks_back(reference)


def _looks_back(reference: Reference) -> str:
    return f"{reference.text} looks back on a past that a candidate does not have" if reference.over else ""


def _compares_with_before(spec: Metric) -> bool:
    return spec.measure in COMPARISONS and spec.against is not None and spec.against.reference is None


def _log(log: Log, table: str, columns: frozenset[str] | None) -> Log:
    if columns is None:
        return log.model_copy(update={"table": table})
    there = {
        role: column
        for role, column in log.columns.model_dump(exclude_none=True).items()
        if column.lower() in columns and role != "label_time"
    }
    return log.model_copy(update={"table": table, "labels": None, "columns": Columns.model_validate(there)})


def _compared_with_training(data: Data) -> Data:
    """A candidate has no time before: what a feature was compared with there, it is with training."""

    def alike(feature: FeatureCard) -> FeatureCard:
        return feature.model_copy(update={"against": None})

    return data.model_copy(update={"features": {name: alike(each) for name, each in data.features.items()}})
