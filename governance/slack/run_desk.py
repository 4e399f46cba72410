"""What people do with runs from Slack: start one, and answer what it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from governance.core.authority import Actor
from governance.engine import queries, running
from governance.engine.permission import permit
from governance.engine.running import RunDone, showing
from governance.slack import run_modals
from governance.slack.blocks import escaped, section
from governance.slack.desk import Desk
from governance.slack.modals import REASON, told
from governance.slack.run_card import RUN_ACTS, card, clicked
from governance.slack.showing import proposed
from governance.slack.turn import Turn
from governance.views.runs import RunView

Meta = Mapping[str, Any]
Said = Mapping[str, str]


def open_(desk: Desk, turn: Turn, who: Actor, model: str, meta: Meta, *, name: str = "") -> None:
    """Show the run about an incident that is under way, or ask which runbook is to be started."""
    permit(desk.engine, who, "read", model)
    number = int(meta.get("incident") or 0)
    going = showing.listed(desk.engine, incident=number) if number and not name else []
    if going:
        view = run_modals.here(showing.run_view(desk.engine, going[0], desk.now), meta)
    else:
        known = showing.runbook_views(desk.engine, model)
        title = queries.shown(desk.engine, number).title if number else ""
        view = run_modals.start(
            model, known, {**meta, "model": model}, chosen=name or _proposed(desk, number), why=title
        )
    turn.show(view, f"{model}: this could not be opened; click once more.")


def click(act: str, desk: Desk, turn: Turn, who: Actor, value: str) -> None:
    """Do what a button of a card says, or ask why first."""
    on = clicked(value)
    if RUN_ACTS[act].modal:
        run = _view(desk, who, on.run)
        meta = {"channel": turn.origin.channel, "message": turn.origin.thread, "incident": run.incident}
        turn.show(run_modals.asked(act, run, on.step, meta), f"{on.run}: this could not be opened; click once more.")
        return
    done = _DIRECT[act](desk, who, on.run, on.step)
    _drawn(desk, turn, done)


def submit(act: str, desk: Desk, turn: Turn, who: Actor, meta: Meta, said: Said) -> None:
    """Do what a modal about a run asks for."""
    run, step = str(meta.get("run", "")), str(meta.get("step", ""))
    done = _DIRECT[act](desk, who, run, step) if act in _DIRECT else _REASONED[act](desk, who, run, step, said)
    text = f"{run}: entry {done.entry} of the decision log. {_summary(desk, done)}"
    turn.show(told("Done", escaped(text)), text)
    desk.follow.drawn(done.run.incident)


def begin(desk: Desk, turn: Turn, who: Actor, meta: Meta, said: Said) -> None:
    """Start a runbook."""
    number = int(meta.get("incident") or 0)
    done = running.start(
        desk.engine, said.get(run_modals.CHOSEN, ""), str(meta.get("model", "")), actor=who,
        because=said.get(REASON, ""), at=desk.now, incident=number,
        parameters=run_modals.parameters(said.get(run_modals.PARAMETERS, "")),
        dry_run=said.get(run_modals.MODE) == run_modals.DRY,
    )  # fmt: skip
    where = f"its card stands in the thread of INC-{number}" if number else f"see gov runbook status {done.run.id}"
    text = f"{done.run.id} has begun: entry {done.entry} of the decision log; {where}."
    turn.show(told("Begun", escaped(text)), text)
    desk.follow.drawn(number)


def _proposed(desk: Desk, number: int) -> str:
    """Return the runbook that the rules of an incident propose, "" for none."""
    return next(proposed(desk.engine, queries.shown(desk.engine, number)), "") if number else ""


def _view(desk: Desk, who: Actor, run: str) -> RunView:
    found = showing.found(desk.engine, run)
    permit(desk.engine, who, "read", found.model)
    return showing.run_view(desk.engine, found, desk.now)


def _summary(desk: Desk, done: RunDone) -> str:
    return showing.run_view(desk.engine, done.run, desk.now).summary


def _drawn(desk: Desk, turn: Turn, done: RunDone) -> None:
    """Show at once what became of a click: the card where there is one, else words."""
    view = showing.run_view(desk.engine, done.run, desk.now)
    if not view.incident:
        text = f"{view.id}: {view.summary} (entry {done.entry})"
        turn.whisper(text, [section(escaped(text))])
        return
    drawn = card(view)
    turn.update(turn.origin.channel, turn.origin.thread, drawn.text, drawn.blocks)
    desk.follow.drawn(view.incident)


_DIRECT: Mapping[str, Callable[[Desk, Actor, str, str], RunDone]] = {
    "tick": lambda desk, who, run, step: running.tick(desk.engine, run, actor=who, at=desk.now, step=step),
    "approve": lambda desk, who, run, step: running.approve(desk.engine, run, actor=who, at=desk.now, step=step),
    "pause": lambda desk, who, run, _: running.pause(desk.engine, run, actor=who, at=desk.now),
    "resume": lambda desk, who, run, _: running.resume(desk.engine, run, actor=who, at=desk.now),
}
_REASONED: Mapping[str, Callable[[Desk, Actor, str, str, Said], RunDone]] = {
    "refuse": lambda desk, who, run, step, said: running.refuse(
        desk.engine, run, actor=who, at=desk.now, step=step, because=said.get(REASON, "")
    ),
    "retry": lambda desk, who, run, step, said: running.retry(
        desk.engine, run, actor=who, at=desk.now, step=step, because=said.get(REASON, "")
    ),
    "skip": lambda desk, who, run, step, said: running.skip(
        desk.engine, run, actor=who, at=desk.now, step=step, because=said.get(REASON, "")
    ),
    "settle": lambda desk, who, run, step, said: running.settle(
        desk.engine, run, took_effect=said.get(run_modals.EFFECT) == "yes", actor=who, at=desk.now, step=step,
        because=said.get(REASON, ""),
    ),
    "cancel": lambda desk, who, run, _, said: running.cancel(
        desk.engine, run, actor=who, at=desk.now, because=said.get(REASON, "")
    ),
}  # fmt: skip

CLICKS = {act.id: partial(click, name) for name, act in RUN_ACTS.items()}
"""What the buttons of a card do, by their action id."""
SUBMITS = {act.id: partial(submit, name) for name, act in RUN_ACTS.items()}
"""What the modals about a run do, by their callback id."""
REASONED = frozenset(RUN_ACTS[name].id for name in _REASONED)
"""Those that need a reason."""
