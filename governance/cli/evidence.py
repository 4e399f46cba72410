"""Commands for who did what the policies ask for: record trained, reviewed, drilled, approved, list."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import (
    ActorOption,
    Format,
    FormatOption,
    acting,
    ago,
    instant,
    print_json,
    print_table,
    say,
    stamp,
)

if TYPE_CHECKING:
    from governance.core.evidence import EvidenceKind
    from governance.engine.parts import Engine

_record = typer.Typer(help="Record what was done for a model; rules judge it as evidence.", no_args_is_help=True)

Model = Annotated[str, typer.Argument(metavar="MODEL", help="The model, as its card names it.")]
Version = Annotated[str, typer.Option(help="Which version of the model.")]
At = Annotated[
    datetime | None,
    typer.Option(metavar="TIME", help="When it was done, such as 2026-01-31 or 2026-01-31T12:00Z; now if not given.",
                 parser=instant),
]  # fmt: skip
Note = Annotated[str, typer.Option(help="What to know of it, for the log.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (trained, reviewed, drilled, switch_drilled, approved):
        _record.command()(command)
    _record.command("list")(listed)
    app.add_typer(_record, name="record", rich_help_panel="Prove what was decided")


def trained(
    model: Model,
    version: Version = "",
    at: At = None,
    note: Note = "",
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Record that the model was trained."""
    return _done(model, "trained", actor, output, at=at, version=version, note=note)


def reviewed(
    model: Model,
    by: Annotated[str, typer.Option(metavar="TEAM", help="Your team, which reviewed the model.")],
    regime: Annotated[str, typer.Option(help="The regime it was reviewed for, such as eu-ai-act.")] = "",
    version: Version = "",
    at: At = None,
    note: Note = "",
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Record that a team reviewed the model; a member of that team says so."""
    return _done(model, "reviewed", actor, output, at=at, version=version, note=note, team=by, regime=regime)


def drilled(
    model: Model,
    version: Version = "",
    at: At = None,
    note: Note = "",
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Record that the model's rollback was practised."""
    return _done(model, "drilled", actor, output, at=at, version=version, note=note)


def switch_drilled(
    model: Model,
    version: Version = "",
    at: At = None,
    note: Note = "",
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Record that the model's kill switch was practised."""
    return _done(model, "switch_drilled", actor, output, at=at, version=version, note=note)


def approved(
    model: Model,
    version: Version = "",
    at: At = None,
    note: Note = "",
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Record that the model was approved for production."""
    return _done(model, "approved", actor, output, at=at, version=version, note=note)


def listed(model: Model, output: FormatOption = Format.text) -> int:
    """List what was recorded of a model, newest first, with the entries that prove it."""
    from governance.engine.evidence import recorded

    engine = _engine()
    found = recorded(engine, model)
    if output is Format.json:
        print_json([{**asdict(each), "entry": entry} for each, entry in found])
        return 0
    if not found:
        say(f"nothing was recorded of {model}; see gov record --help")
        return 0
    now = engine.clock.now()
    rows = [
        (
            f"{each.kind}{f' by {each.team}' if each.team else ''}{f' for {each.regime}' if each.regime else ''}",
            stamp(each.at),
            ago(each.at, now),
            each.version,
            each.actor,
            str(entry) if entry is not None else "–",
            each.note,
        )
        for each, entry in found
    ]
    print_table(("evidence", "when", "how long ago", "version", "recorded by", "entry", "what"), rows)
    return 0


def _engine() -> Engine:
    from governance.bootstrap import operator
    from governance.settings import Settings

    return operator(Settings())


def _done(
    model: str,
    kind: EvidenceKind,
    actor: str,
    output: Format,
    *,
    at: datetime | None,
    version: str,
    note: str,
    team: str = "",
    regime: str = "",
) -> int:
    from governance.engine.evidence import record

    engine = _engine()
    who, now = acting(actor), engine.clock.now()
    entry = record(engine, model, kind, actor=who, now=now, at=at, version=version, note=note, team=team, regime=regime)
    if output is Format.json:
        print_json({"model": model, "kind": kind, "at": at or now, "by": str(who), "entry": entry})
    else:
        said = f"{model} {kind}{f' by {team}' if team else ''} {stamp(at or now)}"
        say(f"{said}, recorded by {who}; sealed as entry {entry} of the decision log")
    return 0
