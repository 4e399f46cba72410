"""The card of a run in an incident's thread: its steps, what is to be done now, and the buttons for that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from governance.slack.acts import Style
from governance.slack.blocks import BUTTON, FALLBACK, TEXT, Json, context, escaped, literal, plain, section, within
from governance.slack.message import Drawn
from governance.views.runs import RunView, StepView

_LINE, _NAME = 300, 100
_MARKS = {"done": "✅", "cancelled": "↶", "stopped": "🛑", "unknown": "❓", "paused": "⏸️"}


@dataclass(frozen=True, slots=True)
class RunAct:
    """One thing that people do with a run; its id is the word of the decision log. A `modal` asks why first."""

    id: str
    label: str
    style: Style = ""
    modal: bool = False


RUN_ACTS: Mapping[str, RunAct] = {
    "tick": RunAct("runbook.tick", "Done", style="primary"),
    "approve": RunAct("runbook.approve", "Approve", style="primary"),
    "refuse": RunAct("runbook.refuse", "Refuse…", style="danger", modal=True),
    "settle": RunAct("runbook.settle", "Did it take effect?…", style="primary", modal=True),
    "retry": RunAct("runbook.retry", "Try again…", modal=True),
    "skip": RunAct("runbook.skip", "Skip…", modal=True),
    "pause": RunAct("runbook.pause", "Pause"),
    "resume": RunAct("runbook.resume", "Go on", style="primary"),
    "cancel": RunAct("runbook.cancel", "Cancel…", style="danger", modal=True),
}
"""By what a run or a step `can`, in the order of the buttons."""


@dataclass(frozen=True, slots=True)
class RunClicked:
    """What a click on a card says: on which run, and at which step it was."""

    run: str
    step: str


def value_of(run: str, step: str) -> str:
    """Return the value of a button."""
    return json.dumps({"run": run, "step": step})


def clicked(value: str) -> RunClicked:
    """Return what a button's value says.

    :raises ValueError: when it is none of ours.
    """
    try:
        said = json.loads(value)
        return RunClicked(str(said["run"]), str(said["step"]))
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"not the value of one of our buttons: {value[:80]!r}") from error


def card(run: RunView) -> Drawn:
    """Return the card of a run; the same state is always the same card."""
    text = escaped(f"{run.runbook} for {run.model} ({run.id}): {run.summary}", FALLBACK)
    return Drawn(text, within([*_blocks(run)]))


def words(step: StepView) -> str:
    """Return what is read at a step as its author laid it out, each line safe by itself."""
    lines = [escaped(each, _LINE) for each in step.text.splitlines()]
    return "\n".join(each for each in lines if each)[:TEXT]


def _blocks(run: RunView) -> Iterator[Json]:
    mark = _MARKS.get(run.state, "▶️")
    dry = " · dry run" if run.mode == "dry_run" else ""
    head = f"{mark} *{escaped(run.runbook, _NAME)}* for {escaped(run.model, _NAME)} · {run.id} · {run.state}{dry}"
    yield section(f"{head}\n{escaped(run.summary, _LINE)}")
    yield section(_listed([_step(each, run) for each in run.steps]))
    here = run.here
    if here is not None and here.text:
        yield section(words(here))
    row = _buttons(run)
    if row is not None:
        yield row
    who = ", ".join(here.who_may[:10]) if here is not None else ""
    yield context(f"Started by {escaped(run.started_by, _NAME)}: {escaped(run.because, _LINE)}")
    if who:
        yield context(f"Who may: {escaped(who, _LINE)}")


def _step(step: StepView, run: RunView) -> str:
    here = run.here is not None and run.here.step == step.step
    name = f"*{escaped(step.step, _NAME)}*" if here else escaped(step.step, _NAME)
    said = step.waits_for if here and step.waits_for else step.detail
    return f"{step.glyph} {name}{f' – {escaped(said, 200)}' if said else ''}"


def _listed(lines: list[str]) -> str:
    """Return as many lines as a section takes, the first ones: what follows is in the terminal."""
    kept, used = list[str](), 0
    for each in lines:
        used += len(each) + 1
        if used > TEXT - 60:
            return "\n".join([*kept, f"… and {len(lines) - len(kept)} more steps: gov runbook status"])
        kept.append(each)
    return "\n".join(kept)


def _buttons(run: RunView) -> Json | None:
    here = run.here
    can = [*(here.can if here is not None else []), *run.can]
    step = here.step if here is not None else ""
    elements = [_button(act, run.id, step) for name, act in RUN_ACTS.items() if name in can]
    if not elements:
        return None
    return cast("Json", ActionsBlock(block_id=f"run.{run.id}", elements=elements).to_dict())


def _button(act: RunAct, run: str, step: str) -> ButtonElement:
    return ButtonElement(
        action_id=act.id,
        text=plain(act.label, BUTTON),
        value=value_of(run, step),
        style=act.style or None,
        accessibility_label=literal(f"{act.label} {run} {step}", BUTTON),
    )
