"""The demo: the engine on embedded defaults, governing three real models on a year of real data."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from governance.demo.story import Replay

_STORY = """\
Three models learned from the flights that left New York in January and February 2013. Until the end of the year they
serve, and this engine governs them: daily, in the last two days hourly.

  flight-delay   how likely a flight is to arrive late
  arrival-delay  how many minutes late it will be
  ground-hold    how likely it is to be held for an hour; it needs a weather feed

Flights, weather and delays are real. Simulated are latency and cost, a week of May (13th to 19th) without the weather
feed, and in it three days (15th to 17th) in which ground-hold writes no log.
"""
_LIVE = """
The engine lives on from here, at the pace of your clock, and serves its API on {url}. The terminal app opens as
{who}, who is on call; beside it a small process serves {model} and asks its kill switch before every answer.

  K  pulls the switch of the model under the cursor: see the process confirm it
  U  restores it: {model} is of tier 1, so that a second person must approve (4, then Y), in another terminal:
     {command} tui --url {url} --token-file {into}/{second}.token
  ?  names every key, q leaves
"""
_TRY = (
    ("incidents list --status all", "every incident"),
    ("eval flight-delay --at 2013-07-15", "right inputs, wrong answers"),
    ("eval ground-hold --at 2013-05-17", "missing data is not healthy"),
    ("eval arrival-delay --at 2013-07-02", "drifted inputs, right answers"),
    ("incidents show 5", "what was found, and what ended it"),
    ("why 5", "who was told of it"),
    ("audit tail", "the newest decisions"),
    ("audit verify", "nobody changed them since"),
)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Start")(demo)


def demo(
    for_: Annotated[str, typer.Option("--for", help="Stop the replay after this time at the latest, such as 60s.")] = (
        "10m"
    ),
    headless: Annotated[
        bool, typer.Option("--headless", help="Print the story and exit, for scripts, instead of opening the app.")
    ] = False,
    into: Annotated[Path, typer.Option(help="Directory for its policies, data and database; made anew.")] = Path(
        ".gov-demo"
    ),
) -> int:
    """Replay ten months of flights through the engine, then govern three models of their delays in the terminal app."""
    from governance.demo import summary
    from governance.demo.live import FROM
    from governance.demo.story import Replay

    opens = not headless and sys.stdin.isatty() and sys.stdout.isatty()
    print(_STORY)
    sys.stdout.flush()
    replay = Replay(into, FROM) if opens else Replay(into)
    replay.world.prepare()
    replay.run(_limit(for_))
    for line in summary.lines(replay):
        print(line)
    if opens:
        _open(replay, into)
    print("\nGo on from here:")
    for arguments, told in _TRY:
        print(f"  {_command(into)} {arguments:<37}  # {told}")
    return 0


def _open(replay: Replay, into: Path) -> None:
    """Let the person see what was told until now, then open the app; say afterwards what it came to."""
    from governance.cli.live import SECOND, SERVED, WHO, live

    def opened(url: str) -> None:
        command = "gov" if shutil.which("gov") else os.path.relpath(sys.argv[0])
        print(_LIVE.format(who=WHO, second=SECOND, model=SERVED, url=url, into=into, command=command))
        with suppress(EOFError):
            input("Enter opens it: ")

    told = list(live(replay, into, opened))
    print(f"\nWhat the serving process of {SERVED} did meanwhile ({into}/serving.log):")
    for line in told:
        print(f"  {line}")


def _command(into: Path) -> str:
    return f"{'gov' if shutil.which('gov') else os.path.relpath(sys.argv[0])} -C {into}"


def _limit(text: str) -> timedelta:
    from governance.core.duration import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
