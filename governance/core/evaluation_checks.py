"""Check how a card says that its model is evaluated: by metrics that there are, and never by a single one."""

from __future__ import annotations

from collections.abc import Iterator

from governance.core.authored import problem_at
from governance.core.policy import EffectivePolicy
from governance.core.problem import Problem
from governance.core.suggestion import closest

_LISTS = ("approve_on", "business", "quality", "health", "leading")


def evaluation_problems(policy: EffectivePolicy) -> Iterator[Problem]:
    """Check the metrics that a card's evaluation names, of its own and of the packs."""
    plan = policy.card.evaluation
    if plan is None:
        return
    for part in _LISTS:
        for index, name in enumerate(getattr(plan, part)):
            if name not in policy.metrics:
                yield _unknown(policy, part, index, name)
    if len(set(plan.approve_on)) == 1:
        place = policy.source.at(("evaluation", "approve_on"))
        message = f"a version would be approved on '{plan.approve_on[0]}' alone"
        yield problem_at(policy.source, place, "one-number", message, "add what must not become worse by it")


def _unknown(policy: EffectivePolicy, part: str, index: int, name: str) -> Problem:
    why = policy.absent[name].reason if name in policy.absent else ""
    message = f"no metric '{name}' here: {why}" if why else f"no metric '{name}'"
    place = policy.source.at(("evaluation", part, index))
    return problem_at(policy.source, place, "unknown-metric", message, "" if why else closest(name, policy.metrics))
