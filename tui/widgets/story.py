"""The parts of an incident: its findings with charts and conditions, its runs, its escalation, what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from governance.views import FindingView, IncidentView, PolicyRuleView, RuleView, TimelineLine
from governance.views.runs import RunView
from tui.facts import Facts
from tui.known import GLYPHS, span
from tui.text import HANG, SEVERITIES, first_sentence, head, safe
from tui.widgets.chart import chart
from tui.widgets.condition import condition, values
from tui.widgets.run import STATES, steps

CHARTS = 2
"""Findings that are drawn with a chart: the worst ones."""
ENGINE = "engine"
"""Who acts where nobody does; its source says why."""


def findings(incident: IncidentView, found: Facts, at: datetime, width: int) -> Iterator[str]:
    """Yield what is wrong, the worst first: sentence, chart with its limit, condition, values, remedy."""
    drawn = 0
    for each in incident.findings:
        yield ""
        yield from _finding(each, at)
        mine = [one for one in found.series if one.rule == each.rule and one.labels == each.labels]
        one = next((one for one in mine if one.points), None)
        if one is not None and drawn < CHARTS and not each.ended:
            drawn += 1
            yield f"  [$muted]{safe(one.name)}[/]"
            yield from (f"  {line}" for line in chart(one, width - 4))
        if not each.ended:
            yield from (f"  {line}" for line in _why(each, found))
        if each.remedy and not each.ended:
            yield f"  → {safe(each.remedy)}"


def _finding(finding: FindingView, at: datetime) -> Iterator[str]:
    colour = "$muted" if finding.ended else SEVERITIES.get(finding.severity, "$secondary")
    mark = "✓" if finding.ended else GLYPHS.get(finding.severity, "?")
    labels = " ".join(f"{name}={value}" for name, value in finding.labels.items())
    since = f"ended {span(finding.ended, at)} ago" if finding.ended else f"since {span(finding.since, at)}"
    again = f", {finding.times} times" if finding.times > 1 else ""
    basis = f" · {finding.basis}" if finding.basis else ""
    yield f"[{colour}]{mark} {safe(finding.summary)}[/]"
    yield f"  [$muted]{safe(finding.rule)} {safe(labels)} · {since}{again}{basis}[/]"


def _why(finding: FindingView, found: Facts) -> Iterator[str]:
    """Yield the condition of the rule that fires; where it is not known the values alone."""
    rule, when = rule_of(finding, found)
    if when:
        yield from condition(when, judged_of(finding, found))
        yield f"  [$muted]{safe(finding.origin or (rule.origin if rule is not None else ''))}[/]"
    if finding.values:
        yield values(finding.values)


def rule_of(finding: FindingView, found: Facts | None) -> tuple[PolicyRuleView | None, str]:
    """Return the rule of a finding and its condition of that severity, where the policy is known."""
    rules = found.policy.rules if found is not None and found.policy is not None else []
    rule = next((each for each in rules if each.rule == finding.rule), None)
    when = (rule.when.get(finding.severity) or next(iter(rule.when.values()), "")) if rule is not None else ""
    return rule, when


def judged_of(finding: FindingView, found: Facts | None) -> RuleView | None:
    """Return the rule of a finding as it was judged with its terms, where that is known."""
    judged = found.judged if found is not None else ()
    return next((each for each in judged if each.rule == finding.rule and each.labels == finding.labels), None)


def progress(runs: Sequence[RunView], at: datetime) -> Iterator[str]:
    """Yield the runs about the incident, the open ones with every step."""
    yield head("Runbooks")
    if not runs:
        yield "[$muted]none has been started; b starts one[/]"
    for run in runs:
        words, _ = STATES.get(run.state, (run.state, ""))
        yield f"[b]{safe(run.id)}[/] {safe(run.runbook)}  {words} [$muted]{run.number}/{run.total}[/]"
        if run.ended_at is None:
            for number, step in enumerate(run.steps, 1):
                yield from (f"  {line}" for line in steps(step, number, at, here=step is run.here))
        elif run.said:
            yield f"  [$muted]{safe(run.said)}[/]"
    yield ""


def story(timeline: Sequence[TimelineLine], at: datetime, most: int | None = None) -> Iterator[str]:
    """Yield what became of the incident, the newest first, each with who and where.

    With `most` each in one line, of so many cells of text; else a text of several lines stands as it was written.
    """
    yield head("Timeline")
    for each in reversed(timeline):
        when = f"{each.at:%H:%M:%S}" if (at - each.at).days < 1 else f"{each.at:%m-%d %H:%M}"
        own = each.actor == ENGINE
        who = f"[$muted]{safe(each.source or each.actor)}[/]" if own else f"[b]{safe(each.actor)}[/]"
        where = each.rule if own else each.source or each.channel
        text, *more = _written(each.text, most)
        yield f"[$muted]{when}[/]  {HANG}{who} {safe(text)}{f' [$muted]({safe(where)})[/]' if where else ''}"
        yield from (f"{' ' * len(when)}  {HANG}{safe(line)}" for line in more)
    if not timeline:
        yield "[$muted]nothing is sealed yet[/]"


def _written(text: str, most: int | None) -> list[str]:
    """Return the lines of a text; what a step asks begins in a line of its own, below who asks."""
    if most is None:
        written = [each.rstrip() for each in text.splitlines() if each.strip()] or [""]
        before, asks, begins = written[0].partition(" – ")
        return written if len(written) == 1 or not asks else [f"{before}:", begins, *written[1:]]
    return [first_sentence(text, most)]
