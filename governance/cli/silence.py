"""Commands for whoever must not be told for a while: silence create, end, list."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import ActorOption, Format, FormatOption, acting, print_json, print_table, say, stamp

if TYPE_CHECKING:
    from governance.engine.parts import Engine

_silences = typer.Typer(help="Mute notifications for a while; incidents go on.", no_args_is_help=True)


def lasting(text: str) -> timedelta:
    """Return a duration that a person wrote: 30m, 2h."""
    from governance.core.duration import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def labels_given(given: list[str]) -> tuple[tuple[str, str], ...]:
    """Return the labels that were given as NAME=VALUE."""
    pairs = [each.partition("=") for each in given]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise typer.BadParameter("write NAME=VALUE", param_hint="--label")
    return tuple(sorted((name, value) for name, _, value in pairs))


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    _silences.command("create")(create)
    _silences.command("end")(end)
    _silences.command("list")(listed)
    app.add_typer(_silences, name="silence", rich_help_panel="Answer incidents")


def create(
    because: Annotated[str, typer.Option(help="Why, for the log.")],
    expires: Annotated[
        timedelta, typer.Option(help="For how long, such as 2h; 31 days at most.", parser=lasting, metavar="TIME")
    ],
    model: Annotated[
        list[str] | None, typer.Option(help="Only about this model, or these; without it about all.")
    ] = None,
    rule: Annotated[str, typer.Option(help="Only about this rule.")] = "",
    label: Annotated[list[str] | None, typer.Option(help="Only about instances with this label, NAME=VALUE.")] = None,
    maintenance: Annotated[
        bool, typer.Option("--maintenance", help="A maintenance window: whole models are worked on.")
    ] = False,
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Mute notifications and pages; a resolution still gets through, and at the end is told what is still open."""
    from governance.engine import silences

    engine = _engine()
    at = engine.clock.now()
    done = silences.create(
        engine, models=model or [], rule=rule, labels=labels_given(label or []), because=because, until=at + expires,
        actor=acting(actor), at=at, maintenance=maintenance,
    )  # fmt: skip
    if output is Format.json:
        print_json(done.model_dump(mode="json"))
    else:
        about = " ".join(each for each in (", ".join(done.silence.models) or "everything", done.silence.rule) if each)
        say(f"{done.silence.id} mutes {about} until {stamp(done.silence.until)}; sealed as entry {done.entry}")
        say(f"end it sooner: gov silence end {done.silence.id} --because WHY")
    return 0


def end(
    silence: Annotated[str, typer.Argument(metavar="ID", help="The silence, such as SIL-3.")],
    because: Annotated[str, typer.Option(help="Why, for the log.")],
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """End a silence now."""
    from governance.engine import silences

    engine = _engine()
    done = silences.end(engine, silence.upper(), because=because, actor=acting(actor), at=engine.clock.now())
    if output is Format.json:
        print_json(done.model_dump(mode="json"))
    else:
        say(f"{done.silence.id} is ended by {done.silence.ended_by}; sealed as entry {done.entry}")
    return 0


def listed(
    ended: Annotated[bool, typer.Option("--ended", help="Also those that have ended.")] = False,
    output: FormatOption = Format.text,
) -> int:
    """List the silences that hold."""
    from governance.engine import silences

    engine = _engine()
    found = silences.listed(engine, engine.clock.now(), ended=ended)
    if output is Format.json:
        print_json([each.model_dump(mode="json") for each in found])
        return 0
    if not found:
        say("nothing is silenced")
        return 0
    rows = [
        (
            each.id,
            ", ".join(each.models) or "all",
            "maintenance" if each.maintenance else each.rule or "all",
            each.state,
            stamp(each.until),
            each.by,
            each.because,
        )
        for each in found
    ]
    print_table(("silence", "model", "rule", "state", "until", "by", "why"), rows)
    return 0


def _engine() -> Engine:
    from governance.bootstrap import operator
    from governance.settings import Settings

    return operator(Settings())
