"""Runs in words: where each is, who or what it waits for, and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from governance.core.duration import format_duration, in_words
from governance.core.run import Run, Visit
from governance.core.runbook import Step
from governance.engine.entries import ENGINE
from governance.engine.parts import Engine
from governance.engine.permission import who_may
from governance.engine.running import consenting

_NAMED = 6
"""People that one line names; the others are counted."""


def summary(engine: Engine, run: Run, at: datetime) -> str:
    """Return how a run stands in one line."""
    if not run.is_open:
        lasted = f" after {in_words(run.ended_at - run.started_at)}" if run.ended_at else ""
        return f"{run.state}{lasted}" + (f": {run.said}" if run.said and run.state != "done" else "")
    number, total = number_of(run), len(run.runbook.steps)
    if run.here is None:
        return f"begins: {total} steps"
    waits = waits_for(engine, run, at)
    where = f"step {number} of {total}: {run.here.step}"
    back = "takes back " if run.here.undoes else ""
    return f"{back}{where}" + (f" – {waits}" if waits else "")


def number_of(run: Run) -> int:
    """Return the place of the step where a run is among those of its runbook, from 1; 0 before the first."""
    here = run.here
    return next((place for place, each in enumerate(run.runbook.steps, 1) if here and each.step == here.step), 0)


def waits_for(engine: Engine, run: Run, at: datetime) -> str:
    """Return who or what a run waits for, "" where it goes on by itself at once."""
    here, step = run.here, run.step
    if here is None or step is None:
        return ""
    if run.state == "paused":
        return f"paused; somebody resumes it{_people(who_may(engine, 'runbook.resume', run.model))}"
    if run.state == "stopped":
        can = "retry or cancel" if step.approve is not None else "retry, skip or cancel"
        why = f" ({run.said or here.detail})" if run.said or here.detail else ""
        return f"stopped{why}; a person decides: {can}{_people(who_may(engine, 'runbook.retry', run.model))}"
    if run.state == "unknown":
        settlers = _people(who_may(engine, "runbook.settle", run.model))
        return f"nobody knows whether it took effect; somebody looks and says so{settlers}"
    return _step_waits(engine, run, step, here, at)


def _step_waits(engine: Engine, run: Run, step: Step, here: Visit, at: datetime) -> str:
    until = f" until {clock(here.deadline, at)}" if here.deadline else ""
    if step.approve is not None and here.state == "waiting":
        left = step.approve.people - len(consenting.consented(here))
        named = _people(consenting.able(engine, run, here)) or " (nobody may)"
        who = f"{_article(step.approve.role)}" if left == 1 else f"{left} people who are {step.approve.role}"
        return f"waits for {who}{named}{until}"
    if step.instruct is not None and here.state == "waiting":
        return f"waits for somebody to do it and tick it{_people(who_may(engine, 'runbook.tick', run.model))}{until}"
    if here.state == "acting":
        return f"waits for {step.act or 'an answer'}"
    if step.wait is not None and here.deadline is not None:
        return f"waits until {clock(here.deadline, at)}"
    if step.check is not None and here.next_at is not None and here.is_begun:
        return f"waits for its condition, looked at again at {clock(here.next_at, at)}{until}"
    if step.act is not None and here.next_at is not None and here.next_at > at:
        return f"is tried again at {clock(here.next_at, at)} (try {here.attempts + 1})"
    return ""


def does(step: Step, asked: Mapping[str, object] | None = None) -> str:
    """Return what a step does, in the words of its runbook; an act with what it is `asked`, where that is known."""
    if step.approve is not None:
        count, role = step.approve.people, step.approve.role
        whom = _article(role) if count == 1 else f"{count} people who are {role}"
        other = "" if step.approve.not_ == "nobody" else ", not the starter"
        return f"asks {whom}{other}"
    if step.act is not None:
        given = ", ".join(f"{name}: {value}" for name, value in (asked or step.with_).items())
        return f"{step.act} {{{given}}}" if given else step.act
    if step.wait is not None:
        return f"waits {format_duration(step.wait)}"
    if step.notify is not None:
        where = step.notify.channel or step.notify.notifier
        return f"tells {where or 'whoever hears of the model'}"
    return step.check or ""


def starter(run: Run) -> str:
    """Return who started a run, in words."""
    if run.started_by != ENGINE:
        return run.started_by
    return f"the rule {run.rule}" if run.rule else "its schedule"


def clock(then: datetime, at: datetime) -> str:
    """Return an instant as short as it is clear: the time of today, or else with its day; in UTC."""
    return f"{then:%H:%M}" if then.date() == at.date() else f"{then:%Y-%m-%d %H:%M}"


def _people(people: Sequence[str]) -> str:
    if not people:
        return ""
    more = f" and {len(people) - _NAMED} more" if len(people) > _NAMED else ""
    return f" ({', '.join(people[:_NAMED])}{more})"


def _article(role: str) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}"
