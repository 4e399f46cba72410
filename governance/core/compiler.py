"""Compile the expressions of packs and cards, with a memory, as a fleet repeats the same rules a thousand times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from governance.core.alive import CANARY
from governance.core.authored import Authored, SourceText, Written
from governance.core.card import Card, Slo
from governance.core.compiled import CompiledPolicy, CompiledRule, Inapplicable, labels_of
from governance.core.document import Severity
from governance.core.evidence import Evidence, as_context
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
    place_of,
)
from governance.core.expression.values import a_kind
from governance.core.joining import dimensions
from governance.core.memory import Memory
from governance.core.metric import Query
from governance.core.need import STEP, asked_slos, needs, unwatched
from governance.core.pack import Pack
from governance.core.policy import EffectiveMetric, EffectivePolicy, EffectiveRule
from governance.core.problem import Problem
from governance.core.question import registry_query
from governance.core.rule import Rule
from governance.core.slo import SOURCE, CompiledSlo
from governance.core.suggestion import closest
from governance.core.vocabulary import Vocabulary, metric_bounds

_ANSWER = Names(variables={"body": ANY, "now": Shape.leaf("timestamp")})
"""What an expression sees that finds the numbers in a JSON answer."""


class _Known(NamedTuple):
    """What the rules of a card may name, and what those of its packs."""

    of_card: Vocabulary
    of_packs: Vocabulary


class Compiler:
    """Compiles the policies of a fleet; with the memory of another one it compiles nothing that this one has."""

    def __init__(self, memory: Memory | None = None) -> None:
        known = memory or Memory()
        self._programs, self._templates, self._vocabularies = known.programs, known.templates, known.vocabularies
        self._bare = self._vocabularies.names(self._vocabularies.empty)  # the card alone
        self._dumped: tuple[Card, dict[str, Any], Context] | None = None
        self.problems: list[Problem] = []

    def selects(self, pack: Authored[Pack], card: Card) -> bool:
        """Tell whether a pack applies to a card; to the engine's own card only one that names it."""
        if card.model in ("engine", CANARY) and f"'{card.model}'" not in (pack.document.applies_to or ""):
            return False
        if not pack.document.applies_to:
            return True
        program = self._program(pack.document.applies_to, self._bare, result="bool")
        if isinstance(program, ExpressionError):
            return False  # reported by pack_problems
        try:
            return program.evaluate({}, self._seen(card)[1]) is True
        except EvaluationFailed as failure:
            written = Written(pack.document.applies_to, pack.source, ("applies_to",))
            message = f"this cannot be told of {card.model}: {failure}"
            self.problems.append(written.problem("undecided-pack", message, "guard it with has() or a size()"))
            return False

    def _seen(self, card: Card) -> tuple[dict[str, Any], Context]:
        """Return a card as expressions see it; it is the last one that is asked for twenty times."""
        if self._dumped is None or self._dumped[0] is not card:
            values = card.model_dump(exclude_none=True)
            self._dumped = card, values, Context({"card": values})
        return self._dumped[1:]

    def pack_problems(self, packs: Sequence[Authored[Pack]]) -> Iterable[Problem]:
        """Check every expression of the packs by themselves, against all metrics that any pack declares."""
        specs = {name: each for pack in packs for name, each in pack.document.metrics.items()}
        labels = {name: each.label_names() for name, each in specs.items()}
        vocabulary = self._vocabularies.of(labels, bounds=metric_bounds(specs))
        for pack in packs:
            yield from self._extractions(pack.document, pack.source)
            if pack.document.applies_to:
                written = Written(pack.document.applies_to, pack.source, ("applies_to",))
                yield from self._problems(written, self._program(written.text, self._bare, result="bool"))
            for index, rule in enumerate(pack.document.rules):
                given = " && ".join(f"({text})" for text in (pack.document.applies_to, rule.applies_to) if text)
                loop = next(iter((rule.for_each or {}).items()), None)
                names = self._vocabularies.names(vocabulary, _parameters(pack.document), loop, _conditions(given))
                if rule.applies_to:
                    written = Written(rule.applies_to, pack.source, ("rules", index, "applies_to"))
                    yield from self._problems(written, self._program(written.text, self._bare))
                for severity, text in rule.conditions().items():
                    path = ("rules", index, "when", *([severity] if isinstance(rule.when, dict) else []))
                    written = Written(text, pack.source, path)
                    yield from self._problems(written, self._program(text, names, result="bool"))
                yield from self._shown(rule, names, pack.source, index)

    def _shown(self, rule: Rule, names: Names, source: SourceText, index: int) -> Iterable[Problem]:
        """Check what a pack's rule says when it fires; what the condition tests holds there, and it has labels."""
        if rule.summary is None:
            return
        written = Written(rule.summary, source, ("rules", index, "summary"))
        yield from self._problems(written, self._template(rule.summary, names, tuple(rule.conditions().values())))

    def _extractions(self, document: Card | Pack, source: SourceText) -> Iterable[Problem]:
        for name, metric in document.metrics.items():
            if metric.extract is not None:
                written = Written(metric.extract, source, ("metrics", name, "extract"))
                yield from self._problems(written, self._program(metric.extract, _ANSWER))

    def policy(self, policy: EffectivePolicy, problems: list[Problem]) -> CompiledPolicy:
        """Compile the rules of one model; a pack's rule over metrics that the model cannot have is inapplicable."""
        card = self._seen(policy.card)[0]
        problems.extend(self._extractions(policy.card, policy.source))
        own = {name: each.labels for name, each in policy.metrics.items()}
        bounds = metric_bounds({name: each.spec for name, each in policy.metrics.items()})
        known = _Known(
            self._vocabularies.of(own, {name: each.reason for name, each in policy.absent.items()}, bounds),
            self._vocabularies.of({**{name: each.labels for name, each in policy.absent.items()}, **own}, {}, bounds),
        )
        slos = self._slos(policy, known, problems)
        rules: list[CompiledRule] = []
        inapplicable: list[Inapplicable] = []
        for rule in policy.rules:
            compiled = self._rule(rule, policy, known, slos, problems)
            if isinstance(compiled, Inapplicable):
                inapplicable.append(compiled)
            elif compiled is not None:
                rules.append(compiled)
        context = Context({"card": card, "evidence": as_context(Evidence())})
        registry = registry_query(policy.card)
        looked = [each for rule in rules for each in rule.references]
        rest = unwatched(slos, looked, policy.metrics, policy.card.cadence.every)
        return CompiledPolicy(policy, tuple(rules), tuple(inapplicable), context, slos, registry, rest)

    def _slos(self, policy: EffectivePolicy, known: _Known, problems: list[Problem]) -> dict[str, CompiledSlo]:
        """Compile the SLOs of a card; one that is wrong is left out, its problems are told."""
        names = self._vocabularies.names(known.of_card)
        found = {}
        for name, spec in policy.card.slos.items():
            programs: dict[str, Program] = {}
            for part in ("errors", "total", "good"):
                text = getattr(spec, part)
                if text is None:
                    continue
                written = Written(text, policy.source, ("slos", name, part))
                program = self._program(text, names, result="bool" if part == "good" else "double")
                wrong = list(self._problems(written, program))
                if isinstance(program, Program):
                    wrong.extend(_unfit(program, written, policy.metrics))
                    programs[part] = program
                problems.extend(wrong)
                if wrong:
                    break
            else:
                found[name] = _slo(name, spec, programs, policy)
        return found

    def _rule(
        self,
        rule: EffectiveRule,
        policy: EffectivePolicy,
        known: _Known,
        slos: Mapping[str, CompiledSlo],
        problems: list[Problem],
    ) -> CompiledRule | Inapplicable | None:
        if rule.applies_to is not None and not self._holds(rule.applies_to, policy, problems):
            return Inapplicable(rule.id, f"it is for models with {rule.applies_to.text}")
        names = self._rule_names(rule, policy, known)
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
        missing = [each.metric for each in references if each.metric and each.metric not in policy.metrics]
        if missing:
            return Inapplicable(rule.id, f"{missing[0]}: {policy.absent[missing[0]].reason}")
        if any(each.budget and each.budget.slo and each.budget.slo not in slos for each in references):
            return None  # the SLO's own problems are told
        return self._compiled(rule, programs, references, known, policy, slos, problems)

    def _holds(self, condition: Written, policy: EffectivePolicy, problems: list[Problem]) -> bool:
        """Tell whether a rule is for this model; one of which it cannot be told is judged, and told as a problem."""
        program = self._program(condition.text, self._bare, result="bool")
        if isinstance(program, ExpressionError):
            problems.extend(self._problems(condition, program))
            return True
        try:
            return program.evaluate({}, self._seen(policy.card)[1]) is True
        except EvaluationFailed as failure:
            message = f"this cannot be told of {policy.card.model}: {failure}"
            problems.append(condition.problem("undecided-rule", message, "guard it with has() or a size()"))
            return True

    def _compiled(
        self,
        rule: EffectiveRule,
        programs: list[tuple[Severity, Program]],
        references: tuple[Reference, ...],
        known: _Known,
        policy: EffectivePolicy,
        slos: Mapping[str, CompiledSlo],
        problems: list[Problem],
    ) -> CompiledRule | None:
        metrics = policy.metrics
        labels = _dimensions(rule, references, metrics)
        if labels is None:
            problems.append(_apart(rule, programs, references, metrics))
            return None
        unknown = [each for pair in zip(rule.conditions, programs, strict=True) for each in _unknown(*pair, labels)]
        if unknown:
            problems.extend(unknown)
            return None
        summary = None
        if rule.summary is not None:
            tested = tuple(program.text for _, program in programs)  # what the condition tests holds when it is told
            shown = self._rule_names(rule, policy, known, tested, labels=labels)
            template = self._template(rule.summary.text, shown)
            problems.extend(self._problems(rule.summary, template))
            if isinstance(template, Template) and all(_has(each, metrics, slos) for each in template.references):
                summary = template
        items = None
        if rule.for_each is not None:
            text = rule.for_each[1].text
            program = self._program(text, self._vocabularies.around(text, _conditions(rule.given)))
            problems.extend(self._problems(rule.for_each[1], program))
            items = program if isinstance(program, Program) else None
            if items is not None and items.kind not in {"list", "map", "record", "any"}:
                message = f"for_each needs a list or a map, this is {a_kind(items.kind)}"
                problems.append(rule.for_each[1].problem("not-a-collection", message))
        shortest = policy.card.cadence.every
        needed = needs(references, metrics, slos, shortest)
        told = needs(summary.references if summary else (), metrics, slos, shortest)
        truth = any(_rests_on_truth(each, metrics, slos) for each in references)
        return CompiledRule(rule, tuple(programs), references, labels, truth, needed, told, summary, items)

    def _rule_names(
        self,
        rule: EffectiveRule,
        policy: EffectivePolicy,
        known: _Known,
        tested: tuple[str, ...] = (),
        labels: tuple[str, ...] | None = None,
    ) -> Names:
        """Return what a rule may name; a pack's also the metrics that this model lacks, as it is inapplicable then."""
        return self._vocabularies.names(
            known.of_packs if rule.pack else known.of_card,
            policy.parameters.get(rule.pack),
            (rule.for_each[0], rule.for_each[1].text) if rule.for_each else None,
            (*_conditions(rule.given), *tested),
            slos=frozenset(policy.card.slos),
            labels=labels,
        )

    def _program(
        self, text: str, names: Names, *, result: Literal["any", "bool", "double"] = "any"
    ) -> Program | ExpressionError:
        key = (text, result, id(names))  # the same names are the same object, see Vocabularies
        if key not in self._programs:
            try:
                self._programs[key] = compile_expression(text, names, result=result)
            except ExpressionError as error:
                self._programs[key] = error
        return self._programs[key]

    def _template(self, text: str, names: Names, tested: tuple[str, ...] = ()) -> Template | ExpressionError:
        """Return a template, or what is wrong with it; `tested` are conditions that hold where it is shown."""
        key = (text, id(names), tested)
        if key not in self._templates:
            try:
                self._templates[key] = compile_template(text, replace(names, given=(*names.given, *tested)))
            except ExpressionError as error:
                self._templates[key] = error
        return self._templates[key]

    def _problems(self, written: Written, result: object) -> Iterable[Problem]:
        if isinstance(result, ExpressionError):
            for each in result.problems:
                yield written.problem(
                    each.code, each.message, each.suggestion, at=(each.line, each.column, each.length)
                )


