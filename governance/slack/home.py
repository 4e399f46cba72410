"""The home tab: my incidents, what waits for my approval, who is on call."""

from __future__ import annotations

from collections.abc import Iterator

from slack_sdk.models.views import View

from governance.core.authority import Actor
from governance.engine import approvals, queries
from governance.engine.reading import readable
from governance.slack.blocks import Json, context, escaped, header, moment, section, within
from governance.slack.desk import Desk
from governance.slack.modals import BLOCKS
from governance.slack.people import called
from governance.slack.switch_modals import answers, button
from governance.slack.turn import Turn
from governance.views import ApprovalView, IncidentView
from governance.views.on_call import OnCallView, on_call_views

LINK = "slack.link"
_SHOWN = 15
_GLYPHS = {"critical": "🔴", "warning": "🟠", "info": "🔵"}


def publish(desk: Desk, turn: Turn, who: Actor | None) -> None:
    """Draw the home tab of whoever looks at it."""
    view = View(type="home", blocks=within(list(_blocks(desk, who)), BLOCKS))
    view.validate_json()
    turn.client.views_publish(user_id=turn.origin.user, view=view.to_dict())


def incident_line(incident: IncidentView) -> str:
    """Return an incident as one line."""
    glyph = _GLYPHS.get(incident.severity, "⚪")
    lead = f" · {escaped(incident.lead, 100)}" if incident.lead else ""
    return (
        f"{glyph} {incident.severity} · *INC-{incident.id}* · {escaped(incident.model, 200)} · {incident.status}{lead}"
        f" · since {moment(incident.opened_at)}\n{escaped(incident.title, 500)}"
    )


def on_call_line(desk: Desk, duty: OnCallView) -> str:
    """Return who is on call by a schedule as one line."""
    who = called(desk.engine, duty.person) if duty.person else "*nobody*"
    until = f" until {moment(duty.until)}" if duty.until else ""
    after = f", then {called(desk.engine, duty.following)}" if duty.following else ""
    return f"*{escaped(duty.schedule, 200)}*: {who} ({escaped(duty.why, 100)}){until}{after}"


def waiting_for(desk: Desk, who: Actor) -> list[ApprovalView]:
    """Return what waits for somebody's approval."""
    return [each for each in approvals.pending(desk.engine, desk.now) if who.id in each.who_may]


def _blocks(desk: Desk, who: Actor | None) -> Iterator[Json]:
    if who is None:
        yield section("The engine does not know yet who you are.")
        yield {"type": "actions", "elements": [button("Link account", LINK, "link", style="primary")]}
        return
    engine = desk.engine
    may = readable(engine, who)
    mine = [each for each in queries.listed(engine, status="open") if _is_mine(each, who.id) and may(each.model)]
    yield header("My incidents")
    yield from _listed([section(incident_line(each)) for each in mine], "None that you lead or work on.")
    yield header("Waits for my approval")
    waits = [block for each in waiting_for(desk, who)[:_SHOWN] for block in _approval(each)]
    yield from waits or [section("Nothing.")]
    yield header("On call")
    duties = on_call_views(engine.organisation.schedules, desk.now)
    yield from _listed([section(on_call_line(desk, each)) for each in duties], "The organisation has no schedule.")
    yield context(f"You are {escaped(who.id, 200)} · {escaped(engine.organisation.environment, 100)} · /gov help")


def _approval(approval: ApprovalView) -> Iterator[Json]:
    until = f", until {moment(approval.expires_at)}" if approval.expires_at else ""
    asked = f"asked for by {escaped(approval.requested_by, 100)}{until}"
    yield section(f"*{escaped(approval.id)}* {escaped(approval.text, 1000)}\n{asked}")
    yield answers(approval.id)


def _listed(blocks: list[Json], none: str) -> Iterator[Json]:
    yield from blocks[:_SHOWN] or [section(none)]
    if len(blocks) > _SHOWN:
        yield context(f"… and {len(blocks) - _SHOWN} more")


def _is_mine(incident: IncidentView, person: str) -> bool:
    return person in (incident.lead, incident.acknowledged_by, *incident.responders)
