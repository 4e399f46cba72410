"""How runs and runbooks reach the terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from governance.cli.output import ago, say, stamp

if TYPE_CHECKING:
    from governance.views.runs import RunbookView, RunView, StepView

COLUMNS = ("run", "runbook", "model", "state", "started", "by", "what")


def row(view: RunView, at: datetime) -> tuple[str, ...]:
    """Return a run as a row of COLUMNS."""
    state = f"{view.state} (dry run)" if view.mode == "dry_run" else view.state
    return (view.id, view.runbook, view.model, state, ago(view.started_at, at), view.started_by, view.summary)


def print_run(view: RunView, at: datetime) -> None:
    """Print a run: its steps, and what can be done now."""
    dry = "  dry run" if view.mode == "dry_run" else ""
    say(f"{view.id}  {view.runbook}  {view.model}  {view.state}{dry}")
    say(view.summary)
    say()
    by = f"the rule {view.rule}" if view.rule else view.started_by
    say(f"  started    {stamp(view.started_at)} by {by}: {view.because}")
    if view.incident:
        say(f"  about      INC-{view.incident}")
    if view.labels:
        say(f"  labels     {', '.join(f'{name}={value}' for name, value in view.labels.items())}")
    for name, value in view.parameters.items():
        say(f"  parameter  {name} = {value}")
    if view.ended_at:
        say(f"  ended      {stamp(view.ended_at)}")
    say()
    for number, step in enumerate(view.steps, 1):
        _print_step(number, step, at)
    _print_acts(view)


def print_runbook(view: RunbookView, model: str) -> None:
    """Print a runbook: what it asks for, and its steps."""
    say(f"{view.runbook}: {view.description}")
    if view.source:
        say(f"  written at {view.source}")
    for name, each in view.parameters.items():
        default = f", {each['default']} by default" if each.get("default") is not None else ", needed"
        about = f": {each['description']}" if each.get("description") else ""
        say(f"  parameter  {name} ({each['type']}{default}){about}")
    say()
    for number, step in enumerate(view.steps, 1):
        say(f"  {number}. {step.step}  {_what(step)}")
    say()
    if view.refused:
        say(f"not for {model}: {view.refused}")
    else:
        say(f"start it: gov runbook run {view.runbook} --model {model or 'MODEL'} --because WHY")


def print_done(view: RunView, entry: int, because: str, what: str) -> None:
    """Print what an act on a run has changed, and the entry that proves it."""
    say(f"{view.id} ({view.runbook} of {view.model}) {what}; sealed as entry {entry} of the decision log")
    if because:
        say(f"you may, because {because}")
    say(view.summary)
    if view.mode == "dry_run" and view.ended_at is None:
        say(f"gov serve takes it through its steps; what each would do: gov runbook status {view.id}")
    _print_acts(view)


def _print_step(number: int, step: StepView, at: datetime) -> None:
    when = f"  {ago(step.ended_at, at)}" if step.ended_at else ""
    who = f" by {step.by}" if step.by and step.ended_at else ""
    again = f"  (time {step.visit})" if step.visit > 1 else ""
    say(f"  {step.glyph} {number}. {step.step}  {_what(step)}{again}")
    if step.state not in ("to come", "not done") and (step.detail or step.ended_at):
        said = f": {step.detail}" if step.detail else ""
        say(f"       {step.state.replace('_', ' ')}{who}{when}{said}")
    for each in step.answers:
        about = f": {each.because}" if each.because else ""
        say(f"       {each.actor} {'consented' if each.approved else 'refused'} {ago(each.at, at)}{about}")
    if step.waits_for:
        say(f"       {step.waits_for}" + (f"  [{step.approval}]" if step.approval else ""))


def _what(step: StepView) -> str:
    """Return what a step is about: what people read, or else what it does."""
    does = step.does if step.kind != "check" else f"until {step.does}"
    return f"{step.text}  ({does})" if step.text and does else step.text or does


def _print_acts(view: RunView) -> None:
    """Print the commands of this moment."""
    here = view.here
    for act in here.can if here is not None else ():
        needs = "" if act in ("tick", "approve", "retry") else " --because WHY"
        needs += " --took-effect|--no-effect" if act == "settle" else ""
        who = f" --as {here.who_may[0]}" if here is not None and len(here.who_may) == 1 else " --as WHO"
        say(f"{act}: gov runbook {act} {view.id}{needs}{who}")
    if "resume" in view.can:
        say(f"resume: gov runbook resume {view.id} --as WHO")
