"""What is known of one model: its incident with the findings, its kill switch, and what to do."""

from __future__ import annotations

from datetime import datetime

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from governance.views import EscalationView, FindingView, FleetRow, IncidentView
from tui.known import GLYPHS, MODES, Snapshot, number, span
from tui.text import SEVERITIES, fact, head, safe
from tui.widgets.ladder import ladder
from tui.widgets.told import Told

_STATUS = {"triggered": "$error", "acknowledged": "$warning", "mitigated": "$warning", "resolved": "$success"}


class Incident(VerticalScroll):
    """The pane beside the fleet, and the body of the screen of an incident."""

    def compose(self) -> ComposeResult:
        """Hold one text."""
        yield Told(id="told")

    def show(self, snapshot: Snapshot, row: FleetRow | None, at: datetime) -> None:
        """Draw what is known of a model as of an instant."""
        if row is None:
            self.say("[$muted]no model is governed here: write a card in policies/, see the README[/]")
            return
        incident = snapshot.incident_of(row)
        if incident is not None:
            self.tell(incident, row, at)
        else:
            self.say("\n".join([*_healthy(row), *_facts(row, at)]))

    def tell(self, incident: IncidentView, row: FleetRow | None, at: datetime) -> None:
        """Draw an incident and what is known of its model."""
        parts = [*_incident(incident, row, at), *(_facts(row, at) if row is not None else ())]
        parts += [line for each in incident.findings for line in _finding(each, at)]
        parts += ["", *_under_way(incident), *ladder(incident, at)]
        self.say("\n".join(parts))

    def say(self, text: str) -> None:
        """Draw a text instead."""
        self.query_one("#told", Told).tell(text)


def _under_way(incident: IncidentView) -> list[str]:
    """Return the open runs of runbooks about an incident, each with where it is and what it waits for."""
    if not incident.runs:
        return []
    runs = [f"[b $warning]▶[/] [b]{safe(each.id)}[/] {safe(each.runbook)}  [$muted]{safe(each.summary)}[/]"
            for each in incident.runs]  # fmt: skip
    return [head("Runbook [$muted]n opens[/]"), *runs, ""]


def summary(row: FleetRow, incident: IncidentView | None, at: datetime) -> list[str]:
    """Return how a model is: its incident in two lines where it has one, and the facts."""
    found = _healthy(row)
    if incident is not None:
        colour = {**SEVERITIES, "warning": "b $warning"}.get(incident.severity, "b $secondary")
        mark = f"[{colour}]{GLYPHS.get(incident.severity, '?')} {incident.severity}[/]"
        found = [f"{mark}  [b]INC-{incident.id}[/] {safe(incident.status)}", safe(incident.title), ""]
    waived = [fact("waived", f"[$accent]◇ {safe(each)}[/]") for each in row.waived]
    return [*found, *_facts(row, at), *waived]


def facts_of(incident: IncidentView, row: FleetRow | None, at: datetime) -> list[str]:
    """Return what an incident is and how its model is, as lines of markup, without its findings."""
    return [*_incident(incident, row, at), *(_facts(row, at) if row is not None else ()), *_more(incident, at)]


def _more(incident: IncidentView, at: datetime) -> list[str]:
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


def _incident(incident: IncidentView, row: FleetRow | None, at: datetime) -> list[str]:
    colour = {**SEVERITIES, "warning": "b $warning"}.get(incident.severity, "b $secondary")
    lead = safe(incident.acknowledged_by) or "nobody yet [$muted](a takes it)[/]"
    others = [f"INC-{each}" for each in (row.incidents if row is not None else ()) if each != incident.id]
    mark = GLYPHS.get(incident.severity, "?")
    return [
        f"[{colour}]{mark} {incident.severity}[/]  [b]INC-{incident.id}[/]  {safe(incident.model)}",
        safe(incident.title),
        "",
        fact("status", f"[{_STATUS.get(incident.status, '$muted')}]{incident.status}[/]"),
        fact("lead", lead),
        *([fact("escalation", escalation(incident.escalation, at))] if incident.escalation else []),
        fact("opened", f"{span(incident.opened_at, at)} ago [$muted]{incident.opened_at:%Y-%m-%d %H:%M}Z[/]"),
        *([fact("also open", ", ".join(others))] if others else []),
    ]


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


def _healthy(row: FleetRow) -> list[str]:
    if row.severity == "unknown":
        return [
            f"[b $warning]? no data[/]  {safe(row.model)}",
            "Nothing can be told of it: missing data is never healthy",
            "",
        ]
    return [f"[$success]· ok[/]  [b]{safe(row.model)}[/]", "no open incident", ""]


def _facts(row: FleetRow, at: datetime) -> list[str]:
    judged = ", ".join(f"{count} {name}" for name, count in sorted(row.outcomes.items())) or "nothing yet"
    return [
        *(_switch(row) if row.mode else ()),  # the engine itself has none
        fact("team", f"{safe(row.team)} [$muted]tier {row.tier}[/]"),
        fact("judged", f"{judged} [$muted]{_ago(row.judged_at, at)}[/]"),
        fact("data of", _ago(row.data_at, at)),
    ]


def _switch(row: FleetRow) -> list[str]:
    mode = MODES.get(row.mode, row.mode)
    if row.mode == "live":
        return [fact("kill switch", f"[$success]{mode}[/]")]
    held = f" [$muted]{row.share:.0%} of requests get the fallback[/]" if row.mode == "throttle" and row.share else ""
    return [fact("kill switch", f"[{SEVERITIES['critical']}]{mode}[/]{held}"), fact("scope", safe(row.mode_scope))]


def _finding(finding: FindingView, at: datetime) -> list[str]:
    colour = (
        "$muted" if finding.ended else {"critical": "$error", "warning": "$warning"}.get(finding.severity, "$secondary")
    )
    mark = "✓" if finding.ended else GLYPHS.get(finding.severity, "?")
    labels = " ".join(f"{name}={value}" for name, value in finding.labels.items())
    values = "  ".join(f"{safe(name)} [b]{number(value)}[/]" for name, value in finding.values.items())
    since = f"ended {span(finding.ended, at)} ago" if finding.ended else f"since {span(finding.since, at)}"
    lines = [
        "",
        f"[{colour}]{mark} {safe(finding.summary)}[/]",
        f"  [$muted]{safe(finding.rule)} {safe(labels)}[/]",
        f"  {values}  [$muted]{since}{' · ' + finding.basis if finding.basis else ''}[/]",
    ]
    if finding.remedy and not finding.ended:
        lines.append(f"  → {safe(finding.remedy)}")
    return lines


def _ago(since: datetime | None, at: datetime) -> str:
    return f"{span(since, at)} ago" if since is not None else "never"
