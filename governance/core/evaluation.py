"""Judge the rules of a policy: one verdict per rule instance, that is (model, rule, label set)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from governance.core.cell import Cell, Column, bound
from governance.core.compiled import CompiledPolicy, CompiledRule, labels_of
from governance.core.document import Severity
from governance.core.expression import (
    ConditionOutcome,
    Context,
    EvaluationFailed,
    Missing,
    Program,
    Reference,
    Term,
)
from governance.core.joining import TooManyError, label_sets, only
from governance.core.metric import Answer, Labels, Query, Sample
from governance.core.past import Past
from governance.core.reading import Readings
from governance.core.slo import SOURCE, CompiledSlo, Spent, judged_good
from governance.core.verdict import Basis, Input, Outcome, Verdict
from governance.core.waiver import Waiver, WaiverFacts, facts_of, is_active

_WORST_GAP: tuple[Outcome, ...] = ("error", "stale", "no_data", "too_few")


@dataclass(frozen=True, slots=True)
class Instance:
    """One label set of a rule with the cells its references are bound to."""

    labels: Labels
    cells: Mapping[Reference, Cell]
    items: Mapping[str, Any] = field(default_factory=dict)


class Evaluation:
    """The evaluation of one policy at one instant over the answers of its queries."""

    def __init__(
        self,
        policy: CompiledPolicy,
        answers: Mapping[Query, Answer],
        at: datetime,
        past: Mapping[Query, Past] | None = None,
        facts: Mapping[str, object] | None = None,
        beat: timedelta = timedelta(0),
    ) -> None:
        """Take the answers as of `at`, the past of the questions that are looked back on, and the facts of the model.

        `facts` are variables that change without the policy: the evidence, and the card with what a registry says.
        """
        self._policy = policy
        self._at = at
        self._readings = Readings(policy, answers, past or {}, at, beat)
        self._formed: dict[str, list[Instance] | str] = {}
        self._by_labels: dict[str, dict[Labels, Instance]] = {}
        self._context = policy.context.extend({**(facts or {}), "now": at})
        self._waiver_facts = _waiver_facts(policy, facts or {})

    def verdicts(
        self, waivers: Sequence[Waiver] = (), known: Mapping[str, Iterable[Labels]] | None = None
    ) -> list[Verdict]:
        """Judge every rule; `known` are the label sets with an active alert, which may not vanish silently."""
        found: list[Verdict] = []
        for rule in self._policy.rules:
            found.extend(self.judge(rule, waivers, (known or {}).get(rule.rule.id, ())))
        return found

    def judge(
        self, rule: CompiledRule, waivers: Sequence[Waiver] = (), known: Iterable[Labels] = ()
    ) -> Iterator[Verdict]:
        """Judge every instance of one rule."""
        instances = self.instances(rule)
        if isinstance(instances, str):
            yield self._verdict(rule, (), "error", reason=instances)
            return
        seen = {instance.labels for instance in instances}
        for instance in instances:
            yield self._waived(self._judged(rule, instance), waivers)
        for labels in known:
            if labels not in seen:
                yield self._waived(self._vanished(rule, labels), waivers)
        if not seen and not known and rule.references:
            yield self._waived(self._vanished(rule, ()), waivers)

    def instances(self, rule: CompiledRule) -> list[Instance] | str:
        """Return the instances of a rule, formed once; over the limit, the reason why there are none."""
        if rule.rule.id not in self._formed:
            found = self._instances(rule)
            self._formed[rule.rule.id] = found
            self._by_labels[rule.rule.id] = {} if isinstance(found, str) else {each.labels: each for each in found}
        return self._formed[rule.rule.id]

    def present(self, rule: CompiledRule) -> frozenset[Labels]:
        """Return the label sets that the data name now; none of a rule in error."""
        found = self.instances(rule)
        return frozenset() if isinstance(found, str) else frozenset(each.labels for each in found)

    def _instance(self, rule: CompiledRule, labels: Labels) -> Instance:
        self.instances(rule)
        return self._by_labels[rule.rule.id].get(labels) or self._gone(rule, labels)

    def _instances(self, rule: CompiledRule) -> list[Instance] | str:
        """Form the instances of a rule by joining its labelled references; over the limit, return the reason."""
        items = self._items(rule)
        columns = {each: self._resolved(each) for each in rule.references}
        names = {each: labels_of(each, self._policy.policy.metrics) for each in rule.references}
        tables: dict[frozenset[str], dict[Labels, None]] = {}
        for each, column in columns.items():
            if names[each]:
                tables.setdefault(frozenset(names[each]), {}).update(dict.fromkeys(column.cells))
        closed = items if rule.rule.for_each is not None else None
        limit = self._policy.policy.card.max_instances
        try:
            found = label_sets(tables, limit, closed) if tables or closed is not None else [()]
        except TooManyError as error:
            return f"{error.found} label sets, the limit is {limit} (max_instances)"
        return [
            Instance(
                key,
                {each: columns[each].at(key, names[each]) for each in rule.references},
                _item_of(rule, key, items),
            )
            for key in found
        ]

    def explain(self, rule: CompiledRule, labels: Labels) -> dict[Severity, tuple[Term, ...]]:
        """Return, for each severity, the terms of its expression with their values for one label set."""
        context, values = self._bindings(rule, self._instance(rule, labels))
        return {severity: program.explain(values, context) for severity, program in rule.programs}

    def outcomes(self, rule: CompiledRule, labels: Labels) -> dict[Severity, tuple[ConditionOutcome, ...]]:
        """Return, for each severity, what became of each condition of its program for one label set."""
        context, values = self._bindings(rule, self._instance(rule, labels))
        return {severity: program.outcomes(values, context) for severity, program in rule.programs}

    def summary(self, rule: CompiledRule, labels: Labels) -> str:
        """Return the rule's summary with the values of one label set; its id where it has none."""
        if rule.summary is None:
            return rule.rule.id
        context, values = self._bindings(rule, self._instance(rule, labels))
        for each in rule.summary.references:
            if each not in values:
                members = self._resolved(each)
                cell = members.at(labels, labels_of(each, self._policy.policy.metrics))
                values[each] = bound(each, cell, members, self._at)
        return rule.summary.render(values, context)

    def _judged(self, rule: CompiledRule, instance: Instance) -> Verdict:
        context, values = self._bindings(rule, instance)
        missing = tuple(each.text for each, cell in instance.cells.items() if self._is_gap(each, cell))
        failing: list[Severity] = []
        gap = failure = ""
        for severity, program in rule.programs:
            outcome = _outcome(program, values, context)
            if outcome is True:
                failing.append(severity)
            elif isinstance(outcome, str):
                failure = outcome
            elif outcome is None:
                gap = "missing"
        inputs = self._inputs(instance)
        if failing:
            undecided = (failure,) if failure and not missing else ()  # the other severities keep their state
            return self._verdict(rule, instance.labels, "fail", tuple(failing), failure, inputs, missing or undecided)
        if failure:
            return self._verdict(rule, instance.labels, "error", (), failure, inputs, missing)
        if gap:
            kind, reason = _gap(instance)
            return self._verdict(rule, instance.labels, kind, (), reason, inputs, missing)
        return self._verdict(rule, instance.labels, "pass", (), "", inputs, missing)

    def _verdict(
        self,
        rule: CompiledRule,
        labels: Labels,
        outcome: Outcome,
        failing: tuple[Severity, ...] = (),
        reason: str = "",
        inputs: tuple[Input, ...] = (),
        missing: tuple[str, ...] = (),
    ) -> Verdict:
        queries = rule.needs.queries
        until = min((self._at - each.offset for each in queries), default=None) if rule.needs_truth else None
        cadence = self._policy.policy.card.cadence
        expected = outcome not in {"no_data", "stale"} or all(
            cadence.expects(self._at - each.offset - each.window, self._at - each.offset) for each in queries
        )
        basis: Basis = "provisional" if rule.needs_truth else ""
        return Verdict(
            self._policy.model,
            rule.rule.id,
            labels,
            self._at,
            outcome,
            failing,
            reason,
            inputs,
            missing,
            basis,
            until,
            expected,
        )

    def _waived(self, verdict: Verdict, waivers: Sequence[Waiver]) -> Verdict:
        for each in waivers:
            covered = each.covers(verdict.model, verdict.rule, verdict.labels)
            if covered and is_active(each, self._waiver_facts, verdict.at):
                ends = "".join(f" or {end}" for end in each.ends)
                reason = f"waived until {each.until:%Y-%m-%d}{ends} by {each.approved_by}: {each.because}"
                against = verdict.outcome == "fail" or (verdict.outcome in ("no_data", "stale") and verdict.expected)
                return Verdict(
                    verdict.model, verdict.rule, verdict.labels, verdict.at, "waived", (), reason, verdict.inputs,
                    waiver=each.id if against else "",
                )  # fmt: skip
        return verdict

    def _is_gap(self, reference: Reference, cell: Cell) -> bool:
        if reference.view == "series":
            return self._resolved(reference).has_gap()
        return reference.view != "samples" and cell.value is None

    def _bindings(self, rule: CompiledRule, instance: Instance) -> tuple[Context, dict[Reference, object]]:
        values = {each: bound(each, cell, self._resolved(each), self._at) for each, cell in instance.cells.items()}
        extra = {
            "labels": dict(instance.labels),
            "parameters": self._policy.policy.parameters.get(rule.rule.pack, {}),
            **instance.items,
        }
        return self._context.extend(extra), values

    def _inputs(self, instance: Instance) -> tuple[Input, ...]:
        metrics = self._policy.policy.metrics
        return tuple(
            Input(
                each.text,
                cell.value,
                cell.time,
                metrics[each.metric].query.source if each.metric else SOURCE,
                cell.detail,
            )
            for each, cell in instance.cells.items()
        )

    def _resolved(self, reference: Reference) -> Column:
        return self._readings.column(reference, self._context)

    def spent(self, slo: CompiledSlo, window: timedelta) -> Spent | Cell:
        """Return the bad and all events, or minutes, of an SLO over a window, or why they cannot be told."""
        return self._readings.spent(slo, window, self._context)

    def slo_samples(self, series: Collection[Query]) -> dict[Query, Sample]:
        """Return, for each of these series of SLOs with a condition, whether this minute is a good one."""
        found = {}
        for slo in self._policy.slos.values():
            if slo.good is not None and slo.series in series:
                cells = {each: self._resolved(each).at((), ()) for each in slo.references}
                values = {each: bound(each, cell, self._resolved(each), self._at) for each, cell in cells.items()}
                found[slo.series] = judged_good(slo, values, self._context, self._at)
        return found

    def _vanished(self, rule: CompiledRule, labels: Labels) -> Verdict:
        """Judge a label set that nothing names any more: lost data, or an item that the card no longer declares."""
        undeclared = rule.rule.for_each is not None and not self._declares(rule, labels)
        if rule.references and not {name for name, _ in labels} <= set(rule.dimensions):
            return self._verdict(
                rule, labels, "pass", reason="the rule no longer tells its instances apart by these labels"
            )
        if undeclared or not rule.references:
            reason = "the card no longer declares it" if labels else "the card declares nothing that it is about"
            return self._verdict(rule, labels, "pass", reason=reason)
        if not labels and rule.dimensions and any(self._resolved(each).cells for each in rule.references):
            return self._verdict(rule, labels, "pass", reason="there is data by label now")
        instance = self._gone(rule, labels)
        outcome, reason = _gap(instance)
        missing = tuple(each.text for each in instance.cells)
        return self._verdict(rule, labels, outcome, (), reason, self._inputs(instance), missing)

    def _declares(self, rule: CompiledRule, labels: Labels) -> bool:
        variable = rule.rule.for_each[0] if rule.rule.for_each else ""
        return only(labels, {variable}) in self._items(rule)

    def _gone(self, rule: CompiledRule, labels: Labels) -> Instance:
        """An instance for a label set that no source names any more."""
        names = {each: labels_of(each, self._policy.policy.metrics) for each in rule.references}
        items = {rule.rule.for_each[0]: {"key": "", "value": {}}} if rule.rule.for_each else {}
        return Instance(labels, {each: self._resolved(each).at(labels, names[each]) for each in rule.references}, items)

    def _items(self, rule: CompiledRule) -> dict[Labels, dict[str, Any]]:
        """Return the items of a for_each by their label; the same text twice is one item."""
        if rule.items is None or rule.rule.for_each is None:
            return {}
        try:
            found = rule.items.evaluate({}, self._context)
        except (Missing, EvaluationFailed):
            return {}  # the card has no such part, so there is nothing to judge
        pairs = found.items() if isinstance(found, Mapping) else _listed(found) if isinstance(found, Sequence) else ()
        variable = rule.rule.for_each[0]
        return {((variable, str(key)),): {"key": str(key), "value": value} for key, value in pairs}


