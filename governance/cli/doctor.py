"""The command that says whether an installation works: doctor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import Format, FormatOption, print_json, say

if TYPE_CHECKING:
    from governance.doctor.finding import Finding

_MARKS = {True: "✓", False: "✗", None: "?"}


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Start")(doctor)


def doctor(
    checks: Annotated[
        list[str] | None, typer.Argument(help="Only these checks, such as sources; by default all.", metavar="[CHECK]…")
    ] = None,
    output: FormatOption = Format.text,
) -> int:
    """Check the installation from end to end: what is seen, and what to do. Sends nothing to anybody."""
    from governance.core.suggestion import closest
    from governance.doctor.examination import CHECKS, examine
    from governance.settings import Settings

    for name in checks or ():
        if name not in CHECKS:
            raise typer.BadParameter(f"no check '{name}'; {closest(name, CHECKS) or 'known: ' + ', '.join(CHECKS)}")
    found = examine(Settings(), datetime.now(UTC), Path.cwd(), checks or ())
    bad = sum(each.ok is False for each in found)
    if output is Format.json:
        print_json({"ok": not bad, "findings": [asdict(each) for each in found]})
    else:
        _print(found, bad)
    return 1 if bad else 0


def _print(found: Sequence[Finding], bad: int) -> None:
    for each in found:
        name = each.check if each.check == each.name else f"{each.check}: {each.name}"
        say(f"{_MARKS[each.ok]} {name} – {each.seen}{f' – {each.do}' if each.do else ''}")
    hints = sum(each.ok is None for each in found)
    told = f"{bad} wrong" if bad else "nothing is wrong"
    say(f"{told}, {hints} to look at, {sum(each.ok is True for each in found)} well")
