"""What the rules of a policy say of a control: they pass on data, fail, are waived, or nobody can tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from governance.core.control import Cited, Finding, Known, met, no_evidence, not_met
from governance.core.document import SEVERITIES
from governance.core.duration import in_words
from governance.core.effective import EffectiveRule
from governance.core.verdict import Verdict

FRESH = timedelta(days=1)
"""A cycle that was sealed longer ago proves nothing of now."""
_SHOWN = 3


def by_rules(known: Known, about: Callable[[EffectiveRule], bool], nothing: Finding) -> Finding:
    """Return what the rules that are `about` something say; where none of them is judged, `nothing`.

    A waived rule is not enforced, so its control is not met. A rule that lacks data that are due tells nothing, and a
    pass counts only while the engine that seals its cycles is alive.
    """
    names = {name for name, rule in known.rules.items() if about(rule)}
    verdicts = [each for each in known.verdicts if each.rule in names]
    if not verdicts:
        return nothing
    failing = [each for each in verdicts if each.outcome == "fail"]
    if failing:
        return not_met(_listed(known, failing), *_incidents(known, failing))
    waived = [each for each in verdicts if each.outcome == "waived"]
    if waived:
        return not_met(_listed(known, waived), *_approvals(known, waived))
    gaps = [each for each in verdicts if is_gap(each)]
    if gaps:
        return no_evidence(f"{_counted(verdicts)}; {_listed(known, gaps)}", known.cycle)
    return _passed(known, verdicts)


def is_gap(verdict: Verdict) -> bool:
    """Tell whether a verdict rests on data that were due and are not there; few rows and quiet hours are none."""
    if verdict.outcome == "pass":
        return bool(verdict.missing)
    return verdict.outcome == "error" or (verdict.outcome in ("no_data", "stale") and verdict.expected)


def alive(known: Known) -> Finding | None:
    """Return why no verdict proves anything: the engine sealed no cycle lately; None while it does."""
    if known.cycle is None:
        return no_evidence("no cycle of the engine stands in the decision log")
    age = known.at - known.cycle.at
    if age > FRESH:
        return no_evidence(f"the last sealed cycle is {in_words(age)} old", known.cycle)
    return None


def _passed(known: Known, verdicts: Sequence[Verdict]) -> Finding:
    if not any(each.outcome == "pass" for each in verdicts):
        return no_evidence(f"{_counted(verdicts)}; {_listed(known, verdicts)}", known.cycle)
    return alive(known) or met(_counted(verdicts), known.cycle)


def _counted(verdicts: Sequence[Verdict]) -> str:
    passed = sum(each.outcome == "pass" and not each.missing for each in verdicts)
    rules = len({each.rule for each in verdicts})
    return f"{passed} of {len(verdicts)} verdicts of {rules} rule{'s' if rules > 1 else ''} pass"


def _listed(known: Known, verdicts: Sequence[Verdict]) -> str:
    """Return what verdicts say, one of each rule, the worst first, a few of them."""
    ordered = sorted(verdicts, key=lambda each: -SEVERITIES.index(each.severity) if each.severity else 1)
    by_rule: dict[str, str] = {}
    for each in ordered:
        by_rule.setdefault(each.rule, _said(known, each))
    shown = [f"{rule}: {said}" if said else rule for rule, said in list(by_rule.items())[:_SHOWN]]
    more = len(by_rule) - len(shown)
    return "; ".join(shown) + (f"; and {more} more rule{'s' if more > 1 else ''}" if more else "")


def _said(known: Known, verdict: Verdict) -> str:
    if verdict.outcome == "fail":
        return known.summaries.get(verdict.rule, "fails")
    return verdict.reason or f"{verdict.outcome.replace('_', ' ')}"


def _incidents(known: Known, failing: Sequence[Verdict]) -> list[Cited | None]:
    """Return the entries that opened the incidents in which these rules fire, else the cycle that judged them."""
    rules = {each.rule for each in failing}
    found = [
        entry
        for incident, entry in known.incidents
        if any(each.key.rule in rules and each.key.model == known.card.model for each in incident.firing)
    ]
    return found or [known.cycle]


def _approvals(known: Known, waived: Sequence[Verdict]) -> list[Cited | None]:
    rules = {each.rule for each in waived}
    return [entry for waiver, entry in known.waivers if waiver.rule in rules]
