"""Commands that show incidents: incidents list, show, timeline, postmortem; why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli import answering
from governance.cli.answering import Number
from governance.cli.escalation import print_escalation
from governance.cli.output import Format, FormatOption, ago, number, print_json, print_table, say, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from governance.engine.parts import Engine
    from governance.views import FindingView, IncidentView, RunBrief

_PANEL = "Answer incidents"
_incidents = typer.Typer(help="List, show and answer incidents.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    _incidents.command("list")(listed)
    _incidents.command("show")(show)
    _incidents.command("timeline")(timeline)
    _incidents.command("postmortem")(postmortem)
    answering.register(_incidents)
    app.add_typer(_incidents, name="incidents", rich_help_panel=_PANEL)
    app.command(rich_help_panel=_PANEL)(why)


def listed(
    status: Annotated[str, typer.Option(help="open, triggered, acknowledged, mitigated, resolved or all.")] = "open",
    model: Annotated[str, typer.Option(help="Only this model.")] = "",
    output: FormatOption = Format.text,
) -> int:
    """List incidents, newest first; by default those that are open."""
    from governance.engine.queries import listed as query

    if status not in {"open", "triggered", "acknowledged", "mitigated", "resolved", "all"}:
        raise typer.BadParameter(
            f"no status '{status}'; known: open, triggered, acknowledged, mitigated, resolved, all"
        )
    engine = _engine()
    found = query(engine, status="" if status == "all" else status, model=model)
    if output is Format.json:
        print_json([each.model_dump(mode="json") for each in found])
        return 0
    now = engine.clock.now()
    if not found:
        print(f"no {'' if status == 'all' else status + ' '}incidents")
        _print_age(engine, now)
        return 0
    rows = [
        (
            f"INC-{each.id}",
            each.peak if each.resolved_at else each.severity,
            each.status,
            each.model,
            each.title,
            ago(each.changed_at, now),
        )
        for each in found
    ]
    print_table(("incident", "severity", "status", "model", "what", "changed"), rows)
    _print_age(engine, now)
    return 0


def show(number_: Number, output: FormatOption = Format.text) -> int:
    """Show one incident: its findings, worst first, and what became of each."""
    from governance.engine.queries import shown

    engine = _engine()
    view = shown(engine, number_)
    if output is Format.json:
        print_json(view.model_dump(mode="json"))
        return 0
    _print_incident(view, changed=ago(view.changed_at, engine.clock.now()))
    say()
    _print_age(engine, engine.clock.now())
    return 0


def timeline(
    number_: Number,
    after: Annotated[int, typer.Option(help="Only what came after this entry of the log.")] = -1,
    output: FormatOption = Format.text,
) -> int:
    """Say what became of an incident, oldest first, as the sealed log tells it."""
    from governance.engine.timeline import timeline as query

    found = query(_engine(), number_, after)
    if output is Format.json:
        print_json([each.model_dump(mode="json") for each in found])
        return 0
    rows = [
        (str(each.seq), stamp(each.at), each.actor + (f" ({each.channel})" if each.channel else ""), each.text)
        for each in found
    ]
    print_table(("entry", "time", "who", "what"), rows)
    return 0


def postmortem(
    number_: Number,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write; without it, here.")] = None,
) -> int:
    """Write what became of an incident in Markdown: times, findings, who did what, who was told."""
    from governance.core.problem import printable
    from governance.exchange.export.postmortem import postmortem as written

    page = written(_engine(), number_)
    if output is None:
        print("\n".join(printable(each) for each in page.rstrip().split("\n")))
        return 0
    if output.exists():
        raise typer.BadParameter(f"{output} exists; somebody may have written in it", param_hint="--output")
    output.write_text(page, encoding="utf-8")
    say(f"wrote {output}")
    return 0


def why(number_: Number, output: FormatOption = Format.text) -> int:
    """Say who was told of an incident, why, and what became of each notification."""
    from governance.engine.queries import why as query

    view = query(_engine(), number_)
    if output is Format.json:
        print_json(view.model_dump(mode="json"))
        return 0
    say(f"INC-{view.incident} {view.model}: {view.title}")
    for change in view.now:
        say(f"  now        {change}")
    if not view.now and view.status != "resolved":
        say(f"  that is how it began or worsened – its values now: gov eval {view.model}")
    _print_runs(view.runs)
    say()
    if not view.notifications:
        print("nobody was told: no notifier is configured in org.yaml (notifiers:)")
        return 0
    paged = any(each.rule for each in view.notifications)  # else everything is told by the same rule
    rows = []
    for each in view.notifications:
        to = (", ".join(each.to) or "–", each.rule or "every change") if paged else ()
        became = (each.reason, each.state, str(each.attempts), each.receipt, each.text)
        rows.append((stamp(each.at), each.notifier or "–", *to, *became))
    who = ("to", "by rule") if paged else ()
    print_table(("time", "notifier", *who, "reason", "state", "tries", "receipt", "message"), rows)
    return 0


def _engine() -> Engine:
    from governance.bootstrap import operator
    from governance.settings import Settings

    return operator(Settings())


def _print_age(engine: Engine, now: datetime) -> None:
    """Say how old all of this is: what nobody judges any more looks the same as what still holds."""
    from governance.engine.queries import last_judged

    last = last_judged(engine)
    if last is None:
        print("judged never: is gov serve running?")
        return
    asleep = now - last > 3 * engine.organisation.cycle.every
    print(f"last judged {ago(last, now)}{': is gov serve running?' if asleep else ''}")


def _print_incident(view: IncidentView, *, changed: str) -> None:
    say(f"INC-{view.id}  {view.severity}  {view.status}  {view.model}")
    say(view.title)
    say()
    say(f"  opened     {stamp(view.opened_at)}")
    say(f"  changed    {changed}")
    _print_answers(view)
    print_escalation(view.escalation)
    _print_runs(view.runs)
    for each in view.affects:
        owners = ", ".join(one for one in (each.team, each.accountable) if one)
        say(f"  reached    {each.model}{f' {each.version}' if each.version else ''}{f' ({owners})' if owners else ''}")
    for finding in view.findings:
        _print_finding(finding, view.model)
    say()
    if view.status == "triggered":
        say(f"take it: gov incidents ack {view.id} --as WHO")
    if view.status != "resolved":
        say(f"its values now: gov eval {view.model}")
    say(f"who was told: gov why {view.id}")


def _print_answers(view: IncidentView) -> None:
    if view.lead:
        say(f"  lead       {view.lead}")
    others = [each for each in view.responders if each != view.lead]
    if others:
        say(f"  also       {', '.join(others)}")
    if view.severity_set:
        say(f"  severity   {view.severity_set}, as a person says")
    if view.snoozed_until:
        say(f"  snoozed    until {stamp(view.snoozed_until)} by {view.snoozed_by}: {view.snoozed_because}")
    if view.merged_into is not None:
        say(f"  merged     into INC-{view.merged_into}, {stamp(view.resolved_at)} by {view.resolved_by}")
    elif view.resolved_at:
        say(f"  resolved   {stamp(view.resolved_at)} by {view.resolved_by}")
    if view.reopened:
        say(f"  re-opened  {view.reopened} times")
    for link in view.links:
        say(f"  link       {link.title}" + (f"  {link.address}" if link.title != link.address else ""))


def _print_runs(runs: Sequence[RunBrief]) -> None:
    for each in runs:
        say(f"  runbook    {each.id} {each.runbook}: {each.summary}")


def _print_finding(finding: FindingView, model: str) -> None:
    closed = bool(finding.story) and finding.story[-1].startswith("closed by")
    state = f"fired {stamp(finding.since)}" + (f", ended {stamp(finding.ended)}" if finding.ended else ", still firing")
    say()
    say(f"  {'✓' if finding.ended and not closed else '▲'} {finding.peak}: {finding.summary}")
    labels = " {" + ", ".join(f"{name}={value}" for name, value in finding.labels.items()) + "}"
    whose = f"{finding.model}: " if finding.model not in ("", model) else ""
    rule = whose + finding.rule + (labels if finding.labels else "")
    say(f"    {rule}  {state}" + (f", {finding.times} times" if finding.times > 1 else ""))
    values = ", ".join(f"{name} = {number(value)}" for name, value in finding.values.items())
    if values:
        say(f"    when it fired or worsened: {values}")
    say(f"    {' → '.join(finding.story)}" + (f": {finding.ending}" if finding.ending else ""))
    if finding.origin:
        say(f"    rule at {finding.origin}")
    if finding.remedy and not finding.ended and finding.kind != "no_data":
        say(f"    → {finding.remedy}")
