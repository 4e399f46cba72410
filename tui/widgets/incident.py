"""What an incident is and how its model is: the facts of both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from governance.views import EscalationView, FleetRow, IncidentView, SwitchView
from tui.facts import BLIND
from tui.known import GLYPHS, MODES, number, span
from tui.text import SEVERITIES, fact, safe

_STATUS = {
    "triggered": ("$error", "!"),
    "acknowledged": ("$warning", "◐"),
    "mitigated": ("$warning", "◑"),
    "resolved": ("$success", "✓"),
}


def summary(row: FleetRow, incident: IncidentView | None, at: datetime) -> list[str]:
    """Return how a model is: its incident in two lines where it has one, and the facts."""
    found = healthy(row)
    if incident is not None:
        mark = f"{_mark(incident)}  [b]INC-{incident.id}[/] {safe(incident.status)}"
        found = [mark, safe(incident.title), ""]
    waived = [fact("waived", f"[$accent]◇ {safe(each)}[/]") for each in row.waived]
    return [*found, *model_facts(row, at), *waived]


def facts_of(incident: IncidentView, row: FleetRow | None, at: datetime) -> list[str]:
    """Return what an incident is and how its model is, as lines of markup, without its findings."""
    clock = [fact("escalation", escalation(incident.escalation, at))] if incident.escalation else []
    own = [*incident_facts(incident, row, at), *clock]
    return [*headline(incident), "", *own, *(model_facts(row, at) if row is not None else ()), *more(incident, at)]


def headline(incident: IncidentView) -> list[str]:
    """Return what is wrong with which model."""
    return [f"{_mark(incident)}  [b]INC-{incident.id}[/]  {safe(incident.model)}", safe(incident.title)]


def _mark(incident: IncidentView) -> str:
    colour = {**SEVERITIES, "warning": "b $warning"}.get(incident.severity, "b $secondary")
    return f"[{colour}]{GLYPHS.get(incident.severity, '?')} {incident.severity}[/]"


def incident_facts(incident: IncidentView, row: FleetRow | None, at: datetime) -> list[str]:
    """Return how far an incident has come and who works on it."""
    others = [f"INC-{each}" for each in (row.incidents if row is not None else ()) if each != incident.id]
    colour, glyph = _STATUS.get(incident.status, ("$muted", "·"))
    return [
        fact("status", f"[{colour}]{glyph} {incident.status}[/]"),
        fact("lead", _lead(incident)),
        fact("opened", f"{span(incident.opened_at, at)} ago [$muted]{incident.opened_at:%Y-%m-%d %H:%M}Z[/]"),
        *_since_then(incident, at),
        *([fact("also open", ", ".join(others))] if others else []),
    ]


def _since_then(incident: IncidentView, at: datetime) -> Iterator[str]:
    """Yield how the values of the first finding have changed since what the title says, and how old that is."""
    for each in incident.findings[:1]:
        if each.change and each.now_at is not None:
            yield fact("changed", f"{safe(each.change)} [$muted]· judged {span(each.now_at, at)} ago[/]")


def _lead(incident: IncidentView) -> str:
    lead = incident.lead or incident.acknowledged_by
    if not lead:
        return "nobody yet [$muted](a takes it)[/]"
    taken = incident.acknowledged_at if incident.acknowledged_by == lead else None
    return f"{safe(lead)} [$muted]took it {taken:%H:%M:%S}Z[/]" if taken is not None else safe(lead)


def more(incident: IncidentView, at: datetime) -> list[str]:
    """Return what only some incidents have: a snooze, responders, links, others that it reaches."""
    lines = []
    if incident.snoozed_until is not None and incident.snoozed_until > at:
        why = f"[$muted]by {safe(incident.snoozed_by)}: {safe(incident.snoozed_because)}[/]"
        lines.append(fact("snoozed", f"for {span(at, incident.snoozed_until)} yet {why}"))
    others = [each for each in incident.responders if each != incident.lead]
    if others:
        lines.append(fact("with", safe(", ".join(others))))
    lines += [fact("link", f"{safe(each.title)} [u]{safe(each.address)}[/]") for each in incident.links]
    if incident.affects:
        lines.append(fact("reaches", safe(", ".join(f"{each.model} ({each.team})" for each in incident.affects))))
    if incident.merged_into is not None:
        lines.append(fact("merged into", f"INC-{incident.merged_into}"))
    return lines


def escalation(view: EscalationView, at: datetime) -> str:
    """Return who was told of an incident, and who is next in how long, as markup."""
    level = f"level {view.level} of {view.last_level}" if view.level else "nobody told yet"
    told = f" [$muted]{safe(', '.join(view.told))} told[/]" if view.told else ""
    if view.waits_for:
        return f"{level}{told} [$warning]waits: {safe(view.waits_for)}[/]"
    if view.next_at is not None:
        who = safe(", ".join(view.next_to)) or "[$error]nobody is there[/]"
        when = f"in {span(at, view.next_at)}" if view.next_at > at else "now"
        return f"{level}{told} → {who} {when}"
    if view.comes_back_at is not None:
        return f"{level}{told} [$muted]comes back in {span(at, max(at, view.comes_back_at))} unless worked on[/]"
    state = {"stopped": "stopped", "handed_over": "another system escalates", "exhausted": "everybody was told"}
    return f"{level}{told} [$muted]{state.get(view.state, view.state)}[/]"


def healthy(row: FleetRow) -> list[str]:
    """Return how a model without an incident is; of one with missing data that nothing can be told."""
    if row.severity != "unknown":
        return [f"[$success]· ok[/]  [b]{safe(row.model)}[/]", "no open incident", ""]
    blind, rules = sum(row.outcomes.get(each, 0) for each in BLIND), sum(row.outcomes.values())
    said = f"{blind} of {rules} rules could not be judged" if blind < rules else "nothing can be told of it"
    return [f"[b $warning]? no data[/]  [b]{safe(row.model)}[/]", f"{said}: missing data is never healthy", ""]


def model_facts(row: FleetRow, at: datetime) -> Iterator[str]:
    """Yield how a model is."""
    if row.mode:  # the engine itself has none
        yield from _switch(row, None)
    yield fact("team", f"{safe(row.team)} [$muted]tier {row.tier}[/]")
    yield _judged(row, at)
    yield fact("data of", _ago(row.data_at, at))


def in_short(row: FleetRow, at: datetime, switch: SwitchView | None) -> Iterator[str]:
    """Yield how a model is in fewer lines; with its switch also what serves, how much, and what answers instead."""
    if row.mode:
        yield from _switch(row, switch)
    about = f"tier {row.tier} · {safe(row.team)}"
    if switch is not None and switch.traffic is not None:
        yield fact("serving", f"[b]{number(switch.traffic)}[/] a minute [$muted]{about}[/]")
    elif switch is not None and switch.serving:
        yield fact("serving", f"version [b]{safe(switch.serving)}[/] [$muted]{about}[/]")
    else:
        yield fact("team", f"{safe(row.team)} [$muted]tier {row.tier}[/]")
    yield _judged(row, at)
    if row.data_at is None or row.judged_at is None or row.judged_at - row.data_at > _FRESH:
        yield fact("data of", _ago(row.data_at, at))


_FRESH = timedelta(seconds=5)
"""How much older data are than the judgement where that needs no line."""


def _judged(row: FleetRow, at: datetime) -> str:
    judged = ", ".join(f"{count} {name}" for name, count in sorted(row.outcomes.items())) or "nothing yet"
    return fact("judged", f"{judged} [$muted]{_ago(row.judged_at, at)}[/]")


def _switch(row: FleetRow, switch: SwitchView | None) -> Iterator[str]:
    mode = MODES.get(row.mode, row.mode)
    instead = _instead(switch) if switch is not None else ""
    if row.mode == "live":
        yield fact("kill switch", f"[$success]{mode}[/]{instead}")
        return
    held = f" [$muted]{row.share:.0%} of requests get the fallback[/]" if row.mode == "throttle" and row.share else ""
    yield fact("kill switch", f"[{SEVERITIES['critical']}]{mode}[/]{held}{instead}")
    if row.mode_scope != "model":
        yield fact("scope", safe(row.mode_scope))


def _instead(switch: SwitchView) -> str:
    """Return what answers when the switch is pulled, and how that is where it is not well."""
    if not switch.fallback:
        return " [$warning]no fallback[/]"
    state = switch.fallback_health.state if switch.fallback_health is not None else "healthy"
    said = "" if state in ("healthy", "unknown") else f" [b $error]{safe(state)}[/]"
    return f" → [b]{safe(switch.fallback)}[/]{said}"


def _ago(since: datetime | None, at: datetime) -> str:
    return f"{span(since, at)} ago" if since is not None else "never"
