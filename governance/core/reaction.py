"""From a verdict to the next state of its alerts, with what there is to tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from governance.core.alert import Alert, AlertKey, Signal, Timing, Transition, advance, transition
from governance.core.compiled import CompiledRule
from governance.core.document import SEVERITIES, Severity
from governance.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Step:
    """One alert before and after a verdict; `transition` is None when only the alert's clocks moved."""

    before: Alert
    after: Alert
    verdict: Verdict
    transition: Transition | None


def react(rule: CompiledRule, verdict: Verdict, active: Mapping[AlertKey, Alert]) -> Iterator[Step]:
    """Advance the alert of a rule instance and the one about its missing data; unchanged alerts yield nothing."""
    key = AlertKey(verdict.model, verdict.rule, verdict.labels)
    yield from _step(rule, key, signals(rule, verdict), _timing(rule), verdict, active)
    gap = AlertKey(verdict.model, verdict.rule, verdict.labels, "no_data")
    if rule.rule.no_data_then == "alert":
        severities: dict[Severity, Signal] = {rule.rule.no_data_severity: no_data_signal(verdict)}
        yield from _step(rule, gap, severities, Timing(rule.rule.no_data_for), verdict, active)
    else:  # the author asks for it no longer
        yield from _step(rule, gap, {rule.rule.no_data_severity: "waived"}, _timing(rule), verdict, active)


def react_final(rule: CompiledRule, verdict: Verdict, active: Mapping[AlertKey, Alert]) -> Iterator[Step]:
    """Advance the alert on complete labels: it finds what a provisional pass had missed."""
    key = AlertKey(verdict.model, verdict.rule, verdict.labels, "final")
    yield from _step(rule, key, signals(rule, verdict), _timing(rule), verdict, active)


def signals(rule: CompiledRule, verdict: Verdict) -> dict[Severity, Signal]:
    """Return what a verdict says to each severity's clock; what rests on missing inputs keeps its state."""
    names = [severity for severity, _ in rule.programs]
    if verdict.outcome == "waived":
        return dict.fromkeys(names, "waived")
    if verdict.outcome in {"no_data", "stale"} and rule.rule.no_data_then == "ok":
        return dict.fromkeys(names, "pass")
    if verdict.keeps_state:
        return dict.fromkeys(names, "keep")
    rest: Signal = "keep" if verdict.missing else "pass"
    return {name: "fail" if name in verdict.failing else rest for name in names}


def no_data_signal(verdict: Verdict) -> Signal:
    """Return what a verdict says to the alert about missing data: only expected data can be missing."""
    if verdict.outcome == "waived":
        return "waived"
    if verdict.outcome in {"no_data", "stale"}:
        return "fail" if verdict.expected else "keep"
    return "keep" if verdict.outcome == "error" or (verdict.keeps_state and verdict.missing) else "pass"


def confirmed(alert: Alert, verdict: Verdict, at: datetime) -> Step | None:
    """Judge a provisional finding again with complete labels: confirm it, withdraw it, or wait when data is missing."""
    if verdict.keeps_state:
        return None
    if verdict.outcome == "fail":
        clocks = {severity: clock for severity, clock in alert.clocks.items() if severity in verdict.failing}
        after = replace(alert, clocks=clocks or alert.clocks, basis="final")
        told = Transition(alert.key, "confirmed", at, alert.severity, after.severity)
        return Step(alert, after, verdict, told)
    after = replace(alert, clocks={}, basis="", until=None)
    return Step(
        alert,
        after,
        verdict,
        Transition(alert.key, "revised", at, alert.severity, None, "complete labels changed the verdict"),
    )


def dropped(alert: Alert, at: datetime, reason: str = "the rule is no longer declared") -> Step:
    """Resolve an alert whose rule, model or label set there is no more."""
    key = alert.key
    verdict = Verdict(key.model, key.rule, key.labels, at, "pass", reason=reason)
    after = replace(alert, clocks={}, basis="", until=None)
    return Step(alert, after, verdict, transition(alert, after, at, reason))


def _timing(rule: CompiledRule) -> Timing:
    return Timing(rule.rule.for_, rule.rule.keep_firing_for)


def _step(
    rule: CompiledRule,
    key: AlertKey,
    each: Mapping[Severity, Signal],
    timing: Timing,
    verdict: Verdict,
    active: Mapping[AlertKey, Alert],
) -> Iterator[Step]:
    before = active.get(key)
    if before is None:
        if "fail" not in each.values():
            return  # nothing was wrong, and nothing is
        before = Alert(key, {})
    moved = advance(before, each, timing, verdict.at)
    asked = {severity: clock for severity, clock in moved.clocks.items() if severity in each}
    after = _with_basis(before, replace(moved, clocks=asked), verdict)  # a severity may have left the rule
    silent = rule.rule.enforcement == "observe"
    due = before.observed and not silent and "fail" in each.values()
    after = replace(after, observed=_unheard(before, after, silent=silent) and not due)
    if after != before:
        told = replace(before, clocks={}) if due else before  # to people it fires only now
        yield Step(before, after, verdict, transition(told, after, verdict.at, verdict.reason))


def _unheard(before: Alert, after: Alert, *, silent: bool) -> bool:
    """Tell whether an alert fires worse than anybody was told, as its rule was only observed when it grew."""
    return after.state == "firing" and (before.observed or (silent and _grew(before.severity, after.severity)))


def _with_basis(before: Alert, after: Alert, verdict: Verdict) -> Alert:
    """Remember, when a finding on labels begins to fire, which window it rests on and that labels may still come."""
    if verdict.until is None or after.key.kind != "condition":
        return after
    if after.state == "firing" and _grew(before.severity, after.severity):
        return replace(after, basis=verdict.basis, until=verdict.until)
    return after


def _grew(before: Severity | None, after: Severity | None) -> bool:
    return after is not None and (before is None or SEVERITIES.index(after) > SEVERITIES.index(before))
