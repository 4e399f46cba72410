"""Explain the effective policy of a model: every value, and the place that it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from governance.core.authored import Authored, SourceText
from governance.core.card import Card
from governance.core.compiled import CompiledPolicy, EvaluationPlan
from governance.core.duration import format_duration
from governance.core.effective import EffectiveMetric, EffectiveParameter, EffectivePolicy, EffectiveRule
from governance.core.measurement import Metric
from governance.core.organisation import Organisation
from governance.core.override import NO_DATA_FOR, Layer
from governance.core.policy import as_declared
from governance.core.strictness import change_of, parameter_effect
from governance.core.suggestion import closest
from governance.core.waiver import Waiver, WaiverRequest, WrittenWaiver, ends_written
from governance.errors import NotFound
from governance.views.explained import (
    ExplainedMetric,
    ExplainedPack,
    ExplainedRule,
    ExplainedView,
    ExplainedWaiver,
    OriginKind,
    ReplacedView,
    ValueView,
    WaiverState,
)

_SHORTHANDS = ("rollback", "retraining")
_ELSEWHERE = ("rules", "metrics", "parameters", "slos", "model")
"""Parts of a card that have a section of their own."""
_BUILT_IN = {
    "severity": "warning",
    "for": "0s",
    "keep_firing_for": "0s",
    "enforcement": "notify",
    "no_data.for": format_duration(NO_DATA_FOR),
    "no_data.then": "alert",
    "no_data.severity": "warning",
}
_TOLD = ("when", "severity", "for", "keep_firing_for", "enforcement", "then", "no_data.for", "no_data.then",
         "no_data.severity", "for_each", "applies_to", "overridable", "summary", "remedy", "controls")  # fmt: skip


def explained(
    plan: EvaluationPlan,
    organisation: Authored[Organisation] | None,
    model: str,
    waivers: Sequence[ExplainedWaiver] = (),
    rule: str = "",
) -> ExplainedView:
    """Return everything that is asked of a model; with `rule` only that rule and what it reads.

    :raises NotFound: when no card declares the model, or it has no such rule.
    """
    compiled = plan.by_model.get(model)
    if compiled is None:
        raise NotFound(f"no card declares the model '{model}'; {closest(model, plan.by_model) or 'see gov check'}")
    policy = compiled.policy
    rules = _rules(compiled, waivers)
    reads = _Reads(compiled, rule)
    if rule and rule not in {each.rule for each in rules}:
        names = [each.rule for each in rules]
        raise NotFound(f"no rule '{rule}' is declared for '{model}'; {closest(rule, names) or 'see gov explain'}")
    card = [] if rule else [each for each in _card(policy) if each.name.partition(".")[0] not in _ELSEWHERE]
    metrics = [*map(_metric, policy.metrics.values()), *_absent(policy)]
    return ExplainedView(
        model=model,
        version=plan.version,
        card=card,
        organisation=[] if rule or organisation is None else list(_organisation(organisation, policy.card)),
        packs=[] if rule else list(_packs(policy)),
        parameters=[each for each in _parameters(policy) if reads.parameter(each.name)],
        slos=[] if rule else [each for each in _card(policy) if each.name.startswith("slos.")],
        metrics=[each for each in metrics if reads.metric(each.name)],
        rules=[each for each in rules if rule in ("", each.rule)],
    )


def explained_waivers(
    plan: EvaluationPlan, model: str, known: Sequence[Waiver], asked: Sequence[WaiverRequest], at: datetime
) -> list[ExplainedWaiver]:
    """Return the waivers of a model: in force, waiting for approval, or written in a file that no engine has read."""
    places = {each.key: str(each.place) for each in plan.waivers}
    found = [
        ExplainedWaiver(
            id=each.id, rule=each.rule, labels=dict(each.labels), state="active", because=each.because,
            requested_by=each.requested_by, by=each.approved_by, until=each.until, ends_on=list(each.ends),
            place=places.get(each.written, ""),
        )
        for each in known
        if each.model == model
    ]  # fmt: skip
    for each in asked:
        if each.state == "pending" or (each.state == "refused" and each.written in places):
            state: WaiverState = "refused" if each.state == "refused" else "over" if each.until <= at else "pending"
            found.append(_asked_for(each.id, each, state, places.get(each.written, ""), each.decided_by))
    read = {each.written for each in asked}
    found.extend(
        _asked_for("waiver", each, "over" if each.until <= at else "written", str(each.place))
        for each in plan.waivers
        if each.model == model and each.key not in read
    )
    return found


def _asked_for(
    name: str, asked: WaiverRequest | WrittenWaiver, state: WaiverState, place: str, by: str = ""
) -> ExplainedWaiver:
    ends = list(ends_written(asked.ends_on, asked.unused_for))
    return ExplainedWaiver(
        id=name, rule=asked.rule, labels=dict(asked.labels), state=state, because=asked.because,
        requested_by=asked.requested_by, by=by, until=asked.until, ends_on=ends, place=place,
    )  # fmt: skip


class _Reads:
    """What one rule reads; without a rule everything."""

    def __init__(self, compiled: CompiledPolicy, rule: str) -> None:
        self._rule = rule
        found = next((each for each in compiled.policy.rules if each.id == rule), None)
        self._pack = found.pack if found else ""
        texts = [each.text for _, each in found.conditions] if found else []
        texts += [found.summary.text] if found and found.summary else []
        self._text = "\n".join(texts)

    def parameter(self, name: str) -> bool:
        pack, _, plain = name.partition("/")
        return not self._rule or (pack == self._pack and f"parameters.{plain}" in self._text)

    def metric(self, name: str) -> bool:
        return not self._rule or f"metrics.{name}" in self._text


def _card(policy: EffectivePolicy) -> Iterator[ValueView]:
    yield from _leaves(policy, policy.card, ())


def _leaves(policy: EffectivePolicy, value: object, path: tuple[str | int, ...], *, said: bool = True) -> Iterator[Any]:
    """Yield each value below a path of the card; `said` until a part is met that nobody wrote."""
    if isinstance(value, BaseModel):
        for name, spec in type(value).model_fields.items():
            below = getattr(value, name)
            here = (*path, spec.alias or name)
            if below is not None and not (path == () and name in ("rules", "metrics", "parameters")):
                yield from _leaves(policy, below, here, said=said and name in value.model_fields_set)
    elif isinstance(value, dict):
        for name, below in value.items():
            yield from _leaves(policy, below, (*path, name), said=said)
    elif not (isinstance(value, tuple) and not value and not said):
        kind, place = _card_origin(policy, path, said=said)
        yield ValueView(name=".".join(map(str, path)), value=_shown(value), kind=kind, place=place)


def _card_origin(policy: EffectivePolicy, path: tuple[str | int, ...], *, said: bool) -> tuple[OriginKind, str]:
    for length in range(len(path), 0, -1):
        given = policy.defaults.get(tuple(map(str, path[:length])))
        if given is not None:
            return "pack default", str(given)
    return ("card", str(policy.source.at(path))) if said else ("built in", "")


def _organisation(organisation: Authored[Organisation], card: Card) -> Iterator[ValueView]:
    """Yield what the organisation says that bears on a model; settings of sources may be secret, so only kinds."""
    document = organisation.document
    yield _of_organisation(organisation, "environment")
    if card.owners.team in document.teams:
        yield _of_organisation(organisation, "teams", card.owners.team, "members")
        yield _of_organisation(organisation, "teams", card.owners.team, "leads")
    used = {card.log.source} if card.log else set()
    used |= {each.source for each in card.metrics.values() if each.source}
    for name in sorted(used & document.sources.keys()):
        yield _of_organisation(organisation, "sources", name, "kind")
    for name in ("group_by", "reopen_within"):
        yield _of_organisation(organisation, "incidents", name)
    yield _of_organisation(organisation, "cycle", "every")


def _of_organisation(organisation: Authored[Organisation], *path: str) -> ValueView:
    value: Any = organisation.document
    said = True
    for name in path:
        said = said and (not isinstance(value, BaseModel) or name in value.model_fields_set)
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    place = str(organisation.source.at(path)) if said else ""
    return ValueView(name=".".join(path), value=_shown(value), kind="org" if said else "built in", place=place)


def _packs(policy: EffectivePolicy) -> Iterator[ExplainedPack]:
    chosen = dict.fromkeys([*policy.settings, *(each.pack for each in policy.rules if each.pack)])
    for name in chosen:
        yield ExplainedPack(pack=name, selects=True)
    for name, condition in policy.passed_over:
        yield ExplainedPack(pack=name, selects=False, applies_to=condition.text, place=str(condition.position()))


def _parameters(policy: EffectivePolicy) -> Iterator[ValueView]:
    for pack, values in policy.settings.items():
        for name, each in values.items():
            own = each.origin != each.default_origin
            before = ReplacedView(value=_shown(each.default), kind="pack", place=str(each.default_origin))
            yield ValueView(
                name=f"{pack}/{name}",
                value=_shown(each.value),
                kind="card" if own else "pack",
                place=str(each.origin),
                effect=_parameter_effect(each) if own else "",
                replaced=[before] if own else [],
            )


def _parameter_effect(spec: EffectiveParameter) -> str:
    effect = parameter_effect(spec.as_default(), spec.value)
    return effect if spec.tighter is not None or effect == "same" else "which way is not said"


def _metric(metric: EffectiveMetric) -> ExplainedMetric:
    values = []
    for name in Metric.model_fields:
        said = name in metric.spec.model_fields_set
        value = getattr(metric.spec, name)
        if name in ("every", "stale_after"):
            value = getattr(metric, name)
        elif name == "window" and metric.spec.measure:
            value = metric.query.window
        if not said and name not in ("window", "every", "stale_after", "min_samples", "unit"):
            continue
        if value is None or value == "":
            continue
        kind, place = _metric_origin(metric, name) if said else ("built in", "")
        before = _replaced_in(metric, name) if said else []
        values.append(ValueView(name=name, value=_shown(value), kind=kind, place=place, replaced=before))
    return ExplainedMetric(name=metric.name, values=values)


def _metric_origin(metric: EffectiveMetric, name: str) -> tuple[OriginKind, str]:
    at = metric.written.at(("metrics", metric.name, name)) if metric.written else metric.origin
    return "pack" if metric.written and _is_pack(metric.written) else "card", str(at)


def _is_pack(source: SourceText) -> bool:
    return any(line.startswith("kind: pack") for line in source.lines[:20])


def _replaced_in(metric: EffectiveMetric, name: str) -> list[ReplacedView]:
    before = metric.replaced
    if before is None or getattr(before.spec, name) in (None, getattr(metric.spec, name)):
        return []
    kind, place = _metric_origin(before, name)
    return [ReplacedView(value=_shown(getattr(before.spec, name)), kind=kind, place=place)]


def _absent(policy: EffectivePolicy) -> Iterator[ExplainedMetric]:
    for name, each in policy.absent.items():
        yield ExplainedMetric(name=name, why_not=each.reason)


def _rules(compiled: CompiledPolicy, waivers: Sequence[ExplainedWaiver]) -> list[ExplainedRule]:
    why_not = {each.rule: each.reason for each in compiled.inapplicable}
    judged = {each.rule.id for each in compiled.rules}
    found = []
    for rule in compiled.policy.rules:
        broken = "" if rule.id in judged else "it has problems, see gov check"
        found.append(
            ExplainedRule(
                rule=rule.id,
                pack=rule.pack,
                values=list(_rule_values(compiled.policy, rule)),
                waivers=[each for each in waivers if each.rule == rule.id],
                why_not=why_not.get(rule.id, broken),
            )
        )
    return found


def _rule_values(policy: EffectivePolicy, rule: EffectiveRule) -> Iterator[ValueView]:
    effects = _effects(policy, rule)
    for name in _TOLD:
        said = [(layer, value) for layer in rule.layers if (value := _said(rule, layer, name)) is not None]
        if not said:
            if name in _BUILT_IN and not (name == "severity" and _names_severities(rule)):
                yield ValueView(name=name, value=_BUILT_IN[name], kind="built in")
            continue
        if name == "severity" and _names_severities(rule):
            continue
        (layer, value), *others = said
        kind, place = _rule_origin(policy, rule, layer, name)
        before = [_replaced(policy, rule, *each, name) for each in others]
        by_severity = name == "severity" and isinstance(rule.layers[-1].rule.when, dict)
        if not before and layer is not rule.layers[-1] and name in _BUILT_IN and not by_severity:
            before = [ReplacedView(value=_BUILT_IN[name], kind="built in")]
        yield ValueView(
            name=name,
            value=_condition(value) if name == "when" else _shown(value),
            kind=kind,
            place=place,
            effect=effects.get(name.partition(".")[0], "") if layer is not rule.layers[-1] else "",
            replaced=before,
        )


def _effects(policy: EffectivePolicy, rule: EffectiveRule) -> dict[str, str]:
    """Return which way each value went that a card changed, by its key; what is looser in one way is loosened."""
    if len(rule.layers) == 1:
        return {}
    after = policy.settings.get(rule.pack, {})
    before = {name: each.as_default() for name, each in after.items()}
    found: dict[str, str] = {}
    for each in change_of(as_declared(rule), rule, before, after).differences:
        if found.get(each.key) != "loosened":
            found[each.key] = each.effect
    return found


def _names_severities(rule: EffectiveRule) -> bool:
    """Tell whether the condition that counts names its severities itself."""
    return isinstance(next((each.rule.when for each in rule.layers if each.rule.when is not None), None), dict)


def _said(rule: EffectiveRule, layer: Layer, name: str) -> object:
    """Return what a layer says, None for nothing; the severity of a shorthand is ours, not its author's."""
    if name == "severity" and layer.path[0] in _SHORTHANDS:
        return None
    if name == "overridable" and not rule.pack:
        return None
    part, _, key = name.partition(".")
    value = getattr(layer.rule, "for_" if part == "for" else part)
    if key:
        field = "for_" if key == "for" else key
        return getattr(value, field) if value is not None and field in value.model_fields_set else None
    return value.describe() if part == "then" and value is not None else value


