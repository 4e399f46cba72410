"""The command that says who is on call: oncall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from governance.cli.output import Format, FormatOption, instant, print_json, print_table, say, stamp

if TYPE_CHECKING:
    from governance.core.schedule import Schedule
    from governance.views.on_call import OnCallView


_CALENDAR = timedelta(days=90)


def _ahead(text: str) -> timedelta:
    from governance.core.duration import parse_duration

    try:
        found = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if not timedelta(0) < found <= timedelta(days=400):
        raise typer.BadParameter("at most 400d")
    return found


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("oncall", rich_help_panel="Answer incidents")(on_call)


def on_call(
    schedule: Annotated[str, typer.Argument(help="Only this schedule; by default all.")] = "",
    at: Annotated[str, typer.Option(help="Who is on call at this time; by default now.")] = "",
    ahead: Annotated[
        timedelta | None,
        typer.Option(
            "--for", help="Also list the shifts of this time ahead, such as 14d.", parser=_ahead, metavar="TIME"
        ),
    ] = None,
    ical: Annotated[
        bool, typer.Option("--ical", help="Print the shifts ahead (90d, or --for) as a calendar to subscribe to.")
    ] = False,
    output: FormatOption = Format.text,
) -> int:
    """Say who is on call, until when, and who follows. Offline, from the schedules in org.yaml."""
    from governance.core.suggestion import closest
    from governance.errors import NotFound
    from governance.views.on_call import on_call_views

    schedules = _schedules()
    if schedule and schedule not in schedules:
        known = ", ".join(sorted(schedules)) or "org.yaml has none"
        raise NotFound(f"no schedule '{schedule}'; {closest(schedule, schedules) or 'known: ' + known}")
    chosen = {name: each for name, each in schedules.items() if schedule in ("", name)}
    moment = instant(at) if at else datetime.now(UTC)
    if ical:
        from governance.exchange.export.duties import duties

        print(duties(chosen, moment, moment + (ahead or _CALENDAR)), end="")
        return 0
    views = on_call_views(chosen, moment, moment + ahead if ahead else None)
    if output is Format.json:
        print_json([each.model_dump(mode="json") for each in views])
    elif not views:
        say("no schedule in org.yaml says who is on call; docs/on-call.md shows one")
    else:
        _print(views, shown=ahead is not None)
    return 1 if any(each.person is None for each in views) else 0


def _schedules() -> dict[str, Schedule]:
    from governance.policies import policies
    from governance.settings import Settings

    return policies([Settings().policies]).organisation.schedules


def _print(views: list[OnCallView], *, shown: bool) -> None:
    say(f"as of {stamp(views[0].at)}")
    rows = [
        (
            each.schedule,
            each.person or "NOBODY",
            _local(each.until, each.zone) if each.until else "no end within 400 days",
            each.following or ("nobody" if each.until else ""),
            each.why,
        )
        for each in views
    ]
    print_table(("schedule", "on call", "until", "then", "by"), rows)
    if shown:
        for view in views:
            say(f"\n{view.schedule}")
            shifts = [
                (each.person or "NOBODY", _local(each.start, view.zone), _local(each.until, view.zone), each.why)
                for each in view.shifts
            ]
            print_table(("on call", "from", "until", "by"), shifts)


def _local(at: datetime | None, zone: str) -> str:
    """Return an instant as the wall clock of a schedule shows it."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M %Z}" if at is not None else "–"