def _unfit(program: Program, written: Written, metrics: Mapping[str, EffectiveMetric]) -> Iterable[Problem]:
    """An SLO has one value at a time, of metrics as they are now."""
    for each in program.references:
        if each.over is not None or each.budget is not None or each.view != "value":
            yield written.problem("wrong-slo", f"an SLO counts metrics as they are, not {each.text}")
        elif labels_of(each, metrics):
            listed = ", ".join(labels_of(each, metrics))
            yield written.problem(
                "labelled-slo", f"{each.text} has a value for each {listed}", f"write sum({each.text})"
            )
    for name, span in program.labels:
        message = f"an SLO is one for the whole model, it has no label '{name}'"
        yield written.problem("unknown-label", message, at=place_of(program.text, span))


def _unknown(
    condition: tuple[Severity, Written], compiled: tuple[Severity, Program], dimensions: tuple[str, ...]
) -> Iterable[Problem]:
    """Report the labels that a condition names and no instance of its rule has."""
    for name, span in compiled[1].labels:
        if name not in dimensions:
            hint = closest(name, dimensions)
            if not hint:
                hint = f"they have {', '.join(dimensions)}" if dimensions else "nothing in this rule has labels"
            where = place_of(compiled[1].text, span)
            message = f"the instances of this rule have no label '{name}'"
            yield condition[1].problem("unknown-label", message, hint, at=where)


