"""One run of a runbook: where it is, what each step did or waits for, and who may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from governance.views.runs import AnswerView, RunView, StepView
from tui.known import brief, span
from tui.text import HANG, fact, head, lines, safe
from tui.widgets.told import Told

COLOURS = {
    "✓": "$success",
    "▶": "b $warning",
    "✗": "b $error",
    "?": "b $error",
    "○": "$muted",
    "↷": "$muted",
    "↶": "$accent",
}
STATES = {
    "running": ("▶ running", "info"),
    "waiting": ("▶ waits", "warning"),
    "paused": ("‖ paused", "warning"),
    "stopped": ("✗ stopped", "critical"),
    "unknown": ("? unknown", "critical"),
    "undoing": ("↶ undoing", "away"),
    "cancelled": ("∅ cancelled", "dim"),
    "done": ("✓ done", "none"),
}
"""How the state of a run is written, and the name of its style in a table."""
_MARKUP = {
    "info": "$secondary",
    "warning": "b $warning",
    "critical": "b $error",
    "away": "$accent",
    "dim": "$muted",
    "none": "$success",
}


class Run(VerticalScroll):
    """The pane beside the runs, and the body of the screen of a run."""

    def compose(self) -> ComposeResult:
        """Hold one text."""
        yield Told(id="told")

    def show(self, run: RunView, at: datetime) -> None:
        """Draw a run as of an instant."""
        self.query_one("#told", Told).tell("\n".join(told(run, at)))


def told(run: RunView, at: datetime) -> Iterator[str]:
    """Yield the lines of a run, as markup."""
    words, style = STATES.get(run.state, (run.state, "dim"))
    drill = "  [b $accent]drill: nothing acts[/]" if run.mode == "dry_run" else ""
    yield f"[{_MARKUP[style]}]{words}[/]  [b]{safe(run.id)}[/]  {safe(run.runbook)} on [b]{safe(run.model)}[/]{drill}"
    yield f"[$muted]{safe(run.description)}[/]"
    yield ""
    yield fact("now", safe(run.said or run.summary))
    if run.incident:
        yield fact("incident", f"INC-{run.incident}")
    by = f"{safe(run.started_by)}{f' by the rule {safe(run.rule)}' if run.rule else ''}"
    yield fact("started by", f"{by} [$muted]{span(run.started_at, at)} ago · {safe(run.because)}[/]")
    if run.parameters:
        yield fact(
            "with", "  ".join(f"{safe(name)} [b]{safe(str(value))}[/]" for name, value in run.parameters.items())
        )
    if run.who_may:
        yield fact("may act", safe(", ".join(run.who_may)))
    yield ""
    yield head("Steps")
    for number, step in enumerate(run.steps, 1):
        yield from steps(step, number, at, here=step is run.here)


def steps(step: StepView, number: int, at: datetime, *, here: bool) -> Iterator[str]:
    """Yield the lines of one step: what it is, who or what it waits for, and what came of it."""
    colour = COLOURS.get(step.glyph, "$muted")
    again = f" ×{step.visit}" if step.visit > 1 else ""
    side = _side(step, at)
    name = f"[b]{safe(step.step)}[/]" if here else safe(step.step)
    yield f"[{colour}]{step.glyph}[/] {number} {HANG}{name}{again} [$muted]{safe(step.kind)}[/]  {side}"
    said = step.text if here or step.glyph != "✓" else ""
    for line in (lines(said or step.does) if here or not step.ended_at else "").splitlines():
        yield f"    {HANG}{line if here else f'[$muted]{line}[/]'}"
    if step.detail and step.detail not in step.waits_for:
        yield f"    {HANG}[{'$error' if step.glyph in '✗?' else '$muted'}]{safe(step.detail)}[/]"
    for answer in step.answers:
        mark = "[$success]✓[/]" if answer.approved else "[$error]✗[/]"
        yield f"    {mark} {safe(answer.actor)} [$muted]{span(answer.at, at)} ago {safe(_because(answer, step))}[/]"
    if here and step.can:
        who = f" [$muted]by {safe(', '.join(step.who_may))}[/]" if step.who_may else ""
        yield f"    → {', '.join(_VERBS.get(each, each) for each in step.can)}{who}"


def _because(answer: AnswerView, step: StepView) -> str:
    """Return why somebody consented or refused, "" where what came of the step ends with it."""
    return "" if step.detail.endswith(f": {answer.because}") else answer.because


def in_brief(run: RunView, at: datetime, width: int) -> Iterator[str]:
    """Yield a run with one line for each step: ✓ by whom and when, ▶ what it waits for, ○ to come."""
    words, style = STATES.get(run.state, (run.state, "dim"))
    drill = "  [b $accent]drill: nothing acts[/]" if run.mode == "dry_run" else ""
    yield f"{head(f'Runbook · {safe(run.runbook)}')} [$muted]{safe(run.id)}[/] [{_MARKUP[style]}]{words}[/]{drill}"
    longest = min(max((len(each.step) for each in run.steps), default=0), max(width // 2 - 6, 8))
    done = next((place for place, each in enumerate(run.steps) if each.glyph != "✓"), len(run.steps)) - 1
    for number, step in enumerate(run.steps, 1):
        if len(run.steps) > _MANY and number < done:
            continue  # where there are many, of those in front that are done the last two say enough
        yield _in_brief(step, number, at, longest, here=step is run.here)
    if run.said:
        yield f"  {HANG}[$muted]{safe(run.said)}[/]"


_MANY = 8
_UNTIL = re.compile(r" until [0-9: -]+$")


def _in_brief(step: StepView, number: int, at: datetime, longest: int, *, here: bool) -> str:
    colour = COLOURS.get(step.glyph, "$muted")
    name = safe(step.step if len(step.step) <= longest else f"{step.step[: longest - 1]}…")
    pad = " " * max(longest - len(step.step), 0)
    written = f"[{colour}]{name}[/]" if here or step.glyph in "✗?○" else name
    if step.waits_for:
        left = f" [b]{brief(at, step.deadline)} left[/]" if step.deadline is not None and step.deadline > at else ""
        said = _UNTIL.sub("", step.waits_for.removeprefix("waits for ")) if left else step.waits_for
        side = f"[$warning]{safe(said)}[/]{left}"
    else:
        side = f"[$muted]{safe(step.kind)}[/]" if step.state == "to come" else _side(step, at)
    return f"[{colour}]{step.glyph}[/] {number} {written}{pad}  {HANG}{side}"


_VERBS = {
    "tick": "[b]n[/] done", "approve": "[b]Y[/] approve", "refuse": "[b]N[/] refuse", "retry": "[b]T[/] retry",
    "skip": "[b]X[/] skip", "settle": "[b]V[/] settle",
}  # fmt: skip


def _side(step: StepView, at: datetime) -> str:
    """Return what stands beside a step: who did it when, or what it waits for and for how long yet."""
    if step.waits_for:
        left = f" [b]{span(at, step.deadline)} left[/]" if step.deadline is not None and step.deadline > at else ""
        return f"[$warning]{safe(step.waits_for)}[/]{left}"
    if step.ended_at is not None:
        return f"[$muted]{safe(step.by)} {step.ended_at:%H:%M:%S}[/]"
    if step.next_at is not None and step.began_at is not None:
        return f"[$muted]again in {span(at, max(at, step.next_at))}[/]"
    return f"[$muted]{'' if step.state == 'to come' else safe(step.state)}[/]"
