"""The evaluation plan: compiled rules and the distinct queries of the whole fleet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from governance.core.authored import Authored, Written
from governance.core.card import Card
from governance.core.document import Severity
from governance.core.expression import (
    ANY,
    Context,
    EvaluationFailed,
    ExpressionError,
    Names,
    Program,
    Reference,
    Shape,
    Template,
    compile_expression,
    compile_template,
    shape_of,
)
from governance.core.metric import Query
from governance.core.pack import Pack
from governance.core.policy import EffectiveMetric, EffectivePolicy, EffectiveRule, effective_policy
from governance.core.problem import Problem


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to be judged; `dimensions` are the labels that tell its instances apart."""

    rule: EffectiveRule
    programs: tuple[tuple[Severity, Program], ...]
    references: tuple[Reference, ...]
    dimensions: tuple[str, ...]
    needs_truth: bool
    summary: Template | None = None
    items: Program | None = None

    @property
    def asked(self) -> tuple[Reference, ...]:
        """Every reference whose value is needed: to judge, and to say what was found."""
        return (*self.references, *(self.summary.references if self.summary else ()))


@dataclass(frozen=True, slots=True)
class Inapplicable:
    """A pack's rule that this model cannot be judged by, and why; it is shown, never silently passed."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """The compiled rules of one model with the values every expression of it sees."""

    policy: EffectivePolicy
    rules: tuple[CompiledRule, ...]
    inapplicable: tuple[Inapplicable, ...]
    context: Context

    @property
    def model(self) -> str:
        """The model's name."""
        return self.policy.card.model


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """What a cycle needs: policies, the distinct queries behind them, and the digest that names this version."""

    policies: tuple[CompiledPolicy, ...]
    queries: tuple[Query, ...]
    version: str
    problems: tuple[Problem, ...] = ()
    by_model: Mapping[str, CompiledPolicy] = field(default_factory=dict)


def evaluation_plan(cards: Sequence[Authored[Card]], packs: Sequence[Authored[Pack]]) -> EvaluationPlan:
    """Compile every policy of the fleet; `problems` lists everything that is wrong, in all files."""
    compiler = _Compiler()
    problems: list[Problem] = list(compiler.pack_problems(packs))
    broken = {problem.position.file for problem in problems}
    sound = [pack for pack in packs if pack.source.file not in broken]
    unsound = [pack.document.pack for pack in packs if pack.source.file in broken]
    policies = []
    for card in cards:
        policy = effective_policy(card, sound, compiler.selects, broken=unsound)
        compiled = compiler.policy(policy, problems)
        problems.extend(policy.problems)
        policies.append(compiled)
    queries = dict.fromkeys(
        policy.policy.metrics[reference.metric].query
        for policy in policies
        for rule in policy.rules
        for reference in rule.asked
    )
    distinct = tuple(dict.fromkeys([*problems, *compiler.problems]))
    by_model = {policy.model: policy for policy in policies}
    return EvaluationPlan(tuple(policies), tuple(queries), _version(policies), distinct, by_model)


def _version(policies: Iterable[CompiledPolicy]) -> str:
    """Name the policies by what they say: the first 12 hex digits of a SHA-256 over all effective policies."""
    digest = hashlib.sha256()
    for policy in policies:
        rules = [
            (
                each.rule.id,
                [(severity, written.text) for severity, written in each.rule.conditions],
                str(each.rule.for_),
                str(each.rule.keep_firing_for),
                str(each.rule.no_data_for),
                each.rule.no_data_then,
                each.rule.enforcement,
                each.rule.then,
                each.rule.for_each[1].text if each.rule.for_each else "",
                each.rule.summary.text if each.rule.summary else "",
            )
            for each in policy.rules
        ]
        metrics = {name: (each.spec, each.query) for name, each in policy.policy.metrics.items()}
        said = (policy.policy.card.model_dump_json(), rules, policy.policy.parameters, metrics)
        digest.update(repr(said).encode())
    return digest.hexdigest()[:12]


