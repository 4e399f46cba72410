"""The modals: what a person must know before an act, and what became of it. Pure: values in, views out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.models.views import View

from governance.core.authority import act_words
from governance.engine.parts import Engine
from governance.engine.permission import NotPermitted, who_may
from governance.errors import Conflict, Denied, GovernanceError, Unavailable
from governance.slack.blocks import Json, context, escaped, literal, moment, plain, section, within
from governance.slack.people import called
from governance.views import IncidentView, WhyView

BLOCKS = 100
TITLE = 24
REASON, LONGEST = "because", 2000
_TOLD = 40
"""Notifications that fit the modal of `why`."""
SEVERITIES = ("critical", "warning", "info")
SNOOZES = {"30m": "30 minutes", "1h": "an hour", "4h": "four hours", "8h": "eight hours", "1d": "a day"}


def modal(
    title: str, blocks: Sequence[Json], *, submit: str = "", callback: str = "", meta: Mapping[str, Any] | None = None
) -> Json:
    """Return a modal within Slack's limits; without `submit` it only tells."""
    made = View(
        type="modal",
        title=plain(title, TITLE),
        blocks=list(within(blocks, BLOCKS)),
        close=plain("Cancel" if submit else "Close", TITLE),
        submit=plain(submit, TITLE) if submit else None,
        callback_id=callback or "told",
        private_metadata=json.dumps(dict(meta or {})),
    )
    made.validate_json()
    found: Json = made.to_dict()
    return found


def told(title: str, *lines: str) -> Json:
    """Return a modal that only tells; its lines are escaped already."""
    return modal(title, [section(each) for each in lines if each])


def text_input(
    name: str, label: str, *, preset: str = "", hint: str = "", optional: bool = False, lines: bool = True,
    longest: int = LONGEST,
) -> Json:  # fmt: skip
    """Return a field for text."""
    element = {"type": "plain_text_input", "action_id": name, "multiline": lines, "max_length": longest}
    if preset:
        element["initial_value"] = literal(preset, longest)
    return _input(name, label, element, hint, optional=optional)


def choice(
    name: str, label: str, options: Mapping[str, str], *, chosen: str = "", hint: str = "", action: str = "",
    optional: bool = False,
) -> Json:  # fmt: skip
    """Return a field with a list to choose from; with `action` choosing tells us at once."""
    listed = {value: {"text": plain(text, 75).to_dict(), "value": value} for value, text in list(options.items())[:100]}
    element: Json = {"type": "static_select", "action_id": action or name, "options": list(listed.values())}
    if chosen in listed:
        element["initial_option"] = listed[chosen]
    found = _input(name, label, element, hint, optional=optional)
    return {**found, "dispatch_action": True} if action else found


def _input(name: str, label: str, element: Json, hint: str, *, optional: bool) -> Json:
    found = {"type": "input", "block_id": name, "label": plain(label, 2000).to_dict(), "element": element}
    if hint:
        found["hint"] = plain(hint, 2000).to_dict()
    return {**found, "optional": optional}


def because(preset: str = "", *, optional: bool = False) -> Json:
    """Return the field for the reason, which the log keeps."""
    return text_input(REASON, "Why", preset=preset, hint="It stands in the decision log.", optional=optional)


def about(incident: IncidentView) -> list[Json]:
    """Return what a modal about an incident begins with."""
    head = f"*INC-{incident.id} · {escaped(incident.model, 200)}* is {incident.severity}, {incident.status}"
    return [section(f"{head}\n{escaped(incident.title, 1000)}")]


def resolve(incident: IncidentView, meta: Mapping[str, Any]) -> Json:
    """Ask what was done about it."""
    firing = sum(each.ended is None for each in incident.findings)
    still = f"{firing} of its findings still fire; they tell nobody until they clear and fire anew." if firing else ""
    blocks = [*about(incident), *([context(still)] if still else []), because()]
    return modal("Resolve", blocks, submit="Resolve", callback="incident.resolve", meta=meta)


def note(incident: IncidentView, meta: Mapping[str, Any]) -> Json:
    """Ask what others should know."""
    field = text_input("text", "Note", hint="Everybody who follows the incident reads it.", longest=3000)
    return modal("Note", [*about(incident), field], submit="Add note", callback="incident.note", meta=meta)


