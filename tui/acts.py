"""What each act of a responder asks for and sends; nothing here draws."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from governance.client import Client
from governance.views import ApprovalView, IncidentView, SilenceView, WaiverView
from tui.form import Asked, Field, Said
from tui.known import Snapshot
from tui.text import safe

Clock = Callable[[], datetime]
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
BECAUSE = Field("because", "Reason", hint="it goes to the decision log")
WHY = Field("because", "Reason", hint="it goes to the decision log", optional=True)


def until(text: str, at: datetime) -> datetime | None:
    """Return the instant that 30m, 2h, 7d or 09:00 (UTC, the next one) says; None when it says none."""
    lasting = re.fullmatch(r"([1-9]\d{0,3})\s*([mhdw])", text.strip())
    if lasting is not None:
        return at + timedelta(**{_UNITS[lasting[2]]: int(lasting[1])})
    clock = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip())
    if clock is None:
        return None
    found = at.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
    return found if found > at else found + timedelta(days=1)


def lasting(label: str, value: str, at: Clock) -> Field:
    """Return a field for how long something lasts."""

    def wrong(text: str) -> str:
        return "" if until(text, at()) else "say how long, as 30m, 2h, 7d, or until when, as 09:00 UTC"

    def sends(text: str) -> str:
        moment = until(text, at())
        return moment.isoformat() if moment is not None else text

    return Field("until", label, value, hint="30m, 2h, 7d, or 09:00 UTC", wrong=wrong, sends=sends)


def labels_of(text: str) -> dict[str, str] | None:
    """Return the labels that country=DE or country=DE,tier=gold says, None when it says none."""
    found = dict(each.partition("=")[::2] for each in text.replace(",", " ").split())
    return found if found and all(name.isidentifier() and value for name, value in found.items()) else None


def _not_labels(text: str) -> str:
    return "" if labels_of(text) else "say labels as country=DE, several with commas"


ONLY = Field(
    "labels", "Only with labels", optional=True, hint="country=DE; nothing here means all instances", wrong=_not_labels
)


def _narrowed(said: Said) -> dict[str, object]:
    """Return what is sent for what narrows to labels, where any are said."""
    rest: dict[str, object] = {name: value for name, value in said.items() if name != ONLY.name}
    labels = labels_of(said.get(ONLY.name, ""))
    return {**rest, "labels": labels} if labels else rest


def _about(incident: IncidentView, what: str) -> str:
    return f"[b]INC-{incident.id}[/] {safe(incident.model)}\n[$muted]{safe(incident.title)}[/]\n{what}"


def _answering(
    incident: IncidentView,
    verb: str,
    act: str,
    what: str,
    done: str,
    body: Callable[[Said], dict[str, object]],
    *fields: Field,
) -> Asked:
    """Return what is asked for an answer to an incident, which is sent with the version that was seen."""

    def send(client: Client, said: Said, key: str) -> str:
        client.answer(incident.id, act, body(said), key=key)
        return done

    permission = f"incident.{act.replace('-', '_')}"
    title = f"{verb} INC-{incident.id}"
    return Asked(title, _about(incident, what), verb, send, permission, incident.model, fields=fields)


def resolving(incident: IncidentView) -> Asked:
    """Close an incident by hand."""
    firing = sum(not each.ended for each in incident.findings)
    still = (
        f"[$warning]{firing} finding{'s' * (firing > 1)} still fire{'s' * (firing == 1)}[/]"
        if firing
        else "nothing fires any more"
    )
    return _answering(
        incident, "Resolve", "resolve", f"closes it by hand; {still}", f"INC-{incident.id} is resolved",
        lambda said: {"version": incident.version, "because": said["because"]},
        Field("because", "What was done?", hint="it goes to the decision log"),
    )  # fmt: skip


def escalating(incident: IncidentView) -> Asked:
    """Tell the next level now."""
    view = incident.escalation
    to = safe(", ".join(view.next_to)) if view is not None and view.next_to else "whoever the next level names"
    return _answering(
        incident, "Escalate", "escalate", f"tells the next level at once: [b]{to}[/]",
        f"INC-{incident.id} is escalated",
        lambda said: {"version": incident.version, "because": said["because"]}, WHY,
    )  # fmt: skip


def handing_over(incident: IncidentView) -> Asked:
    """Make somebody else the lead."""
    lead = safe(incident.lead) or "nobody"
    return _answering(
        incident, "Hand over", "hand-over", f"lead now: [b]{lead}[/]; who takes over is told",
        f"INC-{incident.id} is handed over",
        lambda said: {"version": incident.version, "to": said["to"], "because": said["because"]},
        Field("to", "To whom", hint="a person by id"), WHY,
    )  # fmt: skip


def noting(incident: IncidentView) -> Asked:
    """Write a note."""
    return _answering(
        incident, "Note on", "note", "everybody who works on it reads it", f"noted on INC-{incident.id}",
        lambda said: {"text": said["text"]}, Field("text", "Note"),
    )  # fmt: skip


def snoozing(incident: IncidentView, at: Clock) -> Asked:
    """Let nobody hear of it for a while."""
    return _answering(
        incident, "Snooze", "snooze", "nobody hears of it until then, unless it becomes worse or is resolved",
        f"INC-{incident.id} is snoozed",
        lambda said: {"version": incident.version, "until": said["until"], "because": said["because"]},
        lasting("For how long", "1h", at), BECAUSE,
    )  # fmt: skip


def judging(incident: IncidentView) -> Asked:
    """Say how bad it is."""
    choices = tuple((each, f"{mark} {each}") for each, mark in (("critical", "▲"), ("warning", "◆"), ("info", "▪")))
    return _answering(
        incident, "Set severity of", "severity", f"it is {incident.severity} now; holds until something new is worse",
        f"the severity of INC-{incident.id} is set",
        lambda said: {"version": incident.version, "severity": said["severity"], "because": said["because"]},
        Field("severity", "How bad is it", incident.severity, choices), BECAUSE,
    )  # fmt: skip


def merging(incident: IncidentView, known: Snapshot) -> Asked:
    """Make it a part of another."""
    others = sorted(
        (each for each in known.incidents.values() if each.id != incident.id),
        key=lambda each: each.model != incident.model,
    )
    listed = "\n".join(f"  [b]INC-{each.id}[/] {safe(each.model)} [$muted]{safe(each.title)}[/]" for each in others[:6])
    what = f"its findings move into the other incident, this one closes\n{listed or '[$warning]no other is open[/]'}"

    def wrong(text: str) -> str:
        number = _number(text)
        if not number:
            return "say the number of an incident, as 12 or INC-12"
        return "that is this incident itself" if number == incident.id else ""

    return _answering(
        incident, "Merge", "merge", what, f"INC-{incident.id} is merged",
        lambda said: {"version": incident.version, "into": _number(said["into"]), "because": said["because"]},
        Field("into", "Into which", hint="INC-…", wrong=wrong), BECAUSE,
    )  # fmt: skip


def _number(text: str) -> int:
    """Return the number of an incident as 12 or INC-12, 0 when it is none."""
    digits = text.upper().removeprefix("INC-")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 12 else 0


def linking(incident: IncidentView) -> Asked:
    """Put a link on it."""
    return _answering(
        incident, "Link to", "link", "a ticket, a call, a dashboard", f"linked to INC-{incident.id}",
        lambda said: {"address": said["address"], "title": said["title"]},
        Field("address", "Address", hint="https://…", wrong=_address), Field("title", "Title", optional=True),
    )  # fmt: skip


def _address(text: str) -> str:
    return "" if re.match(r"https?://[^\s/?#@]+", text) else "an address begins with https:// or http://"


def refusing(approval: ApprovalView) -> Asked:
    """Refuse to be the second person, for everybody."""

    def send(client: Client, said: Said, key: str) -> str:
        client.refuse(approval.id, because=said["because"], key=key)
        return f"refused: {approval.text}"

    asked = f"asked by {safe(approval.requested_by)}; refused for everybody"
    about = f"[b]{safe(approval.id)}[/] {safe(approval.text)}\n[$muted]{asked}[/]"
    because = Field("because", "Why not?", hint="it goes to the decision log")
    return Asked(f"Refuse {approval.id}", about, "Refuse", send, fields=(because,))


def waiving(model: str, rules: Sequence[str], at: Clock) -> Asked:
    """Ask that a rule is not enforced on a model for a while."""

    def send(client: Client, said: Said, key: str) -> str:
        done = client.waive(_narrowed(said), key=key)
        who = ", ".join(done.who_may) or "nobody: the organisation names no second person"
        return f"{done.id} is asked for; a second person must approve: {who}"

    about = "the rule is judged but not enforced; [$warning]a second person must approve[/]"
    named = Field("model", "Model", model)
    rule = Field("rule", "Rule", rules[0] if rules else "", hint="the name of a rule of the model")
    fields = (named, rule, ONLY, lasting("For how long", "7d", at), BECAUSE)
    return Asked("Ask for a waiver", about, "Ask", send, "waiver.request", model, fields=fields)


def silencing(model: str, at: Clock) -> Asked:
    """Mute notifications for a while."""

    def send(client: Client, said: Said, key: str) -> str:
        done = client.mute(_narrowed(said), key=key)
        return f"{done.id}: muted until {done.until:%Y-%m-%d %H:%M}Z"

    about = "nobody is told; verdicts and incidents go on, a resolution gets through"
    everything = Field("model", "Model", model, optional=True, hint="nothing here mutes everything")
    rule = Field("rule", "Rule", optional=True, hint="nothing here mutes all rules")
    fields = (everything, rule, ONLY, lasting("For how long", "1h", at), BECAUSE)
    return Asked("Silence", about, "Mute", send, "silence.create", model, fields=fields)


def ending(thing: WaiverView | SilenceView) -> Asked:
    """End a waiver or a silence now."""
    waiver = isinstance(thing, WaiverView)

    def send(client: Client, said: Said, key: str) -> str:
        if waiver:
            client.withdraw_waiver(thing.id, because=said["because"], key=key)
        else:
            client.end_silence(thing.id, because=said["because"], key=key)
        return f"{thing.id} has ended"

    about = _thing(thing)
    act = "waiver.request" if waiver else "silence.end"
    return Asked(f"End {thing.id}", about, "End it", send, act, thing.model, fields=(BECAUSE,))


def _thing(thing: WaiverView | SilenceView) -> str:
    about = f"[b]{safe(thing.id)}[/] {safe(thing.model or 'all models')} {safe(thing.rule)}"
    return f"{about}\n[$muted]{safe(thing.because)}[/]"
