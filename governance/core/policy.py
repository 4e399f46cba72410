"""The effective policy of one model: which rules apply to it, and where each came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from governance.core.acting_checks import acting_problem
from governance.core.authored import Authored, SourceText, Written, problem_at
from governance.core.card import Card
from governance.core.document import ParameterValue, Severity
from governance.core.measurement import Metric
from governance.core.metric import LogTable, Query, Sample
from governance.core.override import NO_DATA_FOR, Layer, override_problems, reads, redefinitions
from governance.core.pack import Pack
from governance.core.problem import Position, Problem
from governance.core.question import log_table, needs_truth, query, unavailable
from governance.core.rule import Enforcement, NoData, Rule, Then
from governance.core.suggestion import closest


@dataclass(frozen=True, slots=True)
class EffectiveMetric:
    """A metric that this model has: its document, the query that answers it and where it is declared."""

    name: str
    model: str
    spec: Metric
    query: Query
    labels: tuple[str, ...]
    needs_truth: bool
    origin: Position

    @property
    def every(self) -> timedelta:
        """How often it is asked: a query each minute unless its author says otherwise, a log's hours each hour."""
        return self.spec.every or (timedelta(minutes=1) if self.spec.query else timedelta(hours=1))

    @property
    def stale_after(self) -> timedelta:
        """How old a sample may be; three times the metric's interval."""
        return self.spec.stale_after or 3 * self.every

    def own(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yield the samples about this model, of an answer that may be about the whole fleet."""
        fleet = self.spec.model_label
        for each in samples:
            if fleet is None:
                yield each
            elif (fleet, self.model) in each.labels:
                yield replace(each, labels=tuple(pair for pair in each.labels if pair[0] != fleet))


@dataclass(frozen=True, slots=True)
class Absent:
    """A standard metric that this model cannot have, and why."""

    reason: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EffectiveRule:
    """A rule as it holds for one model, after overrides; `pack` is "" for a rule of the card.

    `given` is the condition under which its pack applies, known to hold wherever the rule is judged.
    """

    id: str
    pack: str
    given: str
    applies_to: Written | None
    conditions: tuple[tuple[Severity, Written], ...]
    for_: timedelta
    keep_firing_for: timedelta
    no_data_for: timedelta
    no_data_then: Literal["alert", "ok", "keep"]
    no_data_severity: Severity
    enforcement: Enforcement
    then: Then | None
    for_each: tuple[str, Written] | None
    summary: Written | None
    remedy: str
    controls: tuple[str, ...]
    origin: Position


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """All that is asked of one model. `absent` says why a standard metric does not exist for it."""

    card: Card
    source: SourceText
    metrics: Mapping[str, EffectiveMetric]
    absent: Mapping[str, Absent]
    parameters: Mapping[str, Mapping[str, ParameterValue]]
    rules: tuple[EffectiveRule, ...]
    problems: tuple[Problem, ...] = field(default=())


Selects = Callable[[Authored[Pack], Card], bool]


def effective_policy(
    card: Authored[Card], packs: Sequence[Authored[Pack]], selects: Selects, *, broken: Sequence[str] = ()
) -> EffectivePolicy:
    """Combine a card with the packs that select it; what cannot be combined is listed in `problems`.

    `broken` are packs with problems of their own: naming their rules is no mistake of the card.
    """
    chosen = [pack for pack in packs if selects(pack, card.document)]
    problems: list[Problem] = []
    metrics, absent, redefined = _metrics(card, chosen)
    problems.extend(redefinitions(card, chosen, redefined))
    overrides = {rule.rule: index for index, rule in enumerate(card.document.rules) if "/" in rule.rule}
    rules = [*_pack_rules(card, chosen, overrides, problems), *_card_rules(card)]
    known = {rule.id for rule in rules}
    for name, index in overrides.items():
        if name not in known and name.partition("/")[0] not in broken:
            at = card.source.at(("rules", index, "rule"))
            problems.append(
                problem_at(card.source, at, "unknown-rule", f"no pack has a rule '{name}'", closest(name, known))
            )
    parameters = _parameters(card, chosen, problems)
    return EffectivePolicy(card.document, card.source, metrics, absent, parameters, tuple(rules), tuple(problems))


def _metrics(
    card: Authored[Card], packs: Sequence[Authored[Pack]]
) -> tuple[dict[str, EffectiveMetric], dict[str, Absent], list[str]]:
    """Return the metrics of a model, why others are absent, and those of packs that the card gives another meaning."""
    log = log_table(card.document)
    metrics: dict[str, EffectiveMetric] = {}
    absent: dict[str, Absent] = {}
    redefined: list[str] = []
    owners: list[Authored[Any]] = [*packs, card]
    for owner in owners:
        for name, spec in owner.document.metrics.items():
            reason = unavailable(spec, card.document, log)
            if reason:
                absent[name] = Absent(reason, spec.label_names())
            else:
                redefined += [name] if owner is card and name in metrics else []
                metrics[name] = _metric(name, spec, card.document, log, owner.source.key_at(("metrics", name)))
    return metrics, {name: reason for name, reason in absent.items() if name not in metrics}, redefined


def _metric(name: str, spec: Metric, card: Card, log: LogTable | None, origin: Position) -> EffectiveMetric:
    asked = query(spec, card, log)
    return EffectiveMetric(name, card.model, spec, asked, spec.label_names(), needs_truth(spec), origin)


def _pack_rules(
    card: Authored[Card], packs: Sequence[Authored[Pack]], overrides: Mapping[str, int], problems: list[Problem]
) -> Iterator[EffectiveRule]:
    for pack in packs:
        for index, rule in enumerate(pack.document.rules):
            name = f"{pack.document.pack}/{rule.rule}"
            layers = [Layer(rule, pack.source, ("rules", index))]
            if name in overrides:
                own = Layer(card.document.rules[overrides[name]], card.source, ("rules", overrides[name]))
                problems.extend(override_problems(rule, own, name))
                layers.insert(0, own)
            found = _rule(name, pack.document, layers)
            if len(layers) > 1:
                problems.extend(_cannot_act(found, layers[0]))
            yield found


def _card_rules(card: Authored[Card]) -> Iterator[EffectiveRule]:
    for index, rule in enumerate(card.document.rules):
        if "/" not in rule.rule:
            yield _rule(rule.rule, None, [Layer(rule, card.source, ("rules", index))])
    for name in ("rollback", "retraining"):
        trigger = getattr(card.document, name)
        if trigger is not None and trigger.when is not None:
            values = trigger.model_dump(include={"when", "for_", "enforcement", "then"}, exclude_none=True)
            yield _rule(name, None, [Layer(Rule(rule=name, severity="warning", **values), card.source, (name,))])


def _cannot_act(rule: EffectiveRule, own: Layer) -> Iterator[Problem]:
    """A card may let a rule of a pack act only where there is something that it can do."""
    why = acting_problem(rule.enforcement, rule.then, [severity for severity, _ in rule.conditions])
    if why:
        yield problem_at(own.source, own.source.at((*own.path, "rule")), "cannot-act", why)


def _rule(name: str, pack: Pack | None, layers: list[Layer]) -> EffectiveRule:
    def first(field_name: str) -> Any:
        return next((value for layer in layers if (value := getattr(layer.rule, field_name)) is not None), None)

    no_data = NoData.model_validate(
        {
            name: value
            for layer in reversed(layers)
            if layer.rule.no_data is not None
            for name, value in layer.rule.no_data.model_dump(exclude_unset=True).items()
        }
    )
    base = layers[-1]
    return EffectiveRule(
        id=name,
        pack=pack.pack if pack else "",
        given=" && ".join(f"({text})" for text in (pack.applies_to if pack else None, base.rule.applies_to) if text),
        applies_to=base.written("applies_to") if base.rule.applies_to else None,
        conditions=_conditions(layers, first("severity")),
        for_=first("for_") or timedelta(0),
        keep_firing_for=first("keep_firing_for") or timedelta(0),
        no_data_for=no_data.for_ if no_data.for_ is not None else NO_DATA_FOR,
        no_data_then=no_data.then,
        no_data_severity=no_data.severity,
        enforcement=first("enforcement") or "notify",
        then=first("then"),
        for_each=next(((variable, base.written("for_each", variable)) for variable in base.rule.for_each or {}), None),
        summary=next((layer.written("summary") for layer in layers if layer.rule.summary is not None), None),
        remedy=first("remedy") or "",
        controls=first("controls") or (),
        origin=layers[0].source.at((*layers[0].path, "rule")),
    )


def _conditions(layers: list[Layer], severity: Severity | None) -> tuple[tuple[Severity, Written], ...]:
    layer = next((layer for layer in layers if layer.rule.when is not None), None)
    if layer is None:
        return ()
    if isinstance(layer.rule.when, dict):
        return tuple((each, layer.written("when", each)) for each in layer.rule.when)
    return ((severity or "warning", layer.written("when")),)


def _parameters(
    card: Authored[Card], packs: Sequence[Authored[Pack]], problems: list[Problem]
) -> dict[str, dict[str, ParameterValue]]:
    values = {
        pack.document.pack: {name: each.default for name, each in pack.document.parameters.items()} for pack in packs
    }
    by_name = {pack.document.pack: pack.document for pack in packs}
    known = [f"{pack}/{name}" for pack, each in values.items() for name in each]
    for key, value in card.document.parameters.items():
        pack, _, name = key.partition("/")
        where = card.source.key_at(("parameters", key))
        if key not in known:
            message = f"no pack has a parameter '{key}'"
            problems.append(problem_at(card.source, where, "unknown-parameter", message, closest(key, known)))
        elif type(value) is not type(values[pack][name]) and not _both_numbers(value, values[pack][name]):
            at = card.source.at(("parameters", key))
            message = f"'{key}' is a {_kind(values[pack][name])}, not a {_kind(value)}"
            problems.append(problem_at(card.source, at, "wrong-parameter", message))
        elif closed := _loosened(by_name[pack], name, value):
            message = f"{key} may only be tightened: '{pack}/{closed}' rests on it and is not overridable"
            problems.append(problem_at(card.source, where, "not-overridable", message, "ask for a waiver"))
        else:
            values[pack][name] = value
    return values


def _loosened(pack: Pack, name: str, value: Any) -> str:
    """Return the rule that a looser value of a parameter would weaken although its pack closes it, "" of none."""
    parameter = pack.parameters[name]
    default: Any = parameter.default
    tighter = value == default  # where the pack does not say which way is tighter, no other value is known to be
    if parameter.tighter is not None:
        tighter = value <= default if parameter.tighter == "lower" else value >= default
    closed = (rule for rule in pack.rules if rule.overridable is False and not tighter)
    return next((rule.rule for rule in closed if reads(rule, "parameters", name)), "")


def _both_numbers(one: ParameterValue, other: ParameterValue) -> bool:
    return all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (one, other))


def _kind(value: ParameterValue) -> str:
    names = {timedelta: "duration", bool: "truth value", str: "text"}
    return names.get(type(value), "number")
