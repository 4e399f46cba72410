"""Play one test on the real engine: beat by beat, the acts of people, and what must then be seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.core.alert import Alert, AlertKey
from governance.core.compiled import CompiledPolicy, CompiledRule, EvaluationPlan
from governance.core.problem import Problem, printable
from governance.core.story import EPOCH, Act, Expectation, Story
from governance.engine.collect import Collector as Asking
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.ports import MetricSource
from governance.store import decision_log, progress
from governance.store.database import Database
from governance.testing import acts
from governance.testing.collector import START, Collector, FixedClock
from governance.testing.comparison import Difference, differences, labels_text, matching
from governance.testing.evidence import evaluation, explained, metrics_of, offset_text
from governance.testing.library import Library
from governance.testing.running import driven, go_on
from governance.testing.scene import Scene, edited, with_rules
from governance.testing.seen import Seen
from governance.testing.source import RememberingSource, SeriesSource
from governance.testing.systems import systems

Watch = Callable[[Engine, Seen, datetime], None]
"""What looks at an engine after each beat, such as coverage."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that was not as expected: where it is expected, and the lines that explain what was found."""

    problem: Problem
    lines: tuple[str, ...] = ()

    def render(self) -> str:
        """Return the failure as people read it."""
        return "\n".join([self.problem.render(), *(f"        {printable(each)}" for each in self.lines)])


@dataclass(frozen=True, slots=True)
class Played:
    """What became of one test: its failures, the beats that were judged and the seconds it took."""

    scene: Scene
    failures: tuple[Failure, ...]
    beats: int
    seconds: float


def begin(test: Story, every: timedelta) -> datetime:
    """Return when a test begins; where it does not say so, at the first beat of a Monday's or later."""
    if test.start is not None:
        return test.start.astimezone(UTC) if test.start.tzinfo is not None else test.start.replace(tzinfo=UTC)
    return START + (EPOCH - START) % every


