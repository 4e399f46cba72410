"""What is left of a model's error budgets, from the memory of this process: no source is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from governance.core.compiled import CompiledPolicy
from governance.core.duration import format_duration
from governance.core.expression import Budget, Reference
from governance.core.objective import scaled
from governance.core.slo import CompiledSlo
from governance.core.verdict import Input, Verdict
from governance.engine.parts import Engine
from governance.engine.permission import declared
from governance.views.budgets import BudgetView, BurnView
from governance.views.series import PointView

_UNSEEN = "no rule looks at it; those of the pack slo do"
_UNJUDGED = "it has not been judged since the engine started"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a rule asked of an SLO, and what it was answered."""

    budget: Budget
    answer: Input
    verdict: Verdict


def budgets(engine: Engine, model: str) -> list[BudgetView]:
    """Return the objectives of a model as they were last judged, the least that is left first.

    :raises NotFound: when no card declares the model.
    """
    declared(engine, model)
    policy = engine.plan.by_model[model]
    looked = {rule.rule.id: _budgets(rule.references) for rule in policy.rules}
    known = [
        _Asked(looked[verdict.rule][each.name], each, verdict)
        for verdict in engine.latest.of(model)
        for each in verdict.inputs
        if each.name in looked.get(verdict.rule, {})
    ]
    seen = {name for asked in looked.values() for each in asked.values() for name in _names(each, policy)}
    found = [
        _view(engine, policy, slo, [each for each in known if _is_of(each, name)], seen=name in seen)
        for name, slo in policy.slos.items()
    ]
    return sorted(found, key=lambda each: (each.left is None, each.left or 0.0))


def _budgets(references: Iterable[Reference]) -> Mapping[str, Budget]:
    return {each.text: each.budget for each in references if each.budget is not None}


def _names(budget: Budget, policy: CompiledPolicy) -> Iterator[str]:
    yield from [budget.slo] if budget.slo else policy.slos


def _is_of(asked: _Asked, slo: str) -> bool:
    return (asked.budget.slo or dict(asked.verdict.labels).get("slo")) == slo


def _view(engine: Engine, policy: CompiledPolicy, slo: CompiledSlo, asked: list[_Asked], *, seen: bool) -> BudgetView:
    left = next((each for each in asked if each.budget.function == "budget_left"), None)
    lasts = next((each for each in asked if each.budget.function == "time_to_exhaustion"), None)
    missing = next((each.answer.reason for each in asked if each.answer.value is None and each.answer.reason), "")
    value = left.answer.value if left is not None else None
    reason = left.answer.reason if left is not None else ""
    why_not = "" if value is not None else reason or missing or (_UNJUDGED if seen else _UNSEEN)
    return BudgetView(
        slo=slo.name,
        objective=slo.spec.objective,
        window=format_duration(slo.spec.window),
        counts="minutes" if slo.good is not None else "events",
        left=value,
        at=left.answer.time if left is not None else None,
        judged_at=max((each.verdict.at for each in asked), default=None),
        burns=list(_burns(slo, asked)),
        lasts=lasts.answer.value if lasts is not None else None,
        failing=sorted({each.verdict.rule for each in asked if each.verdict.outcome == "fail"}),
        why_not=why_not,
        points=_points(engine, policy.model, left),
    )


def _burns(slo: CompiledSlo, asked: list[_Asked]) -> Iterator[BurnView]:
    """Yield the burn over each window that a rule looks at, the shortest first."""
    rates: dict[timedelta, float] = {}
    for each in asked:
        window, per = each.budget.window, each.budget.per
        if each.budget.function == "burn_rate" and window is not None and each.answer.value is not None:
            rates[scaled(window, per, slo.spec.window) if per else window] = each.answer.value
    for window in sorted(rates):
        yield BurnView(window=format_duration(window), rate=rates[window])


def _points(engine: Engine, model: str, left: _Asked | None) -> list[PointView]:
    if left is None:
        return []
    known = engine.latest.timed(model, left.answer.name, left.verdict.labels)
    return [PointView(at=at, value=value) for at, value in known]
