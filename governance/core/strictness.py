"""Is a rule stricter than it was? One answer for whoever asks: a card that overrides a pack, and a plan before merging.

A rule is tightened when it tells more, sooner, more gravely or for longer, and loosened when it tells less; what cannot
be told counts as loosening.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from governance.core.document import SEVERITIES, ParameterValue, Severity
from governance.core.duration import format_duration
from governance.core.effective import EffectiveMetric, EffectiveParameter, EffectiveRule
from governance.core.expression.comparing import Trend, parameters_of, trend
from governance.core.rule import Then
from governance.core.switch import MODES

Effect = Literal["same", "tightened", "loosened", "changed"]
"""`changed` is something that nobody is told more or less by, such as another summary."""
_ENFORCEMENTS = ("observe", "notify", "act")
_CAUTION = ("ok", "keep", "alert")
_SCOPES = ("labels", "version", "model")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: the key as it is written in YAML, which way it goes, and that in words."""

    key: str
    effect: Effect
    words: str


@dataclass(frozen=True, slots=True)
class Change:
    """How a rule or a metric differs from what it was."""

    differences: tuple[Difference, ...] = field(default=())

    @property
    def effect(self) -> Effect:
        """The gravest of the differences: one that loosens is not made up for by one that tightens."""
        found = {each.effect for each in self.differences}
        order: tuple[Effect, ...] = ("loosened", "tightened", "changed")
        return next((each for each in order if each in found), "same")

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each difference in words."""
        return tuple(each.words for each in self.differences)


Parameters = Mapping[str, EffectiveParameter]


def change_of(
    old: EffectiveRule, new: EffectiveRule, before: Parameters | None = None, after: Parameters | None = None
) -> Change:
    """Compare a rule with what it was; `before` and `after` are the parameters of its pack, by their plain names."""
    before, after = before or {}, after or {}
    return Change(
        (
            *_condition_differences(old, new, before, after),
            *_clock_differences(old, new),
            *_answer_differences(old, new),
            *_other_differences(old, new),
        )
    )


def parameter_effect(spec: EffectiveParameter, value: ParameterValue) -> Effect:
    """Tell which way another value of a parameter goes; where it does not say which way is tighter, it loosens."""
    before: object = spec.value
    if value == before:
        return "same"
    if spec.tighter is None or not isinstance(value, (int, float, timedelta)):
        return "loosened"
    lower = value < before  # type: ignore[operator] # of one kind, which loading has checked
    return "tightened" if lower == (spec.tighter == "lower") else "loosened"


def metric_change(old: EffectiveMetric, new: EffectiveMetric) -> Change:
    """Compare a metric with what it was: another meaning counts as loosening, as nobody can tell."""
    found: list[Difference] = []
    if (old.query, old.labels, old.needs_truth) != (new.query, new.labels, new.needs_truth):
        found.append(Difference("query", "loosened", "it is another question; whether that is stricter cannot be told"))
    few, fewer = old.spec.min_samples or 0, new.spec.min_samples or 0
    if few != fewer:
        words = f"it is judged from {fewer} samples, was from {few}"
        found.append(Difference("min_samples", "loosened" if fewer > few else "tightened", words))
    for key, one, other in (("every", old.every, new.every), ("stale_after", old.stale_after, new.stale_after)):
        if one != other:
            found.append(_longer(key, one, other, looser=True))
    return Change(tuple(found))


def _condition_differences(
    old: EffectiveRule, new: EffectiveRule, before: Parameters, after: Parameters
) -> Iterator[Difference]:
    olds, news = dict(old.conditions), dict(new.conditions)
    moved: set[Severity] = set()
    for severity, written in olds.items():
        at_least = [each for each in SEVERITIES[SEVERITIES.index(severity) :] if each in news]
        own = severity if severity in news else next((each for each in at_least if each not in olds), None)
        if own is None:
            lower = ", ".join(news) or "nothing"
            yield Difference("severity", "loosened", f"{severity} is not told any more, only {lower}")
            continue
        moved.add(own)
        if own != severity:
            yield Difference("severity", "tightened", f"it is {own}, was {severity}")
        yield from _when(own, written.text, news[own].text, before, after)
    for severity, written in news.items():
        if severity not in moved and not (len(olds) == len(news) == 1):
            yield Difference("when", "tightened", f"it tells {severity} too: {_line(written.text)}")


def _when(severity: Severity, old: str, new: str, before: Parameters, after: Parameters) -> Iterator[Difference]:
    used = parameters_of(old) & parameters_of(new)
    changed = [name for name in sorted(used) if name in before and name in after and before[name] != after[name]]
    effects = {parameter_effect(before[name], after[name].value) for name in changed} - {"same"}
    if old == new and not effects:
        return
    going = trend(old, new, _values(before), _values(after))
    words = f"{severity} when {_line(new)}, was {_line(old)}"
    if old == new:
        said = (f"{name} {_shown(after[name].value)}, was {_shown(before[name].value)}" for name in changed)
        words = f"{severity} with {', '.join(said)}"
        if going == "unknown" and len(effects) == 1:  # its pack says which way is tighter
            going = "more" if effects == {"tightened"} else "less"
    if going != "same":
        yield _by_trend("when", going, words)


def _by_trend(key: str, going: Trend, words: str) -> Difference:
    if going == "unknown":
        return Difference(key, "loosened", f"{words}; whether that is stricter cannot be told")
    return Difference(key, "tightened" if going == "more" else "loosened", words)


def _clock_differences(old: EffectiveRule, new: EffectiveRule) -> Iterator[Difference]:
    if old.for_ != new.for_:
        yield _longer("for", old.for_, new.for_, looser=True)
    if old.keep_firing_for != new.keep_firing_for:
        yield _longer("keep_firing_for", old.keep_firing_for, new.keep_firing_for, looser=False)
    if old.no_data_then != new.no_data_then:
        looser = _CAUTION.index(new.no_data_then) < _CAUTION.index(old.no_data_then)
        yield _step("no_data", f"then {new.no_data_then}, was {old.no_data_then}", looser=looser)
    if old.no_data_for != new.no_data_for:
        yield _longer("no_data", old.no_data_for, new.no_data_for, looser=True)
    if old.no_data_severity != new.no_data_severity:
        looser = SEVERITIES.index(new.no_data_severity) < SEVERITIES.index(old.no_data_severity)
        yield _step("no_data", f"{new.no_data_severity}, was {old.no_data_severity}", looser=looser)


def _answer_differences(old: EffectiveRule, new: EffectiveRule) -> Iterator[Difference]:
    if old.enforcement != new.enforcement:
        looser = _ENFORCEMENTS.index(new.enforcement) < _ENFORCEMENTS.index(old.enforcement)
        yield _step("enforcement", f"{new.enforcement}, was {old.enforcement}", looser=looser)
    if old.then == new.then:
        return
    words = f"{_proposal(new.then)}, was {_proposal(old.then)}"
    if "act" not in (old.enforcement, new.enforcement) and new.then is not None:
        yield Difference("then", "tightened" if old.then is None else "changed", words)
    else:
        yield Difference("then", _act_effect(old.then, new.then), words)


def _act_effect(old: Then | None, new: Then | None) -> Effect:
    """Compare what a rule does: a mode that lets less through, for more requests and for longer, is stricter."""
    if old is None or new is None:
        return "tightened" if old is None else "loosened"
    if old.switch is None or new.switch is None:
        return "loosened"
    steps = [
        MODES.index(new.switch) - MODES.index(old.switch),
        _SCOPES.index(new.scope) - _SCOPES.index(old.scope),
        (new.share or 0) - (old.share or 0) if new.switch == old.switch else 0,
        (new.expires or timedelta.max) / timedelta(days=1) - (old.expires or timedelta.max) / timedelta(days=1),
    ]
    return "loosened" if any(each < 0 for each in steps) else "tightened"


def _other_differences(old: EffectiveRule, new: EffectiveRule) -> Iterator[Difference]:
    if (old.given, _each(old)) != (new.given, _each(new)):
        key = "for_each" if _each(old) != _each(new) else "applies_to"
        yield Difference(key, "loosened", "it is judged for others; whether that is stricter cannot be told")
    for key, one, other in (
        ("summary", old.summary and old.summary.text, new.summary and new.summary.text),
        ("remedy", old.remedy, new.remedy),
        ("controls", old.controls, new.controls),
    ):
        if one != other:
            yield Difference(key, "changed", f"another {key}" if key != "controls" else "other controls")


def _each(rule: EffectiveRule) -> tuple[str, str] | None:
    return rule.for_each and (rule.for_each[0], rule.for_each[1].text)


def _longer(key: str, old: timedelta, new: timedelta, *, looser: bool) -> Difference:
    words = f"{format_duration(new) or '0s'}, was {format_duration(old) or '0s'}"
    return Difference(key, "loosened" if (new > old) == looser else "tightened", f"{key} {words}")


def _step(key: str, words: str, *, looser: bool) -> Difference:
    return Difference(key, "loosened" if looser else "tightened", f"{key} {words}")


def _proposal(then: Then | None) -> str:
    return f"then {then.describe()}" if then is not None else "nothing"


def _values(parameters: Parameters) -> dict[str, object]:
    return {name: each.value for name, each in parameters.items()}


def _line(text: str) -> str:
    return " ".join(text.split())


def _shown(value: ParameterValue) -> str:
    return (
        format_duration(value)
        if isinstance(value, timedelta)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
