"""Judge a version before it serves, next to the one that serves; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance.core.candidate import candidate_card, candidate_policy, unfit
from governance.core.compiled import CompiledPolicy
from governance.core.compiler import Compiler
from governance.core.metric import Labels
from governance.core.problem import Problem
from governance.engine.parts import Engine
from governance.engine.queries import judged_by
from governance.errors import InvalidDocument
from governance.ports import MetricSource
from governance.views import RuleView
from governance.views.gate import GateRuleView, GateView, NotJudgedView, RowsView

_UNJUDGED = ("error", "no_data", "too_few", "stale")


@dataclass(frozen=True, slots=True)
class Side:
    """A version with its rows: the table and source that hold them, from when on, and their columns when offline."""

    rows: RowsView
    table: str
    window: timedelta
    source: MetricSource | None
    columns: frozenset[str] | None = None


def gate(engine: Engine, policy: CompiledPolicy, candidate: Side, serving: Side | None, at: datetime) -> GateView:
    """Judge the candidate's rows by every rule that can tell of a version, and the serving version's beside.

    :raises InvalidDocument: when the policy cannot be read without what the candidate lacks
    """
    compiled, left = _judgeable(policy, candidate)
    views = _judged(engine, compiled, candidate, at)
    beside: Mapping[tuple[str, Labels], RuleView] = {}
    if serving is not None:
        other, _ = _judgeable(policy, serving)
        beside = {_key(each): each for each in _judged(engine, other, serving, at)}
    rules = [_row(each, beside.get(_key(each))) for each in views]
    return GateView(
        model=policy.model,
        version=candidate.rows.version,
        serving=serving.rows.version if serving else "",
        at=at,
        policy=engine.plan.version,
        outcome=_outcome(rules),
        judged_on=candidate.rows,
        compared_with=serving.rows if serving else None,
        rules=rules,
        not_judged=left,
    )


def _judgeable(policy: CompiledPolicy, side: Side) -> tuple[CompiledPolicy, list[NotJudgedView]]:
    """Return the policy of one version with the rules that can be judged, and the others with the reason."""
    card = candidate_card(policy.policy.card, side.rows.version, table=side.table, columns=side.columns)
    problems: list[Problem] = []
    compiled = Compiler().policy(candidate_policy(policy.policy, card, side.window), problems)
    if problems:
        raise InvalidDocument("\n".join(problem.render() for problem in problems))
    metrics = compiled.policy.metrics
    why = {rule.rule.id: unfit(rule, metrics) for rule in compiled.rules}
    left = [NotJudgedView(rule=name, reason=reason) for name, reason in why.items() if reason]
    left += [NotJudgedView(rule=each.rule, reason=each.reason) for each in compiled.inapplicable]
    fit = tuple(rule for rule in compiled.rules if not why[rule.rule.id])
    return replace(compiled, rules=fit, slos={}, registry=None), left


def _judged(engine: Engine, compiled: CompiledPolicy, side: Side, at: datetime) -> list[RuleView]:
    log = compiled.policy.card.log
    sources = dict(engine.sources)
    if log is not None and side.source is not None:
        sources[log.source] = side.source
    return judged_by(replace(engine, sources=sources), compiled, at)


def _row(view: RuleView, beside: RuleView | None) -> GateRuleView:
    return GateRuleView(
        rule=view.rule,
        labels=view.labels,
        outcome=view.outcome,
        severity=view.severity,
        summary=view.summary,
        reason=view.reason,
        inputs=view.inputs,
        terms=view.terms,
        origin=view.origin,
        serving=beside.outcome if beside else "",
        serving_inputs=beside.inputs if beside else [],
    )


def _key(view: RuleView) -> tuple[str, Labels]:
    return view.rule, tuple(sorted(view.labels.items()))


def _outcome(rules: list[GateRuleView]) -> str:
    """Missing data is never a pass, and neither is a policy without a rule for versions."""
    if any(each.outcome == "fail" for each in rules):
        return "fail"
    return "unjudged" if not rules or any(each.outcome in _UNJUDGED for each in rules) else "pass"
