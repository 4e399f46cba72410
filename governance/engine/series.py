"""The last values of what a model is judged by, from the memory of this process: no source is asked."""

from __future__ import annotations

from collections.abc import Iterator

from governance.engine.parts import Engine
from governance.engine.permission import declared
from governance.engine.worst_metric import limit_of
from governance.views.series import PointView, SeriesView


def series(engine: Engine, model: str) -> list[SeriesView]:
    """Return the inputs of a model's rules with their last values, those of rules that fail first.

    :raises NotFound: when no card declares it.
    """
    declared(engine, model)
    return sorted(_series(engine, model), key=lambda each: (not each.failing, each.limit is None, each.name, each.rule))


def _series(engine: Engine, model: str) -> Iterator[SeriesView]:
    policy = engine.plan.by_model[model]
    for verdict in engine.latest.of(model):
        for each in verdict.inputs:
            if not each.name.startswith("metrics.") and "budget_left" not in each.name:
                continue
            limit = limit_of(policy, verdict.rule, each.name)
            yield SeriesView(
                name=each.name.removeprefix("metrics."),
                labels=dict(verdict.labels),
                rule=verdict.rule,
                limit=limit.value if limit is not None else None,
                above=limit.above if limit is not None else True,
                failing=verdict.outcome == "fail",
                points=[
                    PointView(at=at, value=value) for at, value in engine.latest.timed(model, each.name, verdict.labels)
                ],
            )
