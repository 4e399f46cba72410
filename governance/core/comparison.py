"""What differs between two versions of the policies: which rules are stricter, which looser, which are new or gone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from governance.core.compiled import CompiledPolicy, EvaluationPlan
from governance.core.organisation import Organisation
from governance.core.policy import EffectivePolicy, EffectiveRule
from governance.core.run_start import why_not
from governance.core.runbook_comparison import RunbookChange, runbook_changes
from governance.core.strictness import Effect, change_of, metric_change

RuleEffect = Literal["added", "removed", "tightened", "loosened", "changed"]
EFFECTS: tuple[RuleEffect, ...] = ("added", "removed", "tightened", "loosened", "changed")
_SAID_ELSEWHERE = frozenset({"model", "rules", "metrics", "parameters", "tier"})
_HARMLESS = frozenset({"description", "owners", "versions"})
"""Facts of a card that change with every deployment or say nothing to rules about what is allowed."""
_BUDGETS = re.compile(r"\b(burn_rate|budget_left|time_to_exhaustion)\s*\(")
_METRICS = re.compile(rf"\bmetrics\b|{_BUDGETS.pattern}")


@dataclass(frozen=True, slots=True)
class RuleChange:
    """How one rule of one model differs; `tier` is the graver of the card's before and after (1 is the gravest)."""

    model: str
    rule: str
    tier: int
    effect: RuleEffect
    reasons: tuple[str, ...] = ()

    @property
    def weakens(self) -> bool:
        """True when the model is watched less than it was."""
        return self.effect in ("loosened", "removed")


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """How one metric of one model differs."""

    model: str
    metric: str
    effect: Literal["added", "removed", "changed"]
    reasons: tuple[str, ...] = ()


