"""Which rules no test made fire and let be, and which conditions no test made true and false."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from governance.core.authored import Authored
from governance.core.compiled import CompiledPolicy, CompiledRule, EvaluationPlan
from governance.core.evaluation import Evaluation
from governance.core.expression import Condition
from governance.core.pack import Pack
from governance.core.problem import Position
from governance.core.runbook import Runbook, Step
from governance.engine.parts import Engine
from governance.testing.evidence import evaluation
from governance.testing.seen import Seen


@dataclass
class Covered:
    """One rule, or one condition of one, and which of its two outcomes were seen."""

    at: Position
    rule: str
    text: str = ""
    severity: str = ""
    yes: bool = False
    no: bool = False

    @property
    def count(self) -> int:
        """How many of the two outcomes were seen."""
        return int(self.yes) + int(self.no)

    @property
    def missing(self) -> str:
        """What no test did, in words; "" when nothing is missing."""
        words = ("true", "false") if self.text else ("fired", "quiet")
        left = [word for word, seen in zip(words, (self.yes, self.no), strict=True) if not seen]
        return f"never {' nor '.join(left)}" if left else ""


@dataclass
class Branch:
    """One way out of a step of a runbook, and whether a run took it; `missing` says in words that none did."""

    at: Position
    rule: str
    text: str
    way: str
    seen: bool = False
    severity: str = ""

    @property
    def missing(self) -> str:
        """What no test did, "" when nothing is missing."""
        return "" if self.seen else f"never {self.way}"


@dataclass
class Coverage:
    """What the tests of a run did to the rules of the cards and packs that they are of, and to runbooks step by step.

    `fixtures` are files whose rules do not count: those of cards that tests bring along.
    """

    rules: dict[Position, Covered] = field(default_factory=dict)
    conditions: dict[tuple[Position, str], Covered] = field(default_factory=dict)
    branches: dict[tuple[str, str, str], Branch] = field(default_factory=dict)
    fixtures: set[str] = field(default_factory=set)
    _known: set[object] = field(default_factory=set)

    def declare(self, plan: EvaluationPlan) -> None:
        """Take the rules under test of a plan, and their conditions."""
        for policy in plan.policies:
            for rule in policy.rules:
                self._rule(rule.rule.origin, rule.rule.id)
                for severity, program in rule.programs:
                    for condition in program.conditions:
                        self._condition(rule, severity, condition)

    def declare_pack(self, pack: Authored[Pack]) -> None:
        """Take the rules of a pack, also those that none of the cards could be judged by."""
        for index, rule in enumerate(pack.document.rules):
            self._rule(pack.source.at(("rules", index, "rule")), f"{pack.document.pack}/{rule.rule}")

    def declare_runbook(self, runbook: Authored[Runbook]) -> None:
        """Take the steps of a runbook, with each way out of them that its author wrote."""
        for index, step in enumerate(runbook.document.steps):
            at = runbook.source.at(("steps", index, "step"))
            for way in _ways(step):
                key = (runbook.document.runbook, step.step, way)
                self.branches.setdefault(key, Branch(at, runbook.document.runbook, step.step, way))

    def look(self, engine: Engine, seen: Seen, at: datetime) -> None:
        """Take note of what is so after a beat."""
        for run in seen.runs if self.branches else ():
            for visit in run.visits:
                branch = self.branches.get((run.runbook.runbook, visit.step, _WAYS.get(visit.state, "")))
                if branch is not None and not visit.undoes:
                    branch.seen = True
        fired = {(key.model, key.rule) for key, each in seen.alerts.items() if each.state == "firing"}
        for policy in engine.plan.policies:
            found = evaluation(engine, policy, at)
            for rule in policy.rules:
                record = self._rule(rule.rule.origin, rule.rule.id)
                if (policy.model, rule.rule.id) in fired:
                    record.yes = True
                self._judged(found, policy, rule, record)

    def _judged(self, found: Evaluation, policy: CompiledPolicy, rule: CompiledRule, record: Covered) -> None:
        instances = found.instances(rule)
        if isinstance(instances, str):
            return
        for each in instances:
            values = tuple((cell.value, cell.reason, cell.count) for cell in each.cells.values())
            key = (id(policy), rule.rule.id, each.labels, values)
            if key in self._known and not _moves(rule):
                continue
            self._known.add(key)
            outcomes = found.outcomes(rule, each.labels)
            for severity, program in rule.programs:
                for condition, outcome in zip(program.conditions, outcomes[severity], strict=True):
                    covered = self._condition(rule, severity, condition)
                    covered.yes = covered.yes or outcome is True
                    covered.no = covered.no or outcome is False
        if not record.no:
            record.no = any(each.outcome == "pass" and not each.missing for each in found.judge(rule))

    def _rule(self, at: Position, name: str) -> Covered:
        new = Covered(at, name)
        return new if at.file in self.fixtures else self.rules.setdefault(at, new)

    def _condition(self, rule: CompiledRule, severity: str, condition: Condition) -> Covered:
        written = dict(rule.rule.conditions)[severity]  # type: ignore[index]
        start, end = condition.span
        line = written.text.count("\n", 0, start) + 1
        column = start - written.text.rfind("\n", 0, start)
        at = written.source.inside(written.path, line, column, end - start)
        new = Covered(at, rule.rule.id, condition.text, severity)
        return new if at.file in self.fixtures else self.conditions.setdefault((at, condition.text), new)

    @property
    def percent(self) -> float:
        """The share of outcomes that were seen, in percent, rounded down to a tenth; 100 of nothing."""
        everything = [*self.rules.values(), *self.conditions.values()]
        known = 2 * len(everything) + len(self.branches)
        if not known:
            return 100.0
        seen = sum(each.count for each in everything) + sum(each.seen for each in self.branches.values())
        return int(1000 * seen / known) / 10

    @property
    def unseen(self) -> int:
        """How many outcomes and branches were never seen."""
        rules = sum(2 - each.count for each in (*self.rules.values(), *self.conditions.values()))
        return rules + sum(not each.seen for each in self.branches.values())

    def gaps(self) -> Iterator[Covered | Branch]:
        """Yield what no test did, by its place."""
        everything: list[Covered | Branch] = [*self.rules.values(), *self.conditions.values()]
        everything += self.branches.values()
        found = [each for each in everything if each.missing]
        yield from sorted(found, key=lambda each: (each.at, each.text))


_WAYS = {"done": "done", "undone": "done", "failed": "failed", "timed_out": "timed out", "skipped": "skipped"}
"""By what became of a visit, which way out of its step was taken."""


def _ways(step: Step) -> Iterator[str]:
    """Yield the ways out of a step: it comes off, and each for which its author wrote where it leads."""
    yield "done"
    if step.when is not None:
        yield "skipped"
    if "on_failure" in step.model_fields_set:
        yield "failed"
    if step.timeout is not None and step.kind in ("instruct", "approve", "check"):
        yield "timed out"


def _moves(rule: CompiledRule) -> bool:
    views = any(each.view == "series" for each in rule.references)
    return views or any(program.variables & {"now", "evidence"} for _, program in rule.programs)