@dataclass
class Play:
    """One test on its way: an engine with a database in memory, whose only source are the series of the test."""

    scene: Scene
    library: Library
    watch: Watch | None = None
    log: MetricSource | None = None
    database: Database | None = None
    collector: Collector = field(default_factory=Collector)
    waivers: int = 0

    def __post_init__(self) -> None:
        """Build the engine."""
        test = self.scene.test
        self.every = self.scene.suite.document.step(test)
        self.start = begin(test, self.every)
        kind = RememberingSource if test.past else SeriesSource
        self.source: SeriesSource = kind(
            self.scene.plan.policies, test.series, self.start, self.every, serving=test.serving or "", log=self.log
        )
        plan = self._told(self.scene.plan.policies)
        procedures = [each.document for each in plan.runbooks.values()]
        self.engine = Engine(
            plan=plan,
            organisation=self.scene.organisation,
            sources=dict.fromkeys(self.scene.sources, self.source),
            acts=systems(procedures, self.library.organisation, test.outcomes),
            notifiers={"pager": self.collector},
            database=self.database or Database("sqlite://"),
            clock=FixedClock(self.start),
            collector=Asking(threads=False),
        )
        if self.database is None:
            self.engine.database.create_tables()
        self._busy = {each.at for each in test.acts} | {each.at for each in test.expect}
        self._failures: list[Failure] = []
        self._unexpected: dict[tuple[str, str], None] = {}

    def _told(self, policies: Sequence[CompiledPolicy]) -> EvaluationPlan:
        """Keep the rules of which the test says something; the others are missing all data, which proves nothing."""
        keep = {each.model: [rule for rule in each.rules if self._says(each, rule)] for each in policies}
        return with_rules(replace(self.scene.plan, policies=tuple(policies)), keep)

    def _says(self, policy: CompiledPolicy, rule: CompiledRule) -> bool:
        metrics = metrics_of(policy, rule)
        logged = self.log is not None and any(each.query.log is not None for each in metrics)
        return not rule.references or logged or any(self.source.told_of(each) for each in metrics)

    def edit(self, changes: Mapping[str, Mapping[str, Any]]) -> None:
        """Put in force what somebody edited in the card."""
        self.engine = replace(self.engine, plan=self._told(edited(self.scene, self.library, changes).policies))

    def run(self) -> Played:
        """Run every beat; after each the acts, and then the expectations of that instant."""
        began = time.perf_counter()
        test = self.scene.test
        beats = 0
        if not self._judges and not self.scene.runbooks:
            self._fail(
                ("test",), "nothing-judged", "no rule under test reads what this test tells, so nothing is proved"
            )
        before: datetime | None = None
        for index in range(self.scene.suite.document.length(test) // self.every + 1):
            offset = index * self.every
            at = self.start + offset + self.source.skew
            if any(first <= offset <= last for first, last in test.away):
                continue
            if not beats:
                self._act("before", test.before, at)
            self._beat(offset, at, before)
            beats, before = beats + 1, at
        if self.scene.runbooks and not Seen(self.engine).runs:
            self._fail(("test",), "nothing-judged", "no run of a runbook was begun, so nothing is proved")
        checked = decision_log.verify(self.engine.database)
        if not checked.ok:
            self._fail(("test",), "broken-log", "; ".join(str(each) for each in checked.findings))
        if self.database is None:
            self.engine.database.close()
        return Played(self.scene, tuple(self._failures), beats, time.perf_counter() - began)

    def _beat(self, offset: timedelta, at: datetime, before: datetime | None) -> None:
        """Let the engine do what is due, after a beat `before`; then the acts, and what is expected.

        Where no rule is under test, runs alone go on at instants at which nothing is done and nothing is expected.
        """
        looks = before is None or self._judges or offset in self._busy
        if before is not None and at - before <= self.every:  # while the engine is away it drives nothing
            driven(self.engine, before, at)
        if looks:
            if before is not None and not self._judges:  # nothing was missed meanwhile that could have been judged
                with self.engine.database.transaction() as connection:
                    progress.set_last(connection, progress.CYCLE, before)
            step(self.engine, at)
        go_on(self.engine, at)
        if looks:
            self._act("acts", [each if each.at == offset else None for each in self.scene.test.acts], at)
            self._look(offset, at)

    @property
    def _judges(self) -> bool:
        return any(policy.rules for policy in self.engine.plan.policies)

    def _act(self, section: str, due: Sequence[Act | None], at: datetime) -> None:
        for number, act in enumerate(due):
            if act is None:
                continue
            refused = acts.perform(self, act, at)
            if refused and act.refused is None:
                self._fail((section, number), "refused-act", f"this was refused: {refused}")
            elif act.refused is not None and act.refused not in refused:
                said = f"this was refused otherwise: {refused}" if refused else "this was not refused"
                self._fail((section, number, "refused"), "refused-act", said)

    def _look(self, offset: timedelta, at: datetime) -> None:
        seen = Seen(self.engine)
        for number, expected in enumerate(self.scene.test.expect):
            if expected.at == offset:
                found = list(differences(expected, seen, self.collector.effects, lambda key: self._summary(key, at)))
                lines = tuple(self._why(expected, seen, at)) if found else ()
                for each in found:
                    self._differs(number, each, lines)
                    lines = ()  # what explains one difference explains them all
        self._unasked(seen, at)
        if self.watch is not None:
            self.watch(self.engine, seen, at)

    def _differs(self, number: int, found: Difference, lines: tuple[str, ...]) -> None:
        when = self.scene.said(("expect", number, "at"))
        message = f"at {when} {found.found}, expected {found.wanted}"
        problem = self.scene.problem(("expect", number, found.field), "failed-expectation", message)
        self._failures.append(Failure(problem, lines))

    def _why(self, expected: Expectation, seen: Seen, at: datetime) -> Iterator[str]:
        if expected.alert is not None:
            active = list(seen.alerts.values())
            yield from explained(self.engine, self.source, expected, active, at, self.start)

    def _unasked(self, seen: Seen, at: datetime) -> None:
        """Report every rule that fires and that nothing expects to, once for each rule."""
        for key, alert in seen.alerts.items():
            place = (key.rule, key.kind)
            if alert.state != "firing" or place in self._unexpected or self._expected(key, alert):
                continue
            self._unexpected[place] = None
            data = " for want of data" if key.kind == "no_data" else ""
            labels = f" {labels_text(key)}" if key.labels else ""
            when = offset_text(at, self.start)
            message = f"{key.rule}{labels} fires{data} at {when} ({alert.severity}), and nothing expects it"
            expected = Expectation(at=timedelta(0), alert=key.rule, labels=dict(key.labels), no_data=bool(data))
            problem = self.scene.problem(("test",), "unexpected-alert", message, f"expect it, or allow: [{key.rule}]")
            self._failures.append(Failure(problem, tuple(self._why(expected, seen, at))))

    def _expected(self, key: AlertKey, alert: Alert) -> bool:
        test = self.scene.test
        if any(each == key.rule or (each.endswith("/*") and key.rule.startswith(each[:-1])) for each in test.allow):
            return True
        return any(each.fires and matching(each, {key: alert}) for each in test.expect)

    def _summary(self, key: AlertKey, at: datetime) -> str:
        policy = self.engine.plan.by_model.get(key.model)
        rule = next((each for each in policy.rules if each.rule.id == key.rule), None) if policy is not None else None
        return evaluation(self.engine, policy, at).summary(rule, key.labels) if policy is not None and rule else ""

    def _fail(self, path: tuple[str | int, ...], code: str, message: str) -> None:
        self._failures.append(Failure(self.scene.problem(path, code, message)))