def _slo(name: str, spec: Slo, programs: Mapping[str, Program], policy: EffectivePolicy) -> CompiledSlo:
    references = {each for program in programs.values() for each in program.references}
    every = min((policy.metrics[each.metric].every for each in references), default=STEP)
    if spec.per == "batch":
        every = max(every, policy.card.cadence.every)
    series = Query(SOURCE, text=f"{policy.card.model}/{name}: {spec.good}", window=every)
    return CompiledSlo(name, spec, series, every, **programs)


def _has(reference: Reference, metrics: Mapping[str, EffectiveMetric], slos: Mapping[str, CompiledSlo]) -> bool:
    if reference.budget is not None:
        return not reference.budget.slo or reference.budget.slo in slos
    return reference.metric in metrics


def _rests_on_truth(
    reference: Reference, metrics: Mapping[str, EffectiveMetric], slos: Mapping[str, CompiledSlo]
) -> bool:
    if reference.budget is not None:
        return any(
            metrics[each.metric].needs_truth for slo in asked_slos(reference.budget, slos) for each in slo.references
        )
    return metrics[reference.metric].needs_truth


def _parameters(pack: Pack) -> dict[str, Any]:
    return {name: each.default for name, each in pack.parameters.items()}


def _conditions(given: str | None) -> tuple[str, ...]:
    return (given,) if given else ()


