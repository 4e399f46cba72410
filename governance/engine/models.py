"""One model in full, for who reads it."""

from __future__ import annotations

from datetime import timedelta

from governance.core.compiled import CompiledPolicy
from governance.core.duration import format_duration
from governance.core.policy import EffectiveRule
from governance.core.verdict import Verdict
from governance.engine.parts import Engine
from governance.engine.permission import declared
from governance.views import PolicyMetricView, PolicyRuleView, PolicyView, RuleView, VerdictsView


def policy_view(engine: Engine, model: str) -> PolicyView:
    """Return the effective policy of a model, with the origin of each part.

    :raises NotFound: when no card declares it.
    """
    declared(engine, model)
    compiled = engine.plan.by_model[model]
    policy = compiled.policy
    present = [
        PolicyMetricView(
            name=name,
            source=each.query.source,
            every=format_duration(each.every),
            labels=list(each.labels),
            origin=str(each.origin),
        )
        for name, each in policy.metrics.items()
    ]
    absent = [PolicyMetricView(name=name, why_not=each.reason) for name, each in policy.absent.items()]
    parameters = {
        f"{pack}/{name}": format_duration(value) if isinstance(value, timedelta) else value
        for pack, values in policy.parameters.items()
        for name, value in values.items()
    }
    return PolicyView(
        model=model,
        version=engine.plan.version,
        rules=_rules(compiled),
        metrics=[*present, *absent],
        parameters=parameters,
    )


def verdicts_view(engine: Engine, model: str) -> VerdictsView:
    """Return what this process last judged of a model.

    :raises NotFound: when no card declares it.
    """
    declared(engine, model)
    found = engine.latest.of(model)
    at = max((each.at for each in found), default=None)
    return VerdictsView(model=model, judged_at=at, items=[_verdict(each) for each in found])


def _rules(compiled: CompiledPolicy) -> list[PolicyRuleView]:
    judged = [_rule(each.rule) for each in compiled.rules]
    return [*judged, *(PolicyRuleView(rule=each.rule, why_not=each.reason) for each in compiled.inapplicable)]


def _rule(rule: EffectiveRule) -> PolicyRuleView:
    return PolicyRuleView(
        rule=rule.id,
        pack=rule.pack,
        when={severity: each.text for severity, each in rule.conditions},
        for_=format_duration(rule.for_),
        keep_firing_for=format_duration(rule.keep_firing_for),
        enforcement=rule.enforcement,
        then=rule.then.describe() if rule.then else "",
        summary=rule.summary.text if rule.summary else "",
        remedy=rule.remedy,
        controls=list(rule.controls),
        origin=str(rule.origin),
    )


def _verdict(verdict: Verdict) -> RuleView:
    return RuleView(
        rule=verdict.rule,
        labels=dict(verdict.labels),
        outcome=verdict.outcome,
        expected=verdict.expected,
        severity=verdict.severity,
        reason=verdict.reason,
        basis=verdict.basis,
        inputs=[
            {"name": each.name, "value": each.value, "time": each.time, "reason": each.reason}
            for each in verdict.inputs
        ],
    )
