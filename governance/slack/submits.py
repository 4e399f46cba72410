"""What a submitted modal does: checked at once, shown as under way, done, and the outcome shown in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from governance.core.authority import Actor
from governance.core.document import Severity
from governance.core.duration import parse_duration
from governance.engine import approvals, operations
from governance.engine.operations import Done
from governance.errors import Conflict, InvalidDocument
from governance.slack import batch_desk, batch_modals, modals, run_desk, run_modals, switch_desk, switch_modals
from governance.slack.blocks import Json, escaped
from governance.slack.desk import Desk
from governance.slack.modals import REASON
from governance.slack.turn import Turn

Said = Mapping[str, str]
Meta = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Submit:
    """One modal: what it does, what is asked for, and what is shown meanwhile."""

    act: Callable[[Desk, Turn, Actor, Meta, Said], None]
    missing: Callable[[Meta, Said], dict[str, str]] = lambda _meta, _said: {}
    meanwhile: Callable[[Meta, Said], Json] = lambda _meta, _said: modals.told("Under way", "One moment…")


def _on_incident(do: Callable[[Desk, Actor, int, int, Said], Done], word: str) -> Submit:
    """Return a modal that acts on an incident as it was when it was opened."""

    def act(desk: Desk, turn: Turn, who: Actor, meta: Meta, said: Said) -> None:
        number, version = meta.get("incident"), meta.get("version")
        if not isinstance(number, int) or not isinstance(version, int):
            raise InvalidDocument("this modal is from another version of the app; open it once more")
        try:
            done = do(desk, who, number, desk.seen(number, version), said)
        except Conflict as error:
            text = modals.first(number, desk.first(number, version) or str(error))
            turn.show(modals.told("Somebody was first", text), text)
            desk.follow.drawn(number)
            return
        desk.follow.drawn(number)
        still = f" {done.still_firing} findings still fire." if done.still_firing else ""
        still += f" {', '.join(done.under_way)} about it goes on." if done.under_way else ""
        text = f"INC-{number} {word}: entry {done.entry} of the decision log.{still}"
        turn.show(modals.told("Done", text), text)

    return Submit(act, _missing)


def _missing(meta: Meta, said: Said) -> dict[str, str]:
    del meta
    return {name: "Say something here." for name in ("text", REASON) if name in said and not said[name].strip()}


def _unreasoned(meta: Meta, said: Said) -> dict[str, str]:
    del meta
    return {} if said.get(REASON, "").strip() else {REASON: "Say why."}


def _severity(said: Said) -> Severity:
    for each in modals.SEVERITIES:
        if each == said.get("severity"):
            return each  # type: ignore[return-value]  # the names of the severities
    raise InvalidDocument("say how bad it is: critical, warning or info")


def _snooze(desk: Desk, who: Actor, number: int, version: int, said: Said) -> Done:
    at = desk.now
    try:
        until = at + parse_duration(said.get("for", ""))
    except ValueError as error:
        raise InvalidDocument(str(error)) from error
    because = said.get(REASON, "")
    return operations.snooze(desk.engine, number, until=until, because=because, actor=who, at=at, version=version)


def _refuse(desk: Desk, turn: Turn, who: Actor, meta: Meta, said: Said) -> None:
    value, because = str(meta.get("approval", "")), said.get(REASON, "")
    approvals.refuse(desk.engine, value, actor=who, at=desk.now, because=because)
    text = f"{escaped(who.id)} refused {escaped(value)}: {escaped(because, 1000)}"
    turn.show(modals.told("Refused", text), text)
    turn.update(str(meta.get("channel") or ""), str(meta.get("message") or ""), text)


SUBMITS: Mapping[str, Submit] = {
    "incident.resolve": _on_incident(
        lambda desk, who, number, version, said: operations.resolve(
            desk.engine, number, because=said.get(REASON, ""), actor=who, at=desk.now, version=version
        ),
        "is resolved",
    ),
    "incident.note": _on_incident(
        lambda desk, who, number, _, said: operations.note(
            desk.engine, number, text=said.get("text", ""), actor=who, at=desk.now
        ),
        "has your note",
    ),
    "incident.severity": _on_incident(
        lambda desk, who, number, version, said: operations.set_severity(
            desk.engine, number, severity=_severity(said), because=said.get(REASON, ""), actor=who, at=desk.now,
            version=version,
        ),
        "has the severity that you say",
    ),
    "incident.snooze": _on_incident(_snooze, "is snoozed"),
    "incident.hand_over": _on_incident(
        lambda desk, who, number, version, said: operations.hand_over(
            desk.engine, number, to=said.get("to", ""), because=said.get(REASON, ""), actor=who, at=desk.now,
            version=version,
        ),
        "has another lead",
    ),
    "incident.escalate": _on_incident(
        lambda desk, who, number, version, said: operations.escalate(
            desk.engine, number, because=said.get(REASON, ""), actor=who, at=desk.now, version=version
        ),
        "is escalated: the next level is told",
    ),
    "switch.pull": Submit(
        switch_desk.submit,
        switch_desk.error_of,
        lambda meta, said: switch_modals.pulling(
            str(meta.get("model", "")), restoring=said.get(switch_modals.MODE) == switch_modals.LIVE
        ),
    ),
    batch_modals.PULL: Submit(
        batch_desk.submit, batch_desk.error_of, lambda meta, _said: batch_modals.pulling(meta)
    ),
    switch_modals.REFUSE: Submit(_refuse, _missing),
    run_modals.START: Submit(run_desk.begin, _unreasoned),
    **{
        each: Submit(do, _unreasoned if each in run_desk.REASONED else _missing)
        for each, do in run_desk.SUBMITS.items()
    },
}  # fmt: skip
"""What each modal does, by its callback id."""


def submitted(desk: Desk, turn: Turn, callback: str, meta: Meta, said: Said) -> None:
    """Do what a modal asks for, as the person whose account it is."""
    who = desk.person(turn)
    if who is None:  # the link was ended while the modal was open
        desk.introduce(turn)
        return

    desk.attempt(turn, lambda: SUBMITS[callback].act(desk, turn, who, meta, said))