def _dimensions(
    rule: EffectiveRule, references: tuple[Reference, ...], metrics: Mapping[str, EffectiveMetric]
) -> tuple[str, ...] | None:
    """Return the labels of the rule's instances, or None when two labelled metrics share none."""
    return dimensions([[rule.for_each[0]] if rule.for_each else [], *(labels_of(each, metrics) for each in references)])


def _apart(
    rule: EffectiveRule,
    programs: Sequence[tuple[Severity, Program]],
    references: tuple[Reference, ...],
    metrics: Mapping[str, EffectiveMetric],
) -> Problem:
    """Report the first labelled reference that shares no label with what stands before it."""
    before: tuple[str, tuple[str, ...]] = ("for_each", (rule.for_each[0],)) if rule.for_each else ("", ())
    for each in references:
        names = labels_of(each, metrics)
        if names and before[1] and dimensions([before[1], names]) is None:
            break
        before = (each.text, names) if names else before
    (written, program) = next(
        (written, program)
        for (_, written), (_, program) in zip(rule.conditions, programs, strict=True)
        if each in program.references
    )
    has = f"label{'s' if len(before[1]) > 1 else ''} {', '.join(before[1])}"
    message = f"{before[0]} has {has}, {each.text} has {', '.join(names)}; they share none"
    hint = f"write max({each.text})"
    where = place_of(program.text, program.span(each))
    return written.problem("no-shared-label", message, hint, at=where)
