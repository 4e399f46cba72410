"""What people ask of an engine; nothing here changes anything."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from governance.core.compiled import CompiledPolicy
from governance.core.document import SEVERITIES
from governance.core.duration import format_duration
from governance.core.effect import Effect
from governance.core.evaluation import Evaluation
from governance.core.expression import Reference, Term, displayed
from governance.core.incident import Incident
from governance.core.measure import MEASURES
from governance.core.policy import EffectiveMetric
from governance.core.suggestion import closest
from governance.core.verdict import Verdict
from governance.core.waiver import Waiver
from governance.engine.budgets import measured
from governance.engine.escalation_views import escalation_view, escalation_views
from governance.engine.parts import Engine
from governance.engine.picture import Picture, Trouble, agenda, taken
from governance.engine.present import with_present
from governance.engine.running.showing import briefs, open_briefs
from governance.errors import NotFound
from governance.store import alerts, effects, incidents, progress, waivers
from governance.views import (
    AlertView,
    IncidentView,
    ItemView,
    RuleView,
    TermView,
    WhyView,
    incident_view,
    why_view,
)
from governance.views.budgets import BudgetView

_TOLD = 200
"""Characters of an alert's labels by which alerts of one rule are ordered."""


def listed(engine: Engine, *, status: str = "", model: str = "") -> list[IncidentView]:
    """Return incidents, newest first; each with the runs about it that are under way."""
    with engine.database.read() as connection:
        found = incidents.listed(connection, status=status, model=model)
        clocks = escalation_views(connection, engine, found, engine.clock.now())
        under_way = open_briefs(connection, engine, _open(found), engine.clock.now())
    return [
        incident_view(each).model_copy(update={"escalation": clocks.get(each.id), "runs": under_way.get(each.id, [])})
        for each in found
    ]


def _open(found: Sequence[Incident]) -> list[int]:
    return [each.id for each in found if each.status != "resolved"]


def alerting(engine: Engine) -> list[AlertView]:
    """Return the alerts that are pending or firing, firing ones first, the worst of them before the others."""
    with engine.database.read() as connection:
        found = alerts.active(connection).values()
    views = [
        AlertView(
            model=each.key.model,
            rule=each.key.rule,
            labels=dict(each.key.labels),
            kind=each.key.kind,
            state=each.state,
            severity=each.severity,
            since=each.since,
            basis=each.basis,
        )
        for each in found
    ]
    return sorted(views, key=alert_place)


def alert_place(alert: AlertView) -> tuple[int, str, str, str, str]:
    """Return where an alert stands among the others."""
    rank = SEVERITIES.index(alert.severity) if alert.severity in SEVERITIES else -1
    labels = repr(sorted(alert.labels.items()))
    whole = hashlib.sha256(f"{alert.kind}/{labels}".encode("utf-8", "backslashreplace")).hexdigest()
    return -rank, alert.model, alert.rule, labels[:_TOLD], whole  # a cursor must not grow with the labels


def last_judged(engine: Engine) -> datetime | None:
    """Return the instant of the last complete cycle, None before the first."""
    with engine.database.read() as connection:
        return progress.last(connection, progress.CYCLE)


def shown(engine: Engine, number: int) -> IncidentView:
    """Return one incident.

    :raises NotFound: when there is none of that number.
    """
    with engine.database.read() as connection:
        incident = incidents.get(connection, number)
        clock = escalation_view(connection, engine, incident, engine.clock.now())
        about = briefs(connection, engine, number, engine.clock.now())
    view = incident_view(incident)
    models = {each.model for each in view.findings}
    policies = [engine.plan.by_model[each] for each in models if each in engine.plan.by_model]
    rules = {(each.model, rule.rule.id): rule.rule for each in policies for rule in each.rules}
    findings = [
        each.model_copy(update={"remedy": rule.remedy, "origin": str(rule.origin)})
        if (rule := rules.get((each.model, each.rule)))
        else each
        for each in with_present(engine, view.findings)
    ]
    return view.model_copy(update={"findings": findings, "escalation": clock, "runs": about})


def why(engine: Engine, number: int) -> WhyView:
    """Return every notification of an incident, sent or withheld, with its reason and receipt.

    :raises NotFound: when there is none of that number.
    """
    with engine.database.read() as connection:
        incident: Incident = incidents.get(connection, number)
        found: list[Effect] = effects.of_incident(connection, number)
        about = briefs(connection, engine, number, engine.clock.now())
    present = [each.change for each in with_present(engine, incident_view(incident).findings) if each.change]
    return why_view(incident, found).model_copy(update={"runs": about, "status": incident.status, "now": present})


