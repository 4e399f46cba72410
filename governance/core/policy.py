"""Combine a card with the packs that select it into the policy that holds for one model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from governance.core.acting_checks import acting_problem
from governance.core.authored import Authored, SourceText, Written, problem_at
from governance.core.card import Card
from governance.core.defaults import with_defaults
from governance.core.document import ParameterValue, Severity
from governance.core.effective import (
    Absent,
    EffectiveMetric,
    EffectiveParameter,
    EffectivePolicy,
    EffectiveRule,
)
from governance.core.measurement import Metric
from governance.core.metric import LogTable
from governance.core.override import NO_DATA_FOR, Layer, ignored, reads, redefinitions
from governance.core.pack import Pack
from governance.core.problem import Problem
from governance.core.question import log_table, needs_truth, query, unavailable
from governance.core.rule import NoData, Rule
from governance.core.strictness import change_of, parameter_effect
from governance.core.suggestion import closest

__all__ = ["Absent", "EffectiveMetric", "EffectivePolicy", "EffectiveRule", "effective_policy"]


Selects = Callable[[Authored[Pack], Card], bool]


Declared = dict[tuple[int, int], EffectiveRule]
"""Rules as packs declare them, by the pack's identity and their index."""


def effective_policy(
    card: Authored[Card],
    packs: Sequence[Authored[Pack]],
    selects: Selects,
    *,
    broken: Sequence[str] = (),
    declared: Declared | None = None,
) -> EffectivePolicy:
    """Combine a card with the packs that select it; what cannot be combined is listed in `problems`.

    `broken` are packs with problems of their own: naming their rules is no mistake of the card. `declared` is a memory
    for a fleet whose packs outlive it: rules that no card changes are made once.
    """
    givers = [pack for pack in packs if pack.document.defaults and selects(pack, card.document)]
    card, defaults, problems = with_defaults(card, givers)
    chosen = [pack for pack in packs if pack in givers or selects(pack, card.document)]
    metrics, absent, redefined = _metrics(card, chosen)
    problems.extend(redefinitions(card, chosen, redefined))
    overrides = {rule.rule: index for index, rule in enumerate(card.document.rules) if "/" in rule.rule}
    rules = [*_pack_rules(card, chosen, overrides, problems, {} if declared is None else declared), *_card_rules(card)]
    known = {rule.id for rule in rules}
    for name, index in overrides.items():
        if name not in known and name.partition("/")[0] not in broken:
            at = card.source.at(("rules", index, "rule"))
            message = _why_unknown(name, packs)
            problems.append(problem_at(card.source, at, "unknown-rule", message, closest(name, known)))
    settings = _settings(card, chosen, problems)
    parameters = {pack: {name: each.value for name, each in values.items()} for pack, values in settings.items()}
    passed_over = tuple(
        (pack.document.pack, Written(pack.document.applies_to or "", pack.source, ("applies_to",)))
        for pack in packs
        if not any(pack is each for each in chosen)
    )
    return EffectivePolicy(
        card.document, card.source, metrics, absent, parameters, tuple(rules), tuple(problems), settings, defaults,
        passed_over,
    )  # fmt: skip


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
                metrics[name] = _metric(name, spec, card.document, log, owner.source, metrics.get(name))
    return metrics, {name: reason for name, reason in absent.items() if name not in metrics}, redefined


def _metric(
    name: str, spec: Metric, card: Card, log: LogTable | None, written: SourceText, replaced: EffectiveMetric | None
) -> EffectiveMetric:
    asked, origin = query(spec, card, log), written.key_at(("metrics", name))
    return EffectiveMetric(
        name, card.model, spec, asked, spec.label_names(), needs_truth(spec), origin, written, replaced
    )


def _why_unknown(name: str, packs: Sequence[Authored[Pack]]) -> str:
    """Return why a card cannot change a rule: there is none, or its pack does not apply to the card."""
    for pack in packs:
        if pack.document.applies_to and any(
            name == f"{pack.document.pack}/{rule.rule}" for rule in pack.document.rules
        ):
            needs = " ".join(pack.document.applies_to.split())
            return f"pack '{pack.document.pack}' does not apply to this card: it needs {needs}"
    return f"no pack has a rule '{name}'"