def _replaced(policy: EffectivePolicy, rule: EffectiveRule, layer: Layer, value: object, name: str) -> ReplacedView:
    kind, place = _rule_origin(policy, rule, layer, name)
    return ReplacedView(value=_condition(value) if name == "when" else _shown(value), kind=kind, place=place)


def _rule_origin(policy: EffectivePolicy, rule: EffectiveRule, layer: Layer, name: str) -> tuple[OriginKind, str]:
    path = (*layer.path, *name.split("."))
    if rule.pack and layer is rule.layers[-1]:
        return "pack", str(layer.source.at(path))
    return _card_origin(policy, path, said=True)


def _condition(value: object) -> str:
    """Return a condition on one line; of one for each severity, each after its name."""
    if isinstance(value, dict):
        return "; ".join(f"{severity}: {_line(text)}" for severity, text in value.items())
    return _line(str(value))


def _shown(value: object) -> str:
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (tuple, list)):
        return ", ".join(map(_shown, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(each)}" for name, each in value.items())
    if isinstance(value, BaseModel):
        said: Iterable[tuple[str, object]] = ((name, getattr(value, name)) for name in value.model_fields_set)
        return ", ".join(f"{name.rstrip('_')} {_shown(each)}" for name, each in sorted(said))
    return _line(str(value))


def _line(text: str) -> str:
    return " ".join(text.split())
