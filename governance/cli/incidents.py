"""Commands for who answers incidents: incidents list, show, ack, resolve; why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import ActorOption, Format, FormatOption, ago, number, print_json, print_table, say, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from governance.engine.operations import Done
    from governance.engine.parts import Engine
    from governance.views import FindingView, IncidentView

_PANEL = "Answer incidents"
_incidents = typer.Typer(help="List, show, acknowledge and resolve incidents.", no_args_is_help=True)


def _number(text: str) -> int:
    try:
        return int(text.upper().removeprefix("INC-"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no incident; write 35 or INC-35") from None


Number = Annotated[int, typer.Argument(metavar="N", help="The incident's number: 35 or INC-35.", parser=_number)]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    _incidents.command("list")(listed)
    _incidents.command("show")(show)
    _incidents.command("ack")(acknowledge)
    _incidents.command("resolve")(resolve)
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


def acknowledge(number_: Number, actor: ActorOption = "", output: FormatOption = Format.text) -> int:
    """Take an incident: you work on it."""
    from governance.engine import operations

    engine = _engine()
    done = operations.acknowledge(engine, number_, actor=_actor(actor), at=engine.clock.now())
    return _print_done(done, "acknowledged", done.incident.acknowledged_by, output)


def resolve(
    number_: Number,
    because: Annotated[str, typer.Option(help="What was done, for the log.")],
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Close an incident by hand; a finding that fires again opens a new one."""
    from governance.engine import operations

    engine = _engine()
    done = operations.resolve(engine, number_, actor=_actor(actor), because=because, at=engine.clock.now())
    return _print_done(done, "resolved", done.incident.resolved_by, output)


def why(number_: Number, output: FormatOption = Format.text) -> int:
    """Say who was told of an incident, why, and what became of each notification."""
    from governance.engine.queries import why as query

    view = query(_engine(), number_)
    if output is Format.json:
        print_json(view.model_dump(mode="json"))
        return 0
    say(f"INC-{view.incident} {view.model}: {view.title}")
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


def _actor(given: str) -> str:
    from governance.settings import Settings

    return given or Settings().who()


def _print_done(done: Done, verb: str, who: str, output: Format) -> int:
    if output is Format.json:
        facts = {"incident": done.incident.id, "status": done.incident.status, "by": who, "entry": done.entry}
        print_json({**facts, "still_firing": done.still_firing})
    else:
        say(f"INC-{done.incident.id} {verb} by {who}; sealed as entry {done.entry} of the decision log")
        if done.still_firing:
            many = done.still_firing > 1
            count = f"{done.still_firing} findings still fire" if many else "1 finding still fires"
            until = "they have cleared and fire anew" if many else "it has cleared and fires anew"
            say(f"{count}: nobody is told again until {until}")
    return 0


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
    if view.acknowledged_by:
        say(f"  lead       {view.acknowledged_by}")
    if view.resolved_at:
        say(f"  resolved   {stamp(view.resolved_at)} by {view.resolved_by}")
    if view.reopened:
        say(f"  re-opened  {view.reopened} times")
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