class Loosened(NamedTuple):
    """What is watched or asked less than before of a model of tier 1."""

    model: str
    words: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs between two versions."""

    rules: tuple[RuleChange, ...] = ()
    metrics: tuple[MetricDifference, ...] = ()
    models_added: tuple[str, ...] = ()
    models_removed: tuple[str, ...] = ()
    cards: tuple[tuple[str, str], ...] = ()
    """Models whose card says something else beside rules and metrics, with what, in words."""
    runbooks: tuple[RunbookChange, ...] = ()
    unguarded: tuple[tuple[str, str], ...] = ()
    """The models of tier 1 for which a runbook that asks fewer people than before is, each with that runbook."""

    @property
    def empty(self) -> bool:
        """True when both versions judge every model alike, whatever their runbooks say."""
        return not (self.rules or self.metrics or self.models_added or self.models_removed or self.cards)

    @property
    def weakened(self) -> tuple[RuleChange, ...]:
        """The rules of models of tier 1 that are loosened or gone: they need a second person."""
        return tuple(each for each in self.rules if each.weakens and each.tier == 1)

    @property
    def loosened(self) -> tuple[Loosened, ...]:
        """All that needs a second person: rules, and runbooks that act on less consent, of models of tier 1."""
        return (
            *(Loosened(each.model, f"{each.rule} of {each.model} is {each.effect}") for each in self.weakened),
            *(Loosened(model, f"runbook {name} for {model} asks less") for model, name in self.unguarded),
        )

    @property
    def touched(self) -> frozenset[str]:
        """The models that are judged otherwise than before."""
        changed = {each.model for each in self.rules} | {each.model for each in self.metrics}
        return frozenset({*changed, *self.models_added, *self.models_removed, *(model for model, _ in self.cards)})

    @property
    def summary(self) -> str:
        """What differs, counted: "1 rule added, 2 loosened on 3 models"."""
        counts = Counter(each.effect for each in self.rules)
        said = [f"{counts[effect]} {effect}" for effect in EFFECTS if counts[effect]]
        models = len({each.model for each in self.rules})
        rules = f"rules: {', '.join(said)} on {_counted(models, 'model')}" if said else ""
        others = (
            f"{_counted(len(self.models_added), 'model')} added" if self.models_added else "",
            f"{_counted(len(self.models_removed), 'model')} removed" if self.models_removed else "",
            f"{_counted(len(self.metrics), 'metric')} changed" if self.metrics else "",
            f"{_counted(len({model for model, _ in self.cards}), 'card')} changed" if self.cards else "",
            f"{_counted(len(self.runbooks), 'runbook')} changed" if self.runbooks else "",
        )
        return "; ".join(each for each in (rules, *others) if each) or "no rule differs"

    def lines(self) -> tuple[str, ...]:
        """Return every difference in words; what is the same for many models is one line."""
        alike: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
        for each in sorted(self.rules, key=lambda one: EFFECTS.index(one.effect)):
            alike[each.effect, each.rule, each.reasons].append(each.model)
        rules = [
            f"{effect} {rule} of {_models(models)}" + (f": {'; '.join(reasons)}" if reasons else "")
            for (effect, rule, reasons), models in alike.items()
        ]
        asked: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
        for one in self.metrics:
            asked[one.effect, one.metric, one.reasons].append(one.model)
        metrics = [
            f"{effect} metric {metric} of {_models(models)}" + (f": {'; '.join(reasons)}" if reasons else "")
            for (effect, metric, reasons), models in asked.items()
        ]
        return (
            *(f"added model {each}" for each in self.models_added),
            *(f"removed model {each}" for each in self.models_removed),
            *rules,
            *metrics,
            *(f"changed card {model}: {words}" for model, words in self.cards),
            *(each.line for each in self.runbooks),
        )


def compared(old: EvaluationPlan, new: EvaluationPlan) -> Comparison:
    """Return what differs; a rule that is gone is removed, and what cannot be told is loosened."""
    before, after = old.by_model, new.by_model
    rules: list[RuleChange] = []
    metrics: list[MetricDifference] = []
    cards: list[tuple[str, str]] = []
    for model in dict.fromkeys([*before, *after]):
        one, other = before.get(model), after.get(model)
        rules.extend(_rules(model, one, other))
        if one is not None and other is not None:
            metrics.extend(_metrics(model, one.policy, other.policy))
            cards.extend((model, words) for words in _card_words(one.policy, other.policy))
    runbooks = runbook_changes(old.runbooks, new.runbooks)
    return Comparison(
        tuple(rules),
        tuple(metrics),
        tuple(each for each in after if each not in before),
        tuple(each for each in before if each not in after),
        tuple(cards),
        runbooks,
        tuple(_unguarded(runbooks, old, new)),
    )


def organisation_lines(old: Organisation, new: Organisation) -> tuple[str, ...]:
    """Return what differs of the organisation, in words: who is new or gone, which parts say something else."""
    return tuple(_organisation_lines(old, new))


def _unguarded(
    changes: tuple[RunbookChange, ...], old: EvaluationPlan, new: EvaluationPlan
) -> Iterator[tuple[str, str]]:
    """Yield each model of tier 1, before or after, with each runbook for it that asks less than it did."""
    loosened = [new.runbooks[each.runbook].document for each in changes if each.effect == "loosened"]
    for model in sorted(old.by_model.keys() & new.by_model.keys()):
        cards = [each.by_model[model].policy.card for each in (old, new)]
        if min(each.tier for each in cards) == 1:
            yield from ((model, each.runbook) for each in loosened if not why_not(each, cards[1]))


def _organisation_lines(old: Organisation, new: Organisation) -> Iterator[str]:
    for name in type(new).model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
            yield f"changed organisation: {name} {'differ' if name.endswith('s') else 'differs'}"
            continue
        for effect, names in (
            ("added", [each for each in after if each not in before]),
            ("removed", [each for each in before if each not in after]),
            ("changed", [each for each in after if each in before and before[each] != after[each]]),
        ):
            if names:
                yield f"{effect} organisation: {name} {', '.join(sorted(names))}"


def _rules(model: str, before: CompiledPolicy | None, after: CompiledPolicy | None) -> Iterator[RuleChange]:
    olds = {each.rule.id: each.rule for each in before.rules} if before else {}
    news = {each.rule.id: each.rule for each in after.rules} if after else {}
    tier = min(each.policy.card.tier for each in (before, after) if each is not None)
    around = _Around(before.policy, after.policy) if before is not None and after is not None else None
    for name in dict.fromkeys([*olds, *news]):
        old, new = olds.get(name), news.get(name)
        if old is None:
            yield RuleChange(model, name, tier, "added", tuple(_conditions(news[name])))
        elif new is None:
            why = "" if after is None else next((each.reason for each in after.inapplicable if each.rule == name), "")
            yield RuleChange(model, name, tier, "removed", (f"it does not apply any more: {why}",) if why else ())
        elif around is not None:
            effect, reasons = around.difference(old, new)
            if effect != "same":
                yield RuleChange(model, name, tier, effect, reasons)


def _conditions(rule: EffectiveRule) -> Iterator[str]:
    for severity, written in rule.conditions:
        yield f"{severity} when {' '.join(written.text.split())}"


class _Around:
    """What differs of one model around its rules: the metrics that they read, and the facts of its card."""

    def __init__(self, before: EffectivePolicy, after: EffectivePolicy) -> None:
        self._before, self._after = before, after
        common = before.metrics.keys() & after.metrics.keys()
        changes = {name: metric_change(before.metrics[name], after.metrics[name]) for name in sorted(common)}
        self._metrics = {name: change for name, change in changes.items() if change.effect != "same"}
        self._facts = sorted(_changed_facts(before, after) - _HARMLESS)

    def difference(self, old: EffectiveRule, new: EffectiveRule) -> tuple[Effect, tuple[str, ...]]:
        """Return which way a rule went: by what it says itself, by the metrics it reads and the facts of the card."""
        change = change_of(old, new, self._before.settings.get(old.pack, {}), self._after.settings.get(new.pack, {}))
        found: list[tuple[Effect, str]] = [(change.effect, words) for words in change.reasons]
        texts = list(self._texts(old, new))
        for name, moved in self._metrics.items():
            if _reads(texts, "metrics", name):
                found.extend((moved.effect, f"{name}: {words}") for words in moved.reasons)
        found.extend(self._by_facts(texts))
        if old.given != new.given or _text(old.for_each) != _text(new.for_each):
            found.append(("loosened", "what it applies to changed; whether that is stricter cannot be told"))
        if self._after.card.tier > self._before.card.tier:
            found.append(("loosened", f"the card is of tier {self._after.card.tier}, was {self._before.card.tier}"))
        effects = {change.effect, *(effect for effect, _ in found)}
        order: tuple[Effect, ...] = ("loosened", "tightened", "changed")
        return next((each for each in order if each in effects), "same"), tuple(words for _, words in found)

    def _texts(self, *rules: EffectiveRule) -> Iterator[str]:
        """Yield all that the rules judge by: their conditions, whom for, the SLOs whose budget counts."""
        for rule in rules:
            yield from (written.text for _, written in rule.conditions)
            if rule.for_each is not None:
                yield rule.for_each[1].text
        if any(_BUDGETS.search(written.text) for rule in rules for _, written in rule.conditions):
            for slo in (*self._before.card.slos.values(), *self._after.card.slos.values()):
                yield from (text for text in (slo.errors, slo.total, slo.good) if text)

    def _by_facts(self, texts: list[str]) -> Iterator[tuple[Effect, str]]:
        for key in self._facts:
            by_budget = key == "slos" and any(_BUDGETS.search(text) for text in texts)
            by_hours = key == "cadence" and any(_METRICS.search(text) for text in texts)  # missing data is told by it
            if by_budget or by_hours or _reads(texts, "card", key):
                yield "loosened", f"{key} of the card changed; whether that is stricter cannot be told"


def _text(each: tuple[str, Any] | None) -> tuple[str, str] | None:
    return (each[0], each[1].text) if each is not None else None


def _reads(texts: list[str], kind: str, name: str) -> bool:
    named = re.escape(name)
    used = re.compile(rf"\b{kind}\s*(\.\s*{named}\b|\[\s*['\"]{named}['\"])")
    return any(used.search(text) for text in texts)


def _changed_facts(before: EffectivePolicy, after: EffectivePolicy) -> set[str]:
    """Return which parts of a card say something else, beside those that are compared one by one."""
    one, other = _facts(before), _facts(after)
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def _facts(policy: EffectivePolicy) -> Mapping[str, Any]:
    return {key: value for key, value in policy.card.model_dump().items() if key not in _SAID_ELSEWHERE}


def _card_words(before: EffectivePolicy, after: EffectivePolicy) -> Iterator[str]:
    if before.card.tier != after.card.tier:
        yield f"tier {after.card.tier}, was {before.card.tier}"
    changed = sorted(_changed_facts(before, after) - {"description"})
    if changed:
        yield f"{', '.join(changed)} {'differs' if len(changed) == 1 else 'differ'}"


def _metrics(model: str, before: EffectivePolicy, after: EffectivePolicy) -> Iterator[MetricDifference]:
    for name in dict.fromkeys([*before.metrics, *after.metrics]):
        old, new = before.metrics.get(name), after.metrics.get(name)
        if old is None:
            yield MetricDifference(model, name, "added")
        elif new is None:
            yield MetricDifference(model, name, "removed")
        elif reasons := metric_change(old, new).reasons:
            yield MetricDifference(model, name, "changed", reasons)


def _models(models: list[str]) -> str:
    return ", ".join(models) if len(models) <= 3 else f"{', '.join(models[:2])} and {len(models) - 2} more models"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
