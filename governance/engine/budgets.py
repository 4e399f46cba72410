"""What is left of a model's error budgets, from the memory of this process: no source is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from governance.core.compiled import CompiledPolicy
from governance.core.duration import format_duration
from governance.core.evaluation import Evaluation
from governance.core.expression import Budget, Reference
from governance.core.objective import scaled
from governance.core.slo import SOURCE, CompiledSlo, answered
from governance.core.verdict import Input, Outcome, Verdict
from governance.engine.parts import Engine
from governance.engine.permission import declared
from governance.views.budgets import BudgetView, BurnView
from governance.views.series import PointView

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
    known.extend(
        _Asked(Budget("budget_left", name), *each) for name in policy.unwatched for each in _told(engine, model, name)
    )
    seen = _seen(policy)
    found = [
        _view(engine, policy, slo, [each for each in known if _is_of(each, name)], seen=name in seen)
        for name, slo in policy.slos.items()
    ]
    return sorted(found, key=_least_first)


def measured(evaluation: Evaluation, policy: CompiledPolicy, at: datetime) -> list[BudgetView]:
    """Return what an evaluation says is left of each objective, the least first."""
    seen, slos = _seen(policy), policy.slos
    told = unwatched(evaluation, policy.model, slos.values(), at)
    found = [
        _plain(slos[each.rule]).model_copy(
            update={
                "left": each.inputs[0].value,
                "at": each.inputs[0].time,
                "judged_at": at,
                "unwatched": each.rule not in seen,
                "why_not": each.inputs[0].reason if each.inputs[0].value is None else "",
            }
        )
        for each in told
    ]
    return sorted(found, key=_least_first)


def _least_first(budget: BudgetView) -> tuple[bool, float]:
    return budget.left is None, budget.left or 0.0


def _seen(policy: CompiledPolicy) -> set[str]:
    """Return the SLOs that some rule looks at."""
    asked = [budget for rule in policy.rules for budget in _budgets(rule.references).values()]
    return {name for each in asked for name in _names(each, policy)}


def _plain(slo: CompiledSlo) -> BudgetView:
    return BudgetView(
        slo=slo.name,
        objective=slo.spec.objective,
        window=format_duration(slo.spec.window),
        counts="minutes" if slo.good is not None else "events",
    )


def unwatched(evaluation: Evaluation, model: str, slos: Iterable[CompiledSlo], at: datetime) -> Iterator[Verdict]:
    """Yield what is left of budgets that no rule looks at; each is named by its SLO, and no verdict of the model."""
    for slo in slos:
        budget = Budget("budget_left", slo.name)
        cell = answered(slo, budget, partial(evaluation.spent, slo))
        told = Input(f"budget_left(slos.{slo.name})", cell.value, cell.time, SOURCE, cell.detail or cell.reason or "")
        outcome: Outcome = "pass" if cell.value is not None else cell.reason or "no_data"
        yield Verdict(model, slo.name, (), at, outcome, reason=cell.detail, inputs=(told,))


def _told(engine: Engine, model: str, slo: str) -> Iterator[tuple[Input, Verdict]]:
    known = engine.latest.budget(model, slo)
    if known is not None:
        yield from ((each, known) for each in known.inputs)


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
    why_not = "" if value is not None else reason or missing or _UNJUDGED
    found = {
        "left": value,
        "at": left.answer.time if left is not None else None,
        "judged_at": max((each.verdict.at for each in asked), default=None),
        "burns": list(_burns(slo, asked)),
        "lasts": lasts.answer.value if lasts is not None else None,
        "unwatched": not seen,
        "failing": sorted({each.verdict.rule for each in asked if each.verdict.outcome == "fail"}),
        "why_not": why_not,
        "points": _points(engine, policy.model, left),
    }
    return _plain(slo).model_copy(update=found)


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
