"""The engine's own alerts: a source that fails, a model whose rules cannot be judged. Neither may pass in silence.

A source that fails is one incident that lists the models it blinds, not one per model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from governance.core.alert import Alert, AlertKey, Timing, advance, transition
from governance.core.compiled import EvaluationPlan
from governance.core.document import Severity
from governance.core.metric import labels
from governance.core.reaction import Step
from governance.core.verdict import Verdict
from governance.engine import entries
from governance.engine.commit import Change
from governance.engine.facts import registry_failure
from governance.engine.picture import Agenda, Picture, Trouble
from governance.engine.standing import Standing
from governance.store.trouble import Place

MODEL = entries.ENGINE


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a source failed, and the models that cannot be judged for it."""

    reason: str
    models: tuple[str, ...]


def failures(picture: Picture) -> dict[str, Failure | None]:
    """Return, for every source asked, its failure or None when it answered everything."""
    found: dict[str, Failure | None] = {}
    for each in picture.agenda:
        model, registry = each.policy.model, each.policy.registry
        if registry is not None and registry in picture.answers:
            _note(found, registry.source, registry_failure(picture.answers[registry]), model)
        for query in dict.fromkeys(each.queries):
            if query in picture.answers:
                _note(found, query.source, picture.answers[query].failure, model)
    return found


def _note(found: dict[str, Failure | None], source: str, failure: str, model: str) -> None:
    before = found.setdefault(source, None)
    if failure:
        models = dict.fromkeys([*(before.models if before else ()), model])
        found[source] = Failure(before.reason if before else failure, tuple(models))


@dataclass(frozen=True, slots=True)
class Known:
    """What a cycle knows when it comes to the engine's own alerts."""

    plan: EvaluationPlan
    agenda: Sequence[Agenda]
    verdicts: Sequence[Verdict]
    active: Mapping[AlertKey, Alert]
    under: entries.Under
    standing: Standing = field(default_factory=Standing)


def health_changes(known: Known, found: Mapping[str, Failure | None], at: datetime) -> Iterator[Change]:
    """Advance the engine's alert of each source, and of each model with a rule in error that no source explains."""
    for source, failure in found.items():
        key = AlertKey(MODEL, "source-failing", labels(source=source))
        wrong = f"source {source} fails: {failure.reason}; blinds {', '.join(failure.models)}" if failure else ""
        right = f"source {source} answers again"
        yield from _change(known, key, wrong, right, at, blinds=failure.models if failure else ())
    yield from _gone(known, found, at)
    yield from _policies(known, at)
    yield from _alive(known, at)
    blinded = {model for failure in found.values() if failure for model in failure.models}
    broken = _broken(known, {source for source, failure in found.items() if failure})
    for each in known.agenda:
        model = each.policy.model
        verdicts = broken.get(model, {})
        if not verdicts and (model in blinded or not each.whole):
            continue  # nothing can be said of its rules now
        wrong = "; ".join(f"{rule} of {model} cannot be judged: {reason}" for rule, reason in verdicts.items())
        right = f"the rules of {model} can be judged again"
        key = AlertKey(MODEL, "rule-in-error", labels(model=model))
        yield from _change(known, key, wrong, right, at, blinds=tuple(verdicts))


def _policies(known: Known, at: datetime) -> Iterator[Change]:
    """Advance the engine's alerts about policies that cannot rule, and about a checkout that cannot be pulled."""
    version, broken, failure = known.plan.version, known.standing.broken, known.standing.pull_failure
    wrong = f"policies on disk are broken, version {version} goes on to rule: {broken.first}" if broken else ""
    right = f"policies on disk are sound again, version {version} rules"
    yield from _change(known, AlertKey(MODEL, entries.BROKEN), wrong, right, at, severity="warning")
    wrong = f"the policies cannot be pulled, version {version} goes on to rule: {failure}" if failure else ""
    yield from _change(
        known, AlertKey(MODEL, entries.NOT_PULLED), wrong, "the policies are pulled again", at, severity="warning"
    )


def _alive(known: Known, at: datetime) -> Iterator[Change]:
    """Advance the engine's alerts about the canary, and about the dead-man's-switch that takes no ping."""
    said = known.standing.canary
    wrong = f"the canary does not go the whole way: {said}" if said else ""
    yield from _change(known, AlertKey(MODEL, entries.CANARY_SILENT), wrong, "the canary goes the whole way again", at)
    said = known.standing.ping_failure
    wrong = f"the dead-man's-switch takes no ping: {said}" if said else ""
    right = "the dead-man's-switch takes pings again"
    yield from _change(known, AlertKey(MODEL, entries.NO_PING), wrong, right, at, severity="warning")


def _broken(known: Known, failing: set[str]) -> dict[str, dict[str, str]]:
    """Return, by model, the rules in error that no failing source explains, each with the reason."""
    touched = {
        (each.policy.model, rule.rule.id)
        for each in known.agenda
        for rule in each.rules
        if any(query.source in failing for query in rule.queries)
    }
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for each in known.verdicts:
        if each.outcome == "error" and (each.model, each.rule) not in touched:
            found[each.model].setdefault(each.rule, each.reason)
    return found


def _gone(known: Known, found: Mapping[str, Failure | None], at: datetime) -> Iterator[Change]:
    """End the alerts about sources that no question goes to any more, and about models that no card declares."""
    trouble = troubled(in_trouble(known.active))
    for source in sorted(trouble.sources - set(found) - known.plan.sources):
        key = AlertKey(MODEL, "source-failing", labels(source=source))
        yield from _change(known, key, "", f"source {source} is no longer asked", at)
    for model in sorted(trouble.models - set(known.plan.by_model)):
        key = AlertKey(MODEL, "rule-in-error", labels(model=model))
        yield from _change(known, key, "", f"{model} is no longer declared", at)


def in_trouble(active: Iterable[AlertKey]) -> frozenset[Place]:
    """Return which of the engine's own alerts are active, each with the source or model that it is about."""
    return frozenset((key.rule, name) for key in active if entries.is_health(key) for _, name in key.labels)


def troubled(found: Iterable[Place]) -> Trouble:
    """Return the sources that fail and the models with a rule in error."""
    places = tuple(found)
    return Trouble(
        frozenset(name for rule, name in places if rule == "source-failing"),
        frozenset(name for rule, name in places if rule == "rule-in-error"),
    )


def _change(
    known: Known,
    key: AlertKey,
    wrong: str,
    right: str,
    at: datetime,
    *,
    blinds: Sequence[str] = (),
    severity: Severity = "critical",
) -> Iterator[Change]:
    """Advance one alert of the engine; `wrong` says what is wrong, "" when nothing is.

    What blinds more than was told of is told again: behind one wrong question a source may die unseen.
    """
    said = wrong or right
    before = known.active.get(key, Alert(key, {}))
    if not wrong and before.state == "inactive":
        return
    after = advance(before, {severity: "fail" if wrong else "pass"}, Timing(), at)
    after = replace(after, blinds=tuple(sorted({*before.blinds, *blinds})) if wrong else ())
    if after == before:
        return
    failing: tuple[Severity, ...] = (severity,) if wrong else ()
    verdict = Verdict(MODEL, key.rule, key.labels, at, "fail" if wrong else "pass", failing, said)
    step = Step(before, after, verdict, transition(before, after, at, said))
    decisions = (entries.of_transition(step, said, {}, known.under),) if step.transition else ()
    yield Change(step, None, said, decisions)
