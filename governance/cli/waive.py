"""Commands about rules that are not enforced for a while: waive request, list, approve, refuse, withdraw."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import (
    ActorOption,
    Format,
    FormatOption,
    acting,
    instant,
    print_json,
    print_table,
    say,
    stamp,
)
from governance.core.duration import in_words

if TYPE_CHECKING:
    from governance.engine.parts import Engine

_waivers = typer.Typer(help="Take a rule out of force on a model for a while, by two people.", no_args_is_help=True)
_ID = typer.Argument(metavar="ID", help="The waiver, such as WVR-3.")


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for name, command in (
        ("request", request), ("list", listed), ("approve", approve), ("refuse", refuse), ("withdraw", withdraw),
    ):  # fmt: skip
        _waivers.command(name)(command)
    app.add_typer(_waivers, name="waive", rich_help_panel="Answer incidents")


def request(
    model: Annotated[str, typer.Argument(help="The model.")],
    rule: Annotated[str, typer.Argument(help="The rule, such as drift/psi.")],
    because: Annotated[str, typer.Option(help="Why, for the log.")],
    until: Annotated[str, typer.Option(help="When it ends at the latest, such as 2026-01-31; 366 days at most.")],
    ends_on: Annotated[
        list[str] | None, typer.Option(help="What ends it earlier: new_version, retrained, 'unused_for 14d'.")
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="Only instances with this label, NAME=VALUE.")] = None,
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Ask that a rule is not enforced on a model; somebody else must approve it."""
    from governance.cli.silence import labels_given
    from governance.engine import waiving

    engine = _engine()
    done = waiving.request(
        engine, model, rule, labels=labels_given(label or []), because=because, until=instant(until),
        actor=acting(actor), at=engine.clock.now(), ends_on=ends_on or [],
    )  # fmt: skip
    if output is Format.json:
        print_json({"approval": done.view.model_dump(mode="json"), "entry": done.entry})
        return 0
    say(f"{done.view.id} asks to {done.view.text}; sealed as entry {done.entry}")
    who = ", ".join(done.view.who_may) or "somebody else"
    say(f"it takes effect once a second person approves it ({who}): gov waive approve {done.view.id}")
    return 0


def listed(output: FormatOption = Format.text) -> int:
    """List the waivers in force, and those that wait for a second person."""
    from governance.engine import waiving

    engine = _engine()
    at = engine.clock.now()
    holding, pending = waiving.holding(engine, at), waiving.pending(engine, at)
    if output is Format.json:
        print_json(
            {
                "active": [each.model_dump(mode="json") for each in holding],
                "pending": [each.model_dump(mode="json") for each in pending],
            }
        )
        return 0
    if not holding and not pending:
        say("nothing is waived")
        return 0
    rows = [
        (each.id, each.model, _named(each.rule, each.labels), f"active, {in_words(each.until - at)} left",
         _ends(each.until, each.ends_on), each.approved_by, f"{each.because} (asked by {each.requested_by})")
        for each in holding
    ]  # fmt: skip
    rows += [
        (each.id, each.model, "", "waits for approval", stamp(each.expires_at), _who_may(each.who_may), each.text)
        for each in pending
    ]
    print_table(("waiver", "model", "rule", "state", "until", "by", "why"), rows)
    return 0


def approve(
    waiver: Annotated[str, _ID],
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Be the second person; the waiver is in force at once."""
    from governance.engine import waiving

    engine = _engine()
    done = waiving.approve(engine, waiver.upper(), actor=acting(actor), at=engine.clock.now())
    if output is Format.json:
        print_json({"approval": done.view.model_dump(mode="json"), "entry": done.entry})
    else:
        say(f"{done.view.id} is in force until {stamp(done.view.expires_at)}; sealed as entry {done.entry}")
    return 0


def refuse(
    waiver: Annotated[str, _ID],
    because: Annotated[str, typer.Option(help="Why, for the log.")],
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Refuse a waiver, for everybody; who asked may take it back."""
    from governance.engine import waiving

    engine = _engine()
    done = waiving.refuse(engine, waiver.upper(), actor=acting(actor), because=because, at=engine.clock.now())
    if output is Format.json:
        print_json({"approval": done.view.model_dump(mode="json"), "entry": done.entry})
    else:
        say(f"{done.view.id} is refused; sealed as entry {done.entry}")
    return 0


def withdraw(
    waiver: Annotated[str, _ID],
    because: Annotated[str, typer.Option(help="Why, for the log.")],
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """End a waiver that is in force; its rule counts again."""
    from governance.engine import waiving

    engine = _engine()
    done = waiving.withdraw(engine, waiver.upper(), actor=acting(actor), because=because, at=engine.clock.now())
    if output is Format.json:
        print_json(done.model_dump(mode="json"))
    else:
        say(f"{done.waiver.id} is withdrawn, {done.waiver.rule} counts again; sealed as entry {done.entry}")
    return 0


def _named(rule: str, labels: dict[str, str]) -> str:
    return rule + (" {" + ", ".join(f"{name}={value}" for name, value in labels.items()) + "}" if labels else "")


def _ends(until: datetime, ends_on: list[str]) -> str:
    return " or ".join([stamp(until), *ends_on])


def _who_may(people: list[str]) -> str:
    return f"yet: {' or '.join(people)} may" if people else "yet: nobody may"


def _engine() -> Engine:
    from governance.bootstrap import operator
    from governance.settings import Settings

    return operator(Settings())
