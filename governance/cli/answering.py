"""Commands by which people answer incidents, each with who acts, why, and the entry that proves it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import ActorOption, Format, FormatOption, acting, instant, print_json, say, stamp
from governance.cli.silence import lasting

if TYPE_CHECKING:
    from governance.engine.operations import Done
    from governance.engine.parts import Engine


def _number(text: str) -> int:
    try:
        return int(text.upper().removeprefix("INC-"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no incident; write 35 or INC-35") from None


Number = Annotated[int, typer.Argument(metavar="N", help="The incident's number: 35 or INC-35.", parser=_number)]


BecauseOption = Annotated[str, typer.Option("--because", help="Why, for the log.")]


def register(incidents: typer.Typer) -> None:
    """Add the commands to those of incidents."""
    incidents.command("ack")(acknowledge)
    incidents.command("resolve")(resolve)
    incidents.command("note")(note)
    incidents.command("snooze")(snooze)
    incidents.command("severity")(severity)
    incidents.command("hand-over")(hand_over)
    incidents.command("escalate")(escalate)
    incidents.command("merge")(merge)
    incidents.command("link")(link)


def acknowledge(number_: Number, actor: ActorOption = "", output: FormatOption = Format.text) -> int:
    """Take an incident: you work on it."""
    from governance.engine import operations

    engine = _engine()
    done = operations.acknowledge(engine, number_, actor=acting(actor), at=engine.clock.now())
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
    done = operations.resolve(engine, number_, actor=acting(actor), because=because, at=engine.clock.now())
    return _print_done(done, "resolved", done.incident.resolved_by, output)


def note(
    number_: Number,
    text: Annotated[str, typer.Argument(help="What others should know.")],
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Write a note on an incident, for its timeline."""
    from governance.engine import operations

    engine, who = _engine(), acting(actor)
    done = operations.note(engine, number_, text=text, actor=who, at=engine.clock.now())
    return _print_done(done, "noted on", str(who), output)


def snooze(
    number_: Number,
    because: BecauseOption,
    for_: Annotated[
        timedelta | None,
        typer.Option("--for", help="For how long, such as 2h; a week at most.", parser=lasting, metavar="TIME"),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Until when, such as 2026-01-05T08:00Z.", parser=instant, metavar="TIME")
    ] = None,
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Let nobody hear of an incident for a while, unless it becomes worse or is resolved."""
    from governance.engine import operations

    engine, who = _engine(), acting(actor)
    at = engine.clock.now()
    if (for_ is None) == (until is None):
        raise typer.BadParameter("write either --for 2h or --until 2026-01-05T08:00Z")
    end = at + for_ if for_ is not None else until or at
    done = operations.snooze(engine, number_, until=end, because=because, actor=who, at=at)
    return _print_done(done, f"snoozed until {stamp(end)}", str(who), output)


def severity(
    number_: Number,
    severity_: Annotated[str, typer.Argument(metavar="SEVERITY", help="info, warning or critical.")],
    because: BecauseOption,
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Say how bad an incident is; that holds until something new is worse."""
    from governance.core.document import SEVERITIES
    from governance.engine import operations

    named = next((each for each in SEVERITIES if each == severity_), None)
    if named is None:
        raise typer.BadParameter(f"no severity '{severity_}'; known: {', '.join(SEVERITIES)}")
    engine, who = _engine(), acting(actor)
    done = operations.set_severity(engine, number_, severity=named, because=because, actor=who, at=engine.clock.now())
    return _print_done(done, f"is {done.incident.severity} now, as said", str(who), output)


def hand_over(
    number_: Number,
    to: Annotated[str, typer.Option(help="Who leads from now on.")],
    because: BecauseOption = "",
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Make somebody else the lead of an incident; they are told."""
    from governance.engine import operations

    engine, who = _engine(), acting(actor)
    done = operations.hand_over(engine, number_, to=to, because=because, actor=who, at=engine.clock.now())
    return _print_done(done, f"handed over to {done.incident.lead}", str(who), output)


def escalate(
    number_: Number, because: BecauseOption = "", actor: ActorOption = "", output: FormatOption = Format.text
) -> int:
    """Tell the next level of an incident's escalation now."""
    from governance.engine import operations

    engine, who = _engine(), acting(actor)
    done = operations.escalate(engine, number_, because=because, actor=who, at=engine.clock.now())
    return _print_done(done, "escalated", str(who), output)


def merge(
    number_: Number,
    into: Annotated[int, typer.Option(metavar="N", help="The incident that it is part of.", parser=_number)],
    because: BecauseOption,
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Move the findings of an incident into another one and close it; what its alerts tell later goes there too."""
    from governance.engine import operations

    engine, who = _engine(), acting(actor)
    done = operations.merge(engine, number_, into=into, because=because, actor=who, at=engine.clock.now())
    return _print_done(done, f"merged into INC-{into}", str(who), output)


def link(
    number_: Number,
    address: Annotated[str, typer.Argument(help="Where it is: https://…")],
    title: Annotated[str, typer.Option(help="What it is.")] = "",
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Put a link on an incident: a ticket, a call, a dashboard."""
    from governance.engine import operations

    engine, who = _engine(), acting(actor)
    done = operations.link(engine, number_, address=address, title=title, actor=who, at=engine.clock.now())
    return _print_done(done, "linked", str(who), output)


def _engine() -> Engine:
    from governance.bootstrap import operator
    from governance.settings import Settings

    return operator(Settings())


def _print_done(done: Done, verb: str, who: str, output: Format) -> int:
    if output is Format.json:
        facts = {"incident": done.incident.id, "status": done.incident.status, "by": who, "entry": done.entry}
        print_json({**facts, "still_firing": done.still_firing, "under_way": list(done.under_way)})
    else:
        say(f"INC-{done.incident.id} {verb} by {who}; sealed as entry {done.entry} of the decision log")
        if done.still_firing:
            many = done.still_firing > 1
            count = f"{done.still_firing} findings still fire" if many else "1 finding still fires"
            until = "they have cleared and fire anew" if many else "it has cleared and fires anew"
            say(f"{count}: nobody is told again until {until}")
        for each in done.under_way:
            say(f"{each} about it goes on; end it: gov runbook cancel {each} --because WHY")
    return 0
