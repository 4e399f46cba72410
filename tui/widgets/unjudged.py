"""Which rules of a model could not be judged, since when there is nothing to judge them by, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from governance.views import RuleView
from tui.facts import BLIND
from tui.known import span
from tui.text import HANG, head, safe

_ADVICE = {
    "stale": "its source answers with nothing newer: look at what writes it",
    "no_data": "its source answers with no value: look at what writes it, and at the query in the card",
    "error": "gov doctor asks every source and says what is wrong with it",
    "too_few": "it is judged once there are enough; min_samples in the card says how many",
}


def unjudged(last: Sequence[RuleView], at: datetime) -> Iterator[str]:
    """Yield what is missing, which rules wait for it and since when, and what to do about it."""
    blind = [each for each in last if each.outcome in BLIND]
    if not blind:
        return
    judged = sum(each.outcome not in ("not applicable",) for each in last)
    yield f"{head('Not judged')} [$muted]{len(blind)} of {judged} rules[/]"
    causes: dict[tuple[str, str, str], dict[str, None]] = {}
    for each in blind:
        for cause in _causes(each, at):
            causes.setdefault((each.outcome, *cause), {})[each.rule] = None
    for (_, what, why), rules in causes.items():
        yield f"[b $warning]?[/] {HANG}[b]{safe(what)}[/] {safe(why)} [$muted]{safe(', '.join(rules))}[/]"
    for outcome in dict.fromkeys(each.outcome for each in blind):
        yield f"  → {HANG}{_ADVICE[outcome]}"


def _causes(rule: RuleView, at: datetime) -> Iterator[tuple[str, str]]:
    """Yield what a rule lacks, and since when or why."""
    missing = [each for each in rule.inputs if each.get("value") is None]
    if rule.outcome == "error" or not missing:
        yield rule.rule, rule.reason or rule.outcome.replace("_", " ")
        return
    for each in missing:
        time = each.get("time")
        since = datetime.fromisoformat(str(time)) if time else None
        if since is not None and rule.outcome in ("stale", "no_data"):
            yield str(each["name"]), f"nothing since {since:%H:%M:%S}Z, {span(since, at)} ago"
        else:
            yield str(each["name"]), str(each.get("reason") or "no value is known")
