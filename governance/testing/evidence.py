"""Why a rule did or did not fire: the values at that instant, its conditions, and since when its clock runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from governance.core.alert import Alert, AlertKey
from governance.core.compiled import CompiledPolicy, CompiledRule
from governance.core.duration import format_duration
from governance.core.evaluation import Evaluation
from governance.core.expression import Term, displayed
from governance.core.need import asked_slos
from governance.core.notation import written
from governance.core.policy import EffectiveMetric
from governance.core.story import EPOCH, Expectation, in_words
from governance.core.waiver import Waiver
from governance.engine.parts import Engine
from governance.engine.picture import Trouble, agenda, taken
from governance.store import waivers
from governance.testing.comparison import covers, labels_text
from governance.testing.source import SeriesSource

_SHOWN = 4
"""Label sets that are explained one by one."""
_TRUTH = {True: "true", False: "false", None: "not known"}


def evaluation(engine: Engine, policy: CompiledPolicy, at: datetime) -> Evaluation:
    """Return the evaluation of one policy as of an instant that was just judged."""
    picture = taken(engine, agenda([policy], None, at, Trouble()), at)
    return picture.evaluation(picture.agenda[0])


def explained(
    engine: Engine, source: SeriesSource, expected: Expectation, active: Sequence[Alert], at: datetime, start: datetime
) -> Iterator[str]:
    """Yield the lines that explain the alert of an expectation."""
    for policy in engine.plan.policies:
        rule = next((each for each in policy.rules if each.rule.id == expected.alert), None)
        if rule is None or expected.model not in (None, policy.model):
            continue
        found = evaluation(engine, policy, at)
        with engine.database.read() as connection:
            holding = waivers.holding(connection, at)
        yield from _values(policy, rule, source, at)
        yield from _instances(found, policy, rule, expected, active, holding, start)


def _instances(
    found: Evaluation,
    policy: CompiledPolicy,
    rule: CompiledRule,
    expected: Expectation,
    active: Sequence[Alert],
    holding: Sequence[Waiver],
    start: datetime,
) -> Iterator[str]:
    clocks = {each.key: each for each in active}
    wanted = set(expected.labels.items())
    verdicts = list(found.judge(rule, holding, [key.labels for key in clocks if covers(expected, key)]))
    matched = [each for each in verdicts if wanted <= set(each.labels)]
    if not matched and verdicts:
        listed = "; ".join(labels_text(AlertKey("", "", each.labels)) or "no labels" for each in verdicts[:_SHOWN])
        yield f"no instance has these labels; there are: {listed}"
    for verdict in matched[:_SHOWN]:
        key = AlertKey(policy.model, rule.rule.id, verdict.labels, "no_data" if expected.no_data else "condition")
        why = f": {verdict.reason}" if verdict.reason else ""
        clock = _clock(clocks.get(key), rule, start)
        due = _due(rule, verdict.at)
        yield f"{rule.rule.id} {labels_text(key)}".rstrip() + f" → {verdict.outcome}{why}{clock}{due}"
        for severity, terms in found.explain(rule, verdict.labels).items():
            yield from (f"  {severity}: {_term(each)}" for each in terms)
    if len(matched) > _SHOWN:
        yield f"… and {len(matched) - _SHOWN} more label sets"


def _due(rule: CompiledRule, at: datetime) -> str:
    """Say that a rule is not judged at this instant: as often as its metrics are asked, counted from 1970."""
    every = rule.needs.every
    return f"; it is judged every {format_duration(every)}, not now" if (at - EPOCH) % every else ""


def _clock(alert: Alert | None, rule: CompiledRule, start: datetime) -> str:
    if alert is None or alert.since is None:
        return ""
    since = in_words(alert.since - start)
    if alert.state == "pending" and alert.key.kind == "condition":
        fires = in_words(alert.since + rule.rule.for_ - start)
        return f"; it fails since {since} and would fire at {fires} (for {format_duration(rule.rule.for_)})"
    passed = [each.passed for each in alert.clocks.values() if each.passed is not None]
    keep = format_duration(rule.rule.keep_firing_for)
    keeping = f", passes since {in_words(min(passed) - start)} (keep_firing_for {keep})" if passed else ""
    return f"; {alert.state}, it failed first at {since}{keeping}"


def _term(term: Term) -> str:
    values = ", ".join(f"{name} = {_shown(value)}" for name, value in term.values if name != term.text)
    return f"{term.text} is {_TRUTH[term.outcome]}" + (f" ({values})" if values else "")


def _shown(value: object) -> str:
    return "missing" if value is None else displayed(value)


def _values(policy: CompiledPolicy, rule: CompiledRule, source: SeriesSource, at: datetime) -> Iterator[str]:
    """Yield a small table of the series that the rule reads, as they are now."""
    rows = [
        (written(metric.name, labels), _missing(metric) if point is None else str(point))
        for metric in metrics_of(policy, rule)
        for labels, point in source.values(metric, at - metric.query.offset)
    ]
    width = max((len(name) for name, _ in rows[: 2 * _SHOWN]), default=0)
    yield from (f"{name:<{width}}  {value}" for name, value in rows[: 2 * _SHOWN])
    if len(rows) > 2 * _SHOWN:
        yield f"… and {len(rows) - 2 * _SHOWN} more series"


def _missing(metric: EffectiveMetric) -> str:
    """Say that there is no sample now; of a metric that needs labels it may be in the series and not be known yet."""
    offset = metric.query.offset
    return f"missing: its samples are known {format_duration(offset)} later (truth.delay)" if offset else "missing"


def metrics_of(policy: CompiledPolicy, rule: CompiledRule) -> list[EffectiveMetric]:
    """Return the metrics that a rule rests on, those of its SLOs included."""
    names: dict[str, None] = {}
    for each in rule.references:
        if each.budget is not None:
            slos = asked_slos(each.budget, policy.slos)
            names |= dict.fromkeys(one.metric for slo in slos for one in slo.references)
        else:
            names[each.metric] = None
    return [policy.policy.metrics[name] for name in names]


def offset_text(at: datetime, start: datetime) -> str:
    """Return an instant as the tests write it."""
    return in_words(max(at - start, timedelta(0)))