class _Compiler:
    """Compiles with a memory, as a fleet repeats the same pack rules a thousand times."""

    def __init__(self) -> None:
        self._programs: dict[object, Program | ExpressionError] = {}
        self._templates: dict[object, Template | ExpressionError] = {}
        self._card = shape_of(Card)
        self.problems: list[Problem] = []

    def selects(self, pack: Authored[Pack], card: Card) -> bool:
        """Tell whether a pack applies to a card."""
        if not pack.document.applies_to:
            return True
        program = self._program(pack.document.applies_to, self._names({}, {}, {}), result="bool")
        if isinstance(program, ExpressionError):
            return False  # reported by pack_problems
        try:
            return program.evaluate({}, Context({"card": card.model_dump(exclude_none=True)})) is True
        except EvaluationFailed as failure:
            written = Written(pack.document.applies_to, pack.source, ("applies_to",))
            message = f"this cannot be told of {card.model}: {failure}"
            self.problems.append(written.problem("undecided-pack", message, "guard it with has() or a size()"))
            return False

    def pack_problems(self, packs: Sequence[Authored[Pack]]) -> Iterable[Problem]:
        """Check every expression of the packs by themselves, against all metrics that any pack declares."""
        metrics = {name: each.label_names() for pack in packs for name, each in pack.document.metrics.items()}
        for pack in packs:
            if pack.document.applies_to:
                written = Written(pack.document.applies_to, pack.source, ("applies_to",))
                yield from self._problems(written, self._program(written.text, self._names({}, {}, {}), result="bool"))
            for index, rule in enumerate(pack.document.rules):
                loop = self._loop(rule.for_each or {})
                names = self._names(metrics, _parameters(pack.document), loop, pack.document.applies_to)
                for severity, text in rule.conditions().items():
                    path = ("rules", index, "when", *([severity] if isinstance(rule.when, dict) else []))
                    written = Written(text, pack.source, path)
                    yield from self._problems(written, self._program(text, names, result="bool"))

    def policy(self, policy: EffectivePolicy, problems: list[Problem]) -> CompiledPolicy:
        """Compile the rules of one model; a pack's rule over metrics that the model cannot have is inapplicable."""
        card = policy.card.model_dump(exclude_none=True)
        rules: list[CompiledRule] = []
        inapplicable: list[Inapplicable] = []
        for rule in policy.rules:
            compiled = self._rule(rule, policy, problems)
            if isinstance(compiled, Inapplicable):
                inapplicable.append(compiled)
            elif compiled is not None:
                rules.append(compiled)
        context = Context({"card": card, "evidence": {}})
        return CompiledPolicy(policy, tuple(rules), tuple(inapplicable), context)

    def _rule(
        self, rule: EffectiveRule, policy: EffectivePolicy, problems: list[Problem]
    ) -> CompiledRule | Inapplicable | None:
        known = {name: each.labels for name, each in policy.metrics.items()}
        absent = {name: each.labels for name, each in policy.absent.items()} if rule.pack else {}
        parameters = dict(policy.parameters.get(rule.pack, {}))
        names = self._names(
            {**absent, **known},
            parameters,
            self._loop({rule.for_each[0]: rule.for_each[1].text} if rule.for_each else {}),
            rule.given,
        )
        found: list[Problem] = []
        programs = []
        for severity, written in rule.conditions:
            program = self._program(written.text, names, result="bool")
            found.extend(self._problems(written, program))
            if isinstance(program, Program):
                programs.append((severity, program))
        if found:
            problems.extend(found)
            return None
        references = tuple(dict.fromkeys(each for _, program in programs for each in program.references))
        missing = [each.metric for each in references if each.metric not in policy.metrics]
        if missing:
            return Inapplicable(rule.id, f"{missing[0]}: {policy.absent[missing[0]].reason}")
        return self._compiled(rule, programs, references, names, policy.metrics, problems)

    def _compiled(
        self,
        rule: EffectiveRule,
        programs: list[tuple[Severity, Program]],
        references: tuple[Reference, ...],
        names: Names,
        metrics: Mapping[str, EffectiveMetric],
        problems: list[Problem],
    ) -> CompiledRule | None:
        dimensions = _dimensions(rule, references, metrics)
        if dimensions is None:
            message = "the metrics of this rule share no label, so no instance can be formed"
            written = rule.conditions[0][1]
            first = len(written.text.splitlines()[0])
            hint = "aggregate one of them: max(…)"
            problems.append(written.problem("no-shared-label", message, hint, at=(1, 1, first)))
            return None
        summary = None
        if rule.summary is not None:
            labels = Shape.record(dict.fromkeys(dimensions, Shape.leaf("string")))
            shown = replace(names, variables={**names.variables, "labels": labels})
            template = self._template(rule.summary.text, shown)
            problems.extend(self._problems(rule.summary, template))
            if isinstance(template, Template) and all(each.metric in metrics for each in template.references):
                summary = template
        items = None
        if rule.for_each is not None:
            program = self._program(rule.for_each[1].text, self._names({}, {}, {}, rule.given))
            problems.extend(self._problems(rule.for_each[1], program))
            items = program if isinstance(program, Program) else None
            if items is not None and items.kind not in {"list", "map", "record", "any"}:
                message = f"for_each needs a list or a map, this is a {items.kind}"
                problems.append(rule.for_each[1].problem("not-a-collection", message))
        needs_truth = any(metrics[each.metric].needs_truth for each in references)
        return CompiledRule(rule, tuple(programs), references, dimensions, needs_truth, summary, items)

    def _names(
        self,
        metrics: Mapping[str, tuple[str, ...]],
        parameters: Mapping[str, Any],
        loop: Mapping[str, Shape],
        given: str | None = None,
    ) -> Names:
        variables = {
            "card": self._card,
            "parameters": Shape.record({name: _leaf(value) for name, value in parameters.items()}),
            "labels": Shape.map(Shape.leaf("string")),
            "evidence": ANY,
            "now": Shape.leaf("timestamp"),
            **loop,
        }
        return Names(metrics, variables, given=(given,) if given else ())

    def _loop(self, for_each: Mapping[str, str]) -> dict[str, Shape]:
        return {name: Shape.record({"key": Shape.leaf("string"), "value": ANY}) for name in for_each}

    def _program(self, text: str, names: Names, *, result: Literal["any", "bool"] = "any") -> Program | ExpressionError:
        key = (text, result, _signature(names))
        if key not in self._programs:
            try:
                self._programs[key] = compile_expression(text, names, result=result)
            except ExpressionError as error:
                self._programs[key] = error
        return self._programs[key]

    def _template(self, text: str, names: Names) -> Template | ExpressionError:
        key = (text, _signature(names))
        if key not in self._templates:
            try:
                self._templates[key] = compile_template(text, names)
            except ExpressionError as error:
                self._templates[key] = error
        return self._templates[key]

    def _problems(self, written: Written, result: object) -> Iterable[Problem]:
        if isinstance(result, ExpressionError):
            for each in result.problems:
                yield written.problem(
                    each.code, each.message, each.suggestion, at=(each.line, each.column, each.length)
                )


