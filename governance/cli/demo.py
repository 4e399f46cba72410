"""The demo: the engine on embedded defaults, governing a real model on a year of real data."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Start")(demo)


def demo(
    for_: Annotated[str, typer.Option("--for", help="Stop after this time at the latest, such as 60s.")] = "10m",
    headless: Annotated[
        bool, typer.Option("--headless", help="Print the story and exit, for scripts; there is no other form yet.")
    ] = True,
    into: Annotated[Path, typer.Option(help="Directory for its policies, data and database; made anew.")] = Path(
        ".gov-demo"
    ),
) -> int:
    """Replay ten months of flights through the engine and watch it govern a model of their delays."""
    from governance.demo import summary
    from governance.demo.story import Replay

    del headless  # there is only the printed story yet; scripts may say so already
    print("A model predicts from January and February which departures from New York arrive late.")
    print("From March to December 2013 it serves, and this engine governs it: daily, in the last week hourly.\n")
    sys.stdout.flush()
    replay = Replay(into)
    replay.world.prepare()
    replay.run(_limit(for_))
    for line in summary.lines(replay):
        print(line)
    command = "gov" if shutil.which("gov") else os.path.relpath(sys.argv[0])
    where = f"{command} -C {into}"
    print(f"\nGo on from here:\n  {where} incidents list --status all\n  {where} incidents show 1")
    print(f"  {where} eval flight-delay --at 2013-07-15\n  {where} why 1\n  {where} audit tail\n  {where} audit verify")
    return 0


def _limit(text: str) -> timedelta:
    from governance.core.duration import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
