"""What a click does: one entry for each act that a message offers, and those of our own screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from governance.core.authority import Act, Actor
from governance.engine import approvals, operations, queries
from governance.engine.parts import Engine
from governance.engine.permission import permit, who_may
from governance.errors import Conflict
from governance.slack import acts, home, modals, run_desk, switch_desk
from governance.slack.acts import Clicked
from governance.slack.blocks import Json, escaped, section
from governance.slack.desk import Desk
from governance.slack.switch_modals import APPROVE, CHOSEN, REFUSE
from governance.slack.turn import Turn, metadata
from governance.views import IncidentView

Click = Callable[[Desk, Turn, Actor, Clicked], None]
Own = Callable[[Desk, Turn, Actor, str], None]


def acknowledge(desk: Desk, turn: Turn, who: Actor, click: Clicked) -> None:
    """Take the incident; the message shows it."""
    version = desk.seen(click.incident, click.version)
    try:
        operations.acknowledge(desk.engine, click.incident, actor=who, at=desk.now, version=version)
    except Conflict as error:
        desk.lost(turn, click.incident, click.version, error)
        return
    desk.follow.drawn(click.incident)


def _asks(act: Act, build: Callable[[Desk, IncidentView, Mapping[str, Any]], Json]) -> Click:
    """Return a click that opens a modal about the incident for whoever may do what it asks for."""

    def open_(desk: Desk, turn: Turn, who: Actor, click: Clicked) -> None:
        incident = _readable(desk.engine, who, click.incident)
        permit(desk.engine, who, act, incident.model)
        view = build(desk, incident, meta_of(turn, click, incident.model))
        turn.show(view, f"INC-{incident.id}: this could not be opened; click once more.")

    return open_


def pull(desk: Desk, turn: Turn, who: Actor, click: Clicked) -> None:
    """Open the kill switch of the incident's model."""
    model = queries.shown(desk.engine, click.incident).model
    switch_desk.open_(desk, turn, who, model, meta_of(turn, click, model))


def run(desk: Desk, turn: Turn, who: Actor, click: Clicked) -> None:
    """Show the run that is under way, or ask which is to be started."""
    model = queries.shown(desk.engine, click.incident).model
    run_desk.open_(desk, turn, who, model, meta_of(turn, click, model))


CLICKS: Mapping[str, Click] = {
    "incident.acknowledge": acknowledge,
    "runbook.run": run,
    "incident.escalate": _asks("incident.escalate", lambda _, incident, meta: modals.escalate(incident, meta)),
    "switch.pull": pull,
    "incident.note": _asks("incident.note", lambda _, incident, meta: modals.note(incident, meta)),
    "incident.severity": _asks("incident.severity", lambda _, incident, meta: modals.severity(incident, meta)),
    "incident.hand_over": _asks(
        "incident.hand_over",
        lambda desk, incident, meta: modals.hand_over(incident, able(desk.engine, incident), meta),
    ),
    "incident.snooze": _asks("incident.snooze", lambda _, incident, meta: modals.snooze(incident, meta)),
    "incident.resolve": _asks("incident.resolve", lambda _, incident, meta: modals.resolve(incident, meta)),
    "incident.why": _asks("read", lambda desk, incident, _: modals.why(queries.why(desk.engine, incident.id))),
}
"""What a click on each act of the table does."""


def approve(desk: Desk, turn: Turn, who: Actor, value: str) -> None:
    """Be the second person of a restore, a waiver, or policies that loosen; consent to what a run asks for."""
    done = approvals.approve(desk.engine, value, actor=who, at=desk.now)
    if done.restores:
        desk.follow.switched()
    said = f"{escaped(who.id)} approved {escaped(value)}: {escaped(done.approval.text, 1000)} (entry {done.entry})"
    answered(desk, turn, who, said)


def refuse(desk: Desk, turn: Turn, who: Actor, value: str) -> None:
    """Ask why a request is refused."""
    del desk, who  # asked again when the reason is there
    meta = {"approval": value, "channel": turn.origin.channel, "message": turn.origin.thread}
    blocks = [section(f"*{escaped(value)}* is refused for everybody."), modals.because()]
    view = modals.modal("Refuse", blocks, submit="Refuse", callback=REFUSE, meta=meta)
    turn.show(view, f"{value}: this could not be opened; click once more.")


def choose_mode(desk: Desk, turn: Turn, who: Actor, value: str) -> None:
    """Ask for what another mode needs."""
    said = turn.said.get("view")
    view = said if isinstance(said, Mapping) else {}
    meta = metadata(view.get("private_metadata"))
    switch_desk.redraw(desk, turn, who, meta, mode=value, said=view)


OWN: Mapping[str, Own] = {APPROVE: approve, REFUSE: refuse, CHOSEN: choose_mode, **run_desk.CLICKS}
"""What clicks on our own screens do; their value says on what."""


def clicked(desk: Desk, turn: Turn, action: str, value: str) -> None:
    """Do what was clicked, as the person whose account it is, or offer to link it.

    :raises ValueError: when it is none of our buttons.
    """
    if action in OWN:
        own, known = OWN[action], None
    else:
        own, known = None, acts.clicked(action, value)
    who = desk.person(turn)
    if who is None:
        desk.introduce(turn, [action, value])
        return

    def work() -> None:
        if own is not None:
            own(desk, turn, who, value)
        elif known is not None:
            CLICKS[known.act](desk, turn, who, known)

    desk.attempt(turn, work)


def link(desk: Desk, turn: Turn) -> None:
    """Offer a code to an account that asks for one, or tell it whose it is."""
    who = desk.person(turn)
    if who is None:
        desk.introduce(turn)
    else:
        view = modals.told("Link account", f"You are {escaped(who.id)} here.")
        turn.show(view, f"You are {escaped(who.id)} here.")


def meta_of(turn: Turn, click: Clicked, model: str) -> Json:
    """Return what a modal carries: on what it was opened, and where to answer."""
    return {
        "incident": click.incident,
        "version": click.version,
        "model": model,
        "channel": turn.origin.channel,
        "message": turn.origin.thread,
    }


def able(engine: Engine, incident: IncidentView) -> list[str]:
    """Return who else may lead an incident: those who may acknowledge it."""
    return list(who_may(engine, "incident.acknowledge", incident.model, but=incident.lead))


def _readable(engine: Engine, who: Actor, number: int) -> IncidentView:
    view = queries.shown(engine, number)
    permit(engine, who, "read", view.model)
    return view


def answered(desk: Desk, turn: Turn, who: Actor, said: str) -> None:
    """Put what became of a request in the place of its buttons."""
    if turn.origin.thread:
        turn.replace_message(said, [section(said)])
    else:
        turn.whisper(said)
        home.publish(desk, turn, who)