def _item_of(rule: CompiledRule, labels: Labels, items: Mapping[Labels, dict[str, Any]]) -> dict[str, Any]:
    variable = rule.rule.for_each[0] if rule.rule.for_each else ""
    found = items.get(only(labels, {variable}))
    return {variable: found} if found else {}


def _listed(items: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Name the items of a list: a text names itself, so that the order of the list means nothing."""
    for index, each in enumerate(items):
        yield (each if isinstance(each, str) else str(index)), each


def _outcome(program: Program, values: Mapping[Reference, object], context: Context) -> bool | str | None:
    """Return the truth of an expression, None when data is missing, or the reason why it cannot be computed."""
    try:
        result = program.evaluate(values, context)
    except Missing:
        return None
    except EvaluationFailed as failure:
        return str(failure)
    return result if isinstance(result, bool) else f"the condition gives {type(result).__name__}, not true or false"


def _gap(instance: Instance) -> tuple[Outcome, str]:
    """Return the gravest gap of an instance, with its reason in words."""
    for kind in _WORST_GAP:
        for reference, cell in instance.cells.items():
            if cell.reason == kind:
                return kind, f"{reference.text}: {cell.detail}"
    return "no_data", "no sample"


def _waiver_facts(policy: CompiledPolicy, facts: Mapping[str, object]) -> WaiverFacts:
    """Return what may end a waiver: the serving version, of the registry where only that knows, and the training."""
    card = facts.get("card")
    evidence = facts.get("evidence")
    versions = policy.policy.card.versions
    declared = {"versions": {"serving": versions.serving if versions else None}}
    return facts_of(card if isinstance(card, Mapping) else declared, evidence if isinstance(evidence, Mapping) else {})