def _pack_rules(
    card: Authored[Card],
    packs: Sequence[Authored[Pack]],
    overrides: Mapping[str, int],
    problems: list[Problem],
    declared: Declared,
) -> Iterator[EffectiveRule]:
    for pack in packs:
        for index, rule in enumerate(pack.document.rules):
            name = f"{pack.document.pack}/{rule.rule}"
            base = Layer(rule, pack.source, ("rules", index))
            if name not in overrides:
                if (id(pack), index) not in declared:
                    declared[id(pack), index] = _rule(name, pack.document, [base])
                yield declared[id(pack), index]
                continue
            own = Layer(card.document.rules[overrides[name]], card.source, ("rules", overrides[name]))
            found = _rule(name, pack.document, [own, base])
            problems.extend(_loosenings(found, own, _declared(pack)))
            problems.extend(ignored(rule, own, name))
            problems.extend(_cannot_act(found, own))
            yield found


def as_declared(rule: EffectiveRule) -> EffectiveRule:
    """Return a rule as its pack declares it, without what the card says of it."""
    base = _rule(rule.id, None, list(rule.layers[-1:]))
    return replace(base, pack=rule.pack, given=rule.given)


def _loosenings(rule: EffectiveRule, own: Layer, limits: Mapping[str, EffectiveParameter]) -> Iterator[Problem]:
    """A card may tighten a rule that its pack closes, and not loosen it."""
    if rule.layers[-1].rule.overridable is not False:
        return
    for each in change_of(as_declared(rule), rule, limits, limits).differences:
        if each.effect == "loosened":
            message = f"'{rule.id}' may only be tightened by a card (overridable: false); {each.words}"
            yield own.problem("not-overridable", each.key, message, "ask for a waiver")


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
        layers=tuple(layers),
    )


def _conditions(layers: list[Layer], severity: Severity | None) -> tuple[tuple[Severity, Written], ...]:
    layer = next((layer for layer in layers if layer.rule.when is not None), None)
    if layer is None:
        return ()
    if isinstance(layer.rule.when, dict):
        return tuple((each, layer.written("when", each)) for each in layer.rule.when)
    return ((severity or "warning", layer.written("when")),)


def _settings(
    card: Authored[Card], packs: Sequence[Authored[Pack]], problems: list[Problem]
) -> dict[str, dict[str, EffectiveParameter]]:
    """Return the parameters of each pack, with the values that the card gives them."""
    found = {pack.document.pack: _declared(pack) for pack in packs}
    by_name = {pack.document.pack: pack.document for pack in packs}
    known = [f"{pack}/{name}" for pack, each in found.items() for name in each]
    for key, value in card.document.parameters.items():
        pack, _, name = key.partition("/")
        where, at = card.source.key_at(("parameters", key)), card.source.at(("parameters", key))
        if key not in known:
            message = f"no pack has a parameter '{key}'"
            problems.append(problem_at(card.source, where, "unknown-parameter", message, closest(key, known)))
            continue
        spec = found[pack][name]
        if type(value) is not type(spec.value) and not _both_numbers(value, spec.value):
            message = f"'{key}' is a {_kind(spec.value)}, not a {_kind(value)}"
            problems.append(problem_at(card.source, at, "wrong-parameter", message))
        elif closed := _loosened(by_name[pack], name, spec, value):
            message = f"{key} may only be tightened: '{pack}/{closed}' rests on it and is not overridable"
            problems.append(problem_at(card.source, where, "not-overridable", message, "ask for a waiver"))
        else:
            found[pack][name] = replace(spec, value=value, origin=at)
    return found


def _declared(pack: Authored[Pack]) -> dict[str, EffectiveParameter]:
    found = {}
    for name, each in pack.document.parameters.items():
        at = pack.source.at(("parameters", name, "default"))
        found[name] = EffectiveParameter(each.default, each.default, each.tighter, at, at)
    return found


def _loosened(pack: Pack, name: str, spec: EffectiveParameter, value: ParameterValue) -> str:
    """Return the rule that a looser value of a parameter would weaken although its pack closes it, "" of none."""
    if parameter_effect(spec, value) != "loosened":
        return ""
    closed = (rule for rule in pack.rules if rule.overridable is False)
    return next((rule.rule for rule in closed if reads(rule, "parameters", name)), "")


def _both_numbers(one: ParameterValue, other: ParameterValue) -> bool:
    return all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (one, other))


def _kind(value: ParameterValue) -> str:
    names = {timedelta: "duration", bool: "truth value", str: "text"}
    return names.get(type(value), "number")