def _signature(names: Names) -> object:
    variables = {name: shape for name, shape in names.variables.items() if name != "card"}
    return (
        tuple(sorted(names.metrics.items())),
        names.given,
        repr(sorted(variables.items(), key=lambda pair: pair[0])),
    )


def _parameters(pack: Pack) -> dict[str, Any]:
    return {name: each.default for name, each in pack.parameters.items()}


def _leaf(value: object) -> Shape:
    if isinstance(value, timedelta):
        return Shape.leaf("duration")
    if isinstance(value, bool):
        return Shape.leaf("bool")
    return Shape.leaf("string" if isinstance(value, str) else "double")


def labels_of(reference: Reference, metrics: Mapping[str, EffectiveMetric]) -> tuple[str, ...]:
    """Return the labels that a reference still carries after its aggregates."""
    if reference.view == "series":
        return ()
    return reference.aggregates[-1][1] if reference.aggregates else metrics[reference.metric].labels


def _dimensions(
    rule: EffectiveRule, references: tuple[Reference, ...], metrics: Mapping[str, EffectiveMetric]
) -> tuple[str, ...] | None:
    """Return the labels of the rule's instances, or None when two labelled metrics share none."""
    found = set([rule.for_each[0]] if rule.for_each else [])
    for each in references:
        names = set(labels_of(each, metrics))
        if names and found and not names & found:
            return None
        found |= names
    return tuple(sorted(found))
