"""Check the steps of a runbook by themselves: their names, where they lead, and what on them would mean nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from governance.core.authored import Authored, Path
from governance.core.placed import placed, unknown
from governance.core.problem import Problem
from governance.core.run_bindings import parameter_value
from governance.core.run_path import reached, ways
from governance.core.runbook import CONTINUE, END, STOP, Goto, Runbook, RunbookParameter, Step

_RESERVED = (END, STOP, CONTINUE)
_AT_ONCE = {"notify": "it is told at once, and delivered later", "wait": "`wait` says how long"}
_CHANNEL = re.compile(r"#[^\s#]+|[CDG][A-Z0-9]{7,}")


def step_problems(runbook: Authored[Runbook]) -> Iterator[Problem]:
    """Check every step and parameter of a runbook, without what its expressions and acts say."""
    steps = runbook.document.steps
    names = [each.step for each in steps]
    for place, step in enumerate(steps):
        path: Path = ("steps", place)
        if step.step in _RESERVED:
            message = f"'{step.step}' says where a run goes, so no step is called so"
            yield placed(runbook, (*path, "step"), "reserved-step", message)
        elif step.step in names[:place]:
            message = f"there is a step '{step.step}' above already"
            yield placed(runbook, (*path, "step"), "duplicate-step", message)
        yield from _ways_problems(runbook, path, names, place)
        yield from _idle(runbook, path, step)
        yield from _channel_problems(runbook, path, step)
    if len(set(names)) == len(names):
        yield from _unreachable(runbook)
    for name, each in runbook.document.parameters.items():
        yield from _default_problems(runbook, name, each)
    yield from _start_problems(runbook)


def _ways_problems(runbook: Authored[Runbook], path: Path, names: Sequence[str], place: int) -> Iterator[Problem]:
    step, later = runbook.document.steps[place], names[place + 1 :]
    for field in ("on_failure", "on_timeout"):
        where = getattr(step, field)
        if where is not None and where not in (STOP, CONTINUE, *later):
            yield _led_astray(runbook, (*path, field), where, names, later)
    if isinstance(step.then, Goto):
        yield from _goto_problems(runbook, (*path, "then"), step.then, names[: place + 1], later)
    elif step.then is not None and step.then not in (END, *later):
        if step.then in names:
            message = f"'{step.then}' comes before this step, and a way back without a limit need never end"
            hint = f"write then: {{step: {step.then}, at_most: 3}}"
            yield placed(runbook, (*path, "then"), "backward-step", message, hint)
        elif step.then == CONTINUE:
            message = "a run goes on with the next step where nothing is said"
            yield placed(runbook, (*path, "then"), "no-effect", message, "remove `then`")
        else:
            yield unknown(runbook, (*path, "then"), "step", step.then, [*later, END])


def _led_astray(
    runbook: Authored[Runbook], path: Path, where: str, names: Sequence[str], later: Sequence[str]
) -> Problem:
    if where == END:
        message = "a run whose step failed does not end well"
        return placed(runbook, path, "unknown-step", message, "write stop, or a later step that says what is left")
    if where in names:
        message = f"a failure leads to a later step, and '{where}' is none"
        return placed(runbook, path, "backward-step", message, f"one of {', '.join([STOP, CONTINUE, *later])}")
    return unknown(runbook, path, "step", where, [*later, STOP, CONTINUE])


def _goto_problems(
    runbook: Authored[Runbook], path: Path, goto: Goto, earlier: Sequence[str], later: Sequence[str]
) -> Iterator[Problem]:
    if goto.step in later or goto.step == END:
        message = "only a way back is limited"
        yield placed(runbook, (*path, "at_most"), "no-effect", message, f"write then: {goto.step}")
    elif goto.step not in earlier:
        yield unknown(runbook, (*path, "step"), "step", goto.step, earlier)


def _idle(runbook: Authored[Runbook], path: Path, step: Step) -> Iterator[Problem]:
    """Report what is said of a step and would change nothing."""
    said = step.model_fields_set
    if step.timeout is not None and step.kind in _AT_ONCE:
        message = f"a step that {_verb(step)} has no time-out: {_AT_ONCE[step.kind]}"
        yield placed(runbook, (*path, "timeout"), "no-effect", message)
    elif step.timeout is not None and step.kind == "act" and step.retry is None:
        message = "an act that is tried once has no time-out: how long its system is given is said in org.yaml"
        yield placed(runbook, (*path, "timeout"), "no-effect", message, "give `retry`: the time limits its attempts")
    if step.on_timeout is not None and (step.timeout is None or step.kind in _AT_ONCE):
        message = "without a time-out nothing takes too long"
        hint = "give `timeout`" if step.kind not in _AT_ONCE else ""
        yield placed(runbook, (*path, "on_timeout"), "no-effect", message, hint)
    if step.kind != "act":
        for field, name in (("retry", "retry"), ("undo", "undo"), ("with_", "with")):
            if field in said:
                message = f"`{name}` belongs to a step that acts; this one {_verb(step)}"
                yield placed(runbook, (*path, name), "no-effect", message)


def _verb(step: Step) -> str:
    return {"notify": "tells", "wait": "waits", "instruct": "is ticked", "approve": "asks for consent"}.get(
        step.kind, f"{step.kind}s"
    )


def _channel_problems(runbook: Authored[Runbook], path: Path, step: Step) -> Iterator[Problem]:
    channel = step.notify.channel if step.notify is not None else None
    if channel is not None and "{" not in channel and not _CHANNEL.fullmatch(channel):
        message = f"'{channel}' is no channel: #name, or the id that Slack gives it"
        hint = f"write #{channel}" if re.fullmatch(r"[a-z0-9_-]+", channel) else ""
        yield placed(runbook, (*path, "notify", "channel"), "bad-channel", message, hint)


def _unreachable(runbook: Authored[Runbook]) -> Iterator[Problem]:
    seen = reached(runbook.document, ways(runbook.document))
    for place, step in enumerate(runbook.document.steps):
        if step.step not in seen:
            message = f"nothing leads to '{step.step}': the step before it goes elsewhere, and no other names it"
            yield placed(runbook, ("steps", place, "step"), "unreachable-step", message)
            return  # those after it are mostly not reached for the same reason


def _default_problems(runbook: Authored[Runbook], name: str, parameter: RunbookParameter) -> Iterator[Problem]:
    default = parameter.default
    if default is None or (isinstance(default, str) and "{" in default):
        return
    try:
        parameter_value(parameter.type, default)
    except ValueError as error:
        hint = f'write "{default:g}"' if parameter.type == "string" and isinstance(default, float) else ""
        yield placed(runbook, ("parameters", name, "default"), "wrong-default", f"the default {error}", hint)


def _start_problems(runbook: Authored[Runbook]) -> Iterator[Problem]:
    document = runbook.document
    if document.every is not None:
        for name, each in document.parameters.items():
            if each.default is None:
                message = f"a schedule starts it, and nobody is there who could say '{name}'"
                yield placed(runbook, ("parameters", name), "no-default", message, "give it a default")
    elif document.dry_run and document.proves is None:
        message = "`dry_run` is about what a schedule starts, and about what a run proves"
        yield placed(runbook, ("dry_run",), "no-effect", message, "give `every` or `proves`, or remove it")
    if document.proves == "reviewed":
        message = "a review is made by a team, and a run says none"
        hint = "use a step with act: evidence.record and the team"
        yield placed(runbook, ("proves",), "wrong-evidence", message, hint)
