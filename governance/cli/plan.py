"""The command that tells what a change of the policies would do, before it is made: plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import Format, FormatOption, print_json, say, stamp
from governance.cli.policies import AskedUrl, print_changes
from governance.core.duration import in_words

if TYPE_CHECKING:
    from governance.core.metric import Answer, Query
    from governance.engine.planning import Ask
    from governance.policies import Policies
    from governance.settings import Settings
    from governance.store.database import Database
    from governance.views.plan import IncidentEffectView, PlanView, ReplayView

CHANGES = 2
"""The exit code with --exit-code where something differs."""
_SHOWN = 10


def _duration(text: str) -> timedelta:
    from governance.core.duration import parse_duration

    if text in ("0", "0d"):
        return timedelta(0)
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


Back = Annotated[
    timedelta,
    typer.Option(parser=_duration, metavar="TIME", help="How far back it is tried, 31d at most; 0 compares only."),
]


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Author policies")(plan)


def plan(
    path: Annotated[Path | None, typer.Argument(help="The directory of the policies; by default GOV_POLICIES.")] = None,
    url: AskedUrl = "",
    back: Back = "30d",  # type: ignore[assignment]  # typer parses a default as it parses what is given
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask the sources for the past of what was not recorded: 20 questions at most.")
    ] = False,
    at: Annotated[str, typer.Option(help="Try it on what was recorded up to this time; by default now.")] = "",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 2 where something differs.")] = False,
    output: FormatOption = Format.text,
) -> int:
    """Compare policies with those that rule: what is added, removed, tightened, loosened, who must approve, and what
    they would have told on what was recorded. Nothing is written, and no source is asked without --ask.

    Exit codes: 0 fine, 1 the policies have problems, 2 (with --exit-code) something differs.
    """
    from governance.policies import policies, sound
    from governance.settings import Settings

    settings = Settings()
    directory = path or settings.policies
    proposed = sound(policies([directory], runbooks=settings.runbooks))
    if url:
        found = _by_engine(url, settings, proposed, back, at)
    else:
        found = _by_database(settings, proposed, back, at, ask=ask)
    if output is Format.json:
        print_json(found.model_dump(mode="json"))
    else:
        print_plan(found)
    return CHANGES if exit_code and not found.unchanged else 0


def _by_engine(url: str, settings: Settings, proposed: Policies, back: timedelta, at: str) -> PlanView:
    from governance.client import Client

    if at:
        raise typer.BadParameter("--at is for the local database; an engine tries it on what was recorded until now")
    with Client(url, settings.token) as client:
        return client.plan({"texts": proposed.documents, "days": back / timedelta(days=1)})


def _by_database(settings: Settings, proposed: Policies, back: timedelta, at: str, *, ask: bool) -> PlanView:
    from governance.bootstrap import SystemClock, database_of, last_adopted, stored_database
    from governance.cli.output import instant
    from governance.engine.planning import Bounds, Side, planned

    moment = instant(at) if at else SystemClock().now()
    side = Side(proposed.plan, proposed.organisation)
    if not database_of(settings).exists():
        return planned(None, None, side, moment, Bounds(back))
    database = stored_database(settings)
    last = last_adopted(database, settings)
    running = Side(last.plan, last.organisation) if last is not None else None
    asking = _asking(proposed, database) if ask else None
    return planned(database, running, side, moment, Bounds(back, ask=asking))


def _asking(proposed: Policies, database: Database) -> Ask:
    """Return what asks the sources of the proposed policies for the past."""
    from governance.bootstrap import ruling
    from governance.engine.collect import Collector

    sources = ruling(proposed, database, Path.cwd()).sources
    collector = Collector()

    def ask(queries: Sequence[Query], start: datetime, end: datetime, step: timedelta) -> Mapping[Query, Answer]:
        return collector.past(queries, sources, start=start, end=end, step=step)

    return ask


def print_plan(found: PlanView) -> None:
    """Print how policies differ from those that rule, and what they would have told."""
    if not found.running:
        say(f"no version rules yet: all of version {found.version} would be new ({found.summary})")
        return
    if found.unchanged:
        say(f"version {found.running} rules; nothing that it asks would change")
        return
    say(f"version {found.running} rules; {found.version} would differ: {found.summary}")
    say()
    print_changes(found.changes)
    if found.needs_approval:
        say()
        who = ", ".join(found.who_may) or "nobody whom the organisation names"
        say(f"a second person must approve, as less is asked of tier 1 ({', '.join(found.loosened)}): {who}")
    if found.replay is not None:
        say()
        _print_replay(found.replay)


def _print_replay(replay: ReplayView) -> None:
    days = (replay.until - replay.since) / timedelta(days=1)
    over = f"{days:.0f} days to {stamp(replay.until)}"
    if not replay.instants:
        say(f"nothing was recorded in the {over}: what it would have told is not known")
    else:
        say(f"tried on {over}, {_instants(replay)}:")
        say(f"  {_difference(replay.pages_after - replay.pages_before, 'page')} in {days:.0f} days "
            f"({replay.pages_before} before, {replay.pages_after} after; "
            f"critical: {replay.critical_before} before, {replay.critical_after} after)")  # fmt: skip
        for effect in replay.incidents:
            say(f"  incident {effect.incident} of {effect.model} {_effect(effect)}")
        for new in replay.new_incidents[:_SHOWN]:
            say(f"  new: {new.model}, {stamp(new.opened_at)}, {new.severity}: {new.title}")
        if len(replay.new_incidents) > _SHOWN:
            say(f"  and {len(replay.new_incidents) - _SHOWN} more that are new")
    for why in dict.fromkeys(replay.unknown.values()):
        rules = [rule for rule, one in replay.unknown.items() if one == why]
        more = f" and {len(rules) - 3} more" if len(rules) > 3 else ""
        say(f"  not known: {', '.join(rules[:3])}{more}: {why}")
    if replay.asked:
        say(f"  {replay.asked} questions were asked of the sources")
    if replay.left_out:
        say(f"  there was no time for {len(replay.left_out)} models: {', '.join(replay.left_out[:3])} …")


def _instants(replay: ReplayView) -> str:
    """Say at how many instants it was tried, and since when where nothing was recorded before."""
    apart = in_words(timedelta(seconds=replay.spacing))
    said = "1 instant" if replay.instants == 1 else f"{replay.instants} instants, {apart} apart"
    late = replay.first is not None and replay.first - replay.since > timedelta(days=1)
    return f"{said}, recorded since {stamp(replay.first)}" if late and replay.first is not None else said


def _effect(effect: IncidentEffectView) -> str:
    by = in_words(timedelta(seconds=effect.seconds))
    words = {
        "missed": "would have been missed",
        "earlier": f"would have been caught {by} earlier",
        "later": f"would have been caught {by} later",
        "graver": f"would have been {effect.after}, was {effect.before}",
        "milder": f"would have been {effect.after}, was {effect.before}",
        "found": "is found by these, and not by those that rule",
    }
    severity = effect.effect in ("earlier", "later") and effect.before != effect.after
    instead = f", as {effect.after} and not {effect.before}" if severity else ""
    return f"{words[effect.effect]}{instead} ({effect.title})"


def _difference(count: int, what: str) -> str:
    if count == 0:
        return f"as many {what}s"
    return f"{abs(count)} {'more' if count > 0 else 'fewer'} {what}{'' if abs(count) == 1 else 's'}"