def severity(incident: IncidentView, meta: Mapping[str, Any]) -> Json:
    """Ask how bad it is."""
    others = {each: each for each in SEVERITIES if each != incident.severity}
    blocks = [*about(incident), choice("severity", "It is", others), because()]
    return modal("Change severity", blocks, submit="Change", callback="incident.severity", meta=meta)


def snooze(incident: IncidentView, meta: Mapping[str, Any]) -> Json:
    """Ask for how long nobody shall hear of it."""
    said = "It comes back at the end, and at once when it becomes worse."
    blocks = [*about(incident), choice("for", "For", SNOOZES, chosen="1h", hint=said), because()]
    return modal("Snooze", blocks, submit="Snooze", callback="incident.snooze", meta=meta)


def hand_over(incident: IncidentView, people: Sequence[str], meta: Mapping[str, Any]) -> Json:
    """Ask who leads it from now on."""
    if not people:
        return told("Hand over", f"Nobody else may work on {escaped(incident.model, 200)}.")
    field = choice("to", "To", {each: each for each in people if len(each) <= 75})
    blocks = [*about(incident), field, because(optional=True)]
    return modal("Hand over", blocks, submit="Hand over", callback="incident.hand_over", meta=meta)


def escalate(incident: IncidentView, meta: Mapping[str, Any]) -> Json:
    """Ask before the next people are told."""
    blocks = [*about(incident), section("The next level of the escalation is told now."), because(optional=True)]
    return modal("Escalate", blocks, submit="Escalate", callback="incident.escalate", meta=meta)


def why(found: WhyView) -> Json:
    """Tell who was told of an incident, why, and what became of each notification."""
    lines = [
        f"{moment(each.at)} *{escaped(each.notifier, 100)}* ({escaped(each.reason, 100)}): {escaped(each.state, 50)}"
        f"{f', {escaped(each.receipt, 300)}' if each.receipt else ''}"
        for each in found.notifications
    ]
    left = len(lines) - _TOLD
    rest = [context(f"… and {left} more, see gov why {found.incident}")] if left > 0 else []
    shown = [section(each) for each in lines[:_TOLD]] or [section("Nobody was told.")]
    return modal(
        "Who was told, and why",
        [
            section(f"*INC-{found.incident}* {escaped(found.title, 500)}"),
            *(section(escaped(each, 300)) for each in found.now),
            *shown,
            *rest,
        ],
    )


def link(code: str, holds: str, *, waits: bool) -> Json:
    """Show an account the code by which a person makes it theirs."""
    then = " What you wanted to do is done then." if waits else ""
    return modal(
        "Link account",
        [
            section("The engine does not know yet who you are. In a terminal, with your own token, say:"),
            section(f"```gov slack link {code}```"),
            section(f"The code holds for {holds} and works once.{then}"),
            context("Never run this with a code that somebody else gives you: they would act in your name."),
        ],
    )


def refused(engine: Engine, error: GovernanceError) -> Json:
    """Show why something is not done: the rule that decides so, and who may."""
    if isinstance(error, NotPermitted):
        people = who_may(engine, error.act, error.model, but=error.actor, role=error.role)
        who = ", ".join(called(engine, each) for each in people[:20]) or "nobody; the organisation names none"
        return told(
            "Not allowed",
            f"*{escaped(error.actor, 200)} may not {act_words(error.act)}.*",
            f"*The rule:* {escaped(error.rule, 1500)}",
            f"*Who may:* {who}",
            "" if escaped(error.rule, 1500) in escaped(str(error)) else escaped(str(error), 1000),
        )
    title = "Not allowed" if isinstance(error, Denied) else "Not done"
    if isinstance(error, Unavailable):
        title = "Not possible now"
    if isinstance(error, Conflict):
        title = "Somebody was first"
    return told(title, escaped(str(error)))


def first(number: int, said: str) -> str:
    """Return who was first, for whoever lost the race."""
    return f"INC-{number}: {escaped(said, 1000)}. Nothing was done; look again before you go on."
