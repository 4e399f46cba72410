"""Commands for who may come in over the network: token create, revoke, list."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import ActorOption, Format, FormatOption, acting, print_json, print_table, say, stamp

if TYPE_CHECKING:
    from governance.engine.parts import Engine
    from governance.store.tokens import Token

_tokens = typer.Typer(help="Make, list and revoke the tokens of people and services.", no_args_is_help=True)


class Kind(StrEnum):
    """Whom a token is for."""

    person = "person"
    service = "service"


def _days(text: str) -> timedelta:
    from governance.core.duration import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    _tokens.command("create")(create)
    _tokens.command("revoke")(revoke)
    _tokens.command("list")(listed)
    app.add_typer(_tokens, name="token", rich_help_panel="Start")


def create(
    for_: Annotated[
        str, typer.Option("--for", metavar="WHO", help="The person, as org.yaml names them; or a service.")
    ],
    kind: Annotated[Kind, typer.Option(help="Whom it is for.")] = Kind.person,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="read, act, push or switches; by default read and act, of a service switches."),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only for this model; can be given several times.")] = None,
    expires: Annotated[
        timedelta | None,
        typer.Option(help="How long it holds, such as 30d; 90d if not given.", parser=_days, metavar="TIME"),
    ] = None,
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Make a token; its secret is shown this once and is nowhere kept."""
    from governance.engine import tokens

    engine = _engine()
    token, secret = tokens.create(
        engine,
        for_,
        kind=kind.value,
        scopes=scope or (),
        models=model or (),
        expires=expires or tokens.LIFETIME,
        actor=acting(actor),
        at=engine.clock.now(),
    )
    if output is Format.json:
        print_json({**_facts(token), "secret": secret})
        return 0
    say(secret)
    say()
    say(f"token {token.id} for {token.for_} ({', '.join(token.scopes)}), until {stamp(token.expires_at)}")
    say("keep it now: it is not shown again. Clients read it from GOV_TOKEN")
    return 0


def revoke(
    token: Annotated[
        str, typer.Argument(metavar="ID", help="The token's id: the part after gov_, see gov token list.")
    ],
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """End a token now; servers refuse it within a second."""
    from governance.engine import tokens

    engine = _engine()
    done = tokens.revoke(engine, token, actor=acting(actor), at=engine.clock.now())
    if output is Format.json:
        print_json(_facts(done))
    else:
        say(f"token {done.id} of {done.for_} is revoked")
    return 0


def listed(output: FormatOption = Format.text) -> int:
    """List tokens, the newest first; never their secrets."""
    from governance.engine import tokens

    engine = _engine()
    now, found = engine.clock.now(), tokens.listed(engine)
    if output is Format.json:
        print_json([_facts(each) for each in found])
        return 0
    if not found:
        say("no tokens; make one: gov token create --for WHO")
        return 0
    rows = [
        (
            each.id,
            each.for_,
            each.kind,
            ", ".join(each.scopes),
            ", ".join(each.models) or "all",
            f"revoked by {each.revoked_by}" if each.revoked_at else "expired" if each.expires_at <= now else "holds",
            stamp(each.expires_at),
            each.created_by,
        )
        for each in found
    ]
    print_table(("token", "for", "kind", "scopes", "models", "state", "until", "made by"), rows)
    return 0


def _facts(token: Token) -> dict[str, object]:
    return {
        "id": token.id,
        "for": token.for_,
        "kind": token.kind,
        "scopes": list(token.scopes),
        "models": list(token.models),
        "created_at": token.created_at,
        "created_by": token.created_by,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "revoked_by": token.revoked_by,
    }


def _engine() -> Engine:
    from governance.bootstrap import operator
    from governance.settings import Settings

    return operator(Settings(), begin=True)
