"""The evaluation plan: compiled rules and the distinct queries of the whole fleet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from governance.core.authored import Authored
from governance.core.card import Card
from governance.core.compiled import CompiledPolicy, EvaluationPlan
from governance.core.compiler import Compiler
from governance.core.evaluation_checks import evaluation_problems
from governance.core.memory import Memory
from governance.core.pack import Pack
from governance.core.policy import Declared, effective_policy
from governance.core.problem import Problem


def evaluation_plan(
    cards: Sequence[Authored[Card]], packs: Sequence[Authored[Pack]], memory: Memory | None = None
) -> EvaluationPlan:
    """Compile every policy of the fleet; `problems` lists everything that is wrong, in all files.

    With a `memory` nothing is compiled that it has from other plans.
    """
    compiler = Compiler(memory)
    problems: list[Problem] = list(compiler.pack_problems(packs))
    broken = {problem.position.file for problem in problems}
    sound = [pack for pack in packs if pack.source.file not in broken]
    unsound = [pack.document.pack for pack in packs if pack.source.file in broken]
    policies = []
    declared: Declared = {}
    for card in cards:
        policy = effective_policy(card, sound, compiler.selects, broken=unsound, declared=declared)
        compiled = compiler.policy(policy, problems)
        problems.extend(policy.problems)
        problems.extend(evaluation_problems(policy))
        policies.append(compiled)
    queries = dict.fromkeys(query for policy in policies for query in policy.queries)
    distinct = tuple(dict.fromkeys([*problems, *compiler.problems]))
    by_model = {policy.model: policy for policy in policies}
    return EvaluationPlan(tuple(policies), tuple(queries), _version(policies), distinct, by_model)


class _Shown(str):
    """How something is shown, which is shown as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the text without quotes."""
        return str(self)


def _version(policies: Iterable[CompiledPolicy]) -> str:
    """Name the policies by what they say: the first 12 hex digits of a SHA-256 over all effective policies."""
    digest = hashlib.sha256()
    shown: dict[int, _Shown] = {}  # packs give the same metrics to each model
    for policy in policies:
        rules = [
            (
                each.rule.id,
                [(severity, written.text) for severity, written in each.rule.conditions],
                str(each.rule.for_),
                str(each.rule.keep_firing_for),
                str(each.rule.no_data_for),
                each.rule.no_data_then,
                each.rule.no_data_severity,
                each.rule.enforcement,
                each.rule.then,
                each.rule.for_each[1].text if each.rule.for_each else "",
                each.rule.summary.text if each.rule.summary else "",
            )
            for each in policy.rules
        ]
        for metric in policy.policy.metrics.values():
            if id(metric.spec) not in shown:
                shown[id(metric.spec)] = _Shown(repr(metric.spec))
        metrics = {name: (shown[id(each.spec)], each.query) for name, each in policy.policy.metrics.items()}
        said = (policy.policy.card.model_dump_json(), rules, policy.policy.parameters, metrics)
        digest.update(repr(said).encode())
    return digest.hexdigest()[:12]
