"""How results reach the terminal: tables for people, JSON for machines; diagnostics go to stderr elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from governance.core import duration
from governance.core.problem import printable

if TYPE_CHECKING:
    from governance.core.authority import Actor


class Format(StrEnum):
    """How a result is written."""

    text = "text"
    json = "json"


_PROSE = {"what", "why", "can start", "message", "receipt", "values", "about"}
"""Columns that may wrap; the others are names, which are read and copied whole."""
_WIDE = 240
_MONTH = timedelta(days=31)
_READABLE = 30
"""Letters in a line below which prose is no longer read with ease."""

FormatOption = Annotated[Format, typer.Option("--format", help="text for people, json for machines.")]
ActorOption = Annotated[str, typer.Option("--as", help="Who acts; by default GOV_ACTOR or the login name.")]


def acting(given: str) -> Actor:
    """Return who acts on the command line: who was named, or whoever is there."""
    from governance.core.authority import Actor
    from governance.settings import Settings

    return Actor(given or Settings().who(), channel="cli")


def print_json(value: Any) -> None:
    """Print a JSON document."""
    print(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def say(line: str = "") -> None:
    """Print one line; what came from outside neither commands the terminal nor breaks the line.

    On a terminal a line that is too long breaks between words, and goes on below its beginning.
    """
    text = _harmless(line)
    width = get_terminal_size().columns
    if not sys.stdout.isatty() or len(text) <= width:
        print(text)
        return
    further = " " * (len(text) - len(text.lstrip()) + 2)
    wrapped = wrap(text, width, subsequent_indent=further, break_long_words=False, break_on_hyphens=False)
    print("\n".join(wrapped))


def _harmless(text: str) -> str:
    return printable(" ".join(text.split("\n")).rstrip())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; colours only on a terminal, and never with NO_COLOR.

    On a terminal too narrow for it, prose stands below the names of its row instead of in a column of a few letters.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console.width = _WIDE  # a file or a pipe has no edge to wrap at
    shown = [[_harmless(cell) for cell in row] for row in rows]
    if _too_wide(columns, shown, console.width):
        _print_stacked(columns, shown)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column not in _PROSE)
    for row in shown:
        table.add_row(*(Text(cell) for cell in row))  # nothing from outside is read as markup or obeyed
    console.print(table)


def _too_wide(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Tell whether a column would be cut, or prose be squeezed to less than can be read."""
    wanted = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    least = (min(each, _READABLE) if name in _PROSE else each for name, each in zip(columns, wanted, strict=True))
    return sum(least) + 3 * len(columns) > width


def _print_stacked(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the names of each row on a line, in columns, and the rest beside them where it fits, else below."""
    edge = get_terminal_size().columns
    widths = [max(len(columns[at]), *(len(row[at]) for row in rows), 0) for at in range(len(columns))]
    names = _beside([at for at, column in enumerate(columns) if column not in _PROSE], widths, edge)
    below = [at for at, column in enumerate(columns) if at not in names and column not in _PROSE]
    prose = [at for at, column in enumerate(columns) if column in _PROSE]
    print()
    for row in [columns, *rows]:
        line = " " + "  ".join(row[at].ljust(widths[at]) for at in names)
        titled = [row[at] if row is columns else f"{columns[at]} {row[at]}" for at in below if row[at] not in ("", "–")]
        told = "; ".join([*titled, *(row[at] for at in prose if row[at])])
        if len(line) + 2 + len(told) <= edge or not told:
            say(f"{line}  {told}".rstrip())
        else:
            say(line)
            say(f"     {told}")
    print()


def _beside(names: Sequence[int], widths: Sequence[int], edge: int) -> list[int]:
    """Return the first columns that fit on a line, at least one."""
    kept = list(names[:1])
    for at in names[1:]:
        if 1 + sum(widths[each] + 2 for each in (*kept, at)) > edge:
            break
        kept.append(at)
    return kept


def instant(text: str) -> datetime:
    """Return the instant a person wrote: 2013-07-15, 2013-07-15T12:00 or with a zone; without one it is UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write 2013-07-15 or 2013-07-15T12:00Z") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)


def stamp(at: datetime | None) -> str:
    """Return an instant for people, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}Z" if at is not None else "–"


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago an instant was, as everywhere; one that is over a month old is shown itself."""
    return stamp(at) if now - at > _MONTH else duration.ago(at, now)


def number(value: float | None) -> str:
    """Return a number with three significant digits, a large one whole, and – for a missing one."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