def judged(engine: Engine, model: str, at: datetime, *, explained: bool = False) -> list[RuleView]:
    """Judge every rule of a model as of `at`, with the terms of what fails, or of all if `explained`; write nothing.

    :raises NotFound: when no card declares the model.
    """
    policy = policy_of(engine, model)
    return [*judged_by(engine, policy, at, explained=explained), *_inapplicable(policy)]


def evaluated(
    engine: Engine, model: str, at: datetime, *, explained: bool = False
) -> tuple[list[RuleView], list[BudgetView]]:
    """Judge every rule of a model as of `at`, and tell what is left of each error budget; write nothing.

    :raises NotFound: when no card declares the model.
    """
    policy = policy_of(engine, model)
    picture = taken(engine, agenda([policy], None, at, Trouble(), budgets=True), at)
    with engine.database.read() as connection:
        holding = waivers.holding(connection, at)
    views = [*views_of(picture, policy, holding, explained=explained), *_inapplicable(policy)]
    return views, measured(picture.evaluation(picture.agenda[0]), policy, at)


def _inapplicable(policy: CompiledPolicy) -> list[RuleView]:
    return [RuleView(rule=each.rule, outcome="not applicable", reason=each.reason) for each in policy.inapplicable]


def policy_of(engine: Engine, model: str) -> CompiledPolicy:
    """Return the compiled policy of a model.

    :raises NotFound: when no card declares it
    """
    policy = engine.plan.by_model.get(model)
    if policy is None:
        hint = closest(model, engine.plan.by_model) or "see gov check"
        raise NotFound(f"no card declares the model '{model}'; {hint}")
    return policy


def judged_by(engine: Engine, policy: CompiledPolicy, at: datetime, *, explained: bool = False) -> list[RuleView]:
    """Judge every rule of a compiled policy as of `at`; nothing is written."""
    picture = taken(engine, agenda([policy], None, at, Trouble()), at)
    with engine.database.read() as connection:
        holding = waivers.holding(connection, at)
    return views_of(picture, policy, holding, explained=explained)


def views_of(
    picture: Picture, policy: CompiledPolicy, holding: Sequence[Waiver], *, explained: bool = False
) -> list[RuleView]:
    """Judge every rule of the first policy of a picture."""
    evaluation = picture.evaluation(picture.agenda[0])
    return [_rule_view(policy, evaluation, verdict, explained=explained) for verdict in evaluation.verdicts(holding)]


def _rule_view(
    policy: CompiledPolicy, evaluation: Evaluation, verdict: Verdict, *, explained: bool = False
) -> RuleView:
    rule = next(each for each in policy.rules if each.rule.id == verdict.rule)
    metrics = policy.policy.metrics
    measured = {each.text: _measured(each, metrics[each.metric]) for each in rule.references if each.metric in metrics}
    terms = evaluation.explain(rule, verdict.labels) if verdict.outcome == "fail" or explained else {}
    shown = verdict.failing or tuple(terms)
    shown_terms = [_term_view(term) for severity in shown for term in terms.get(severity, ())]
    return RuleView(
        rule=verdict.rule,
        labels=dict(verdict.labels),
        outcome=verdict.outcome,
        expected=verdict.expected,
        severity=verdict.severity,
        reason=verdict.reason,
        basis=verdict.basis,
        summary=evaluation.summary(rule, verdict.labels) if verdict.outcome == "fail" else "",
        remedy=rule.rule.remedy if verdict.outcome == "fail" else "",
        inputs=[
            {"name": each.name, "value": each.value, "time": each.time, "reason": each.reason}
            | measured.get(each.name, {"window": "", "unit": ""})
            for each in verdict.inputs
        ],
        terms=shown_terms,
        origin=str(rule.rule.origin),
    )


def _term_view(term: Term) -> TermView:
    return TermView(
        text=term.text,
        true=term.outcome,
        values={name: _plain(value) for name, value in term.values},
        computed={name: _plain(value) for name, value in term.computed},
        line=term.line,
        items=[ItemView(item=each.name, terms=[_term_view(part) for part in each.terms]) for each in term.items],
    )


def _measured(reference: Reference, metric: EffectiveMetric) -> dict[str, str]:
    """Return over which window a metric was measured and in which unit; an age has no window, a look back names its."""
    spec = metric.spec
    known = MEASURES.get(spec.measure or "")
    whole = (known is not None and known.age) or reference.over is not None
    window = "" if whole or not (spec.measure or spec.window) else format_duration(metric.query.window)
    plain = reference.view == "value" and reference.over is None and not reference.aggregates
    return {"window": window, "unit": (spec.unit or (known.unit if known else "")) if plain else ""}


def _plain(value: object) -> object:
    """Return a value as a view shows it: times and durations in our own words, numbers as they are."""
    return displayed(value) if isinstance(value, (timedelta, datetime)) else value
