"""The terminal app, against a running engine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

LOOPBACK = ("127.0.0.1", "localhost", "::1")
Url = Annotated[str, typer.Option(envvar="GOV_URL", help="Where the engine serves its API.")]
Web = Annotated[bool, typer.Option("--web", help="Serve the app to a browser, behind an address with a token.")]
Host = Annotated[str, typer.Option(help="With --web: address to listen on; another than loopback needs --allow-host.")]
Port = Annotated[int, typer.Option(help="With --web: TCP port; 0 takes any that is free.", min=0, max=65535)]
Allowed = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        help="With --web: a name by which browsers reach it from elsewhere, through a proxy that speaks TLS.",
        metavar="NAME",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Answer incidents")(tui)


def tui(
    url: Url = "http://127.0.0.1:8750",
    token_file: Annotated[
        Path | None, typer.Option(help="Read the token from this file, instead of GOV_TOKEN.", metavar="FILE")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Only look: no key acts.")] = False,
    web: Web = False,
    host: Host = LOOPBACK[0],
    port: Port = 8751,
    allow_host: Allowed = None,
) -> int:
    """Open the terminal app: the fleet worst first, incidents, kill switches. The token is read from GOV_TOKEN."""
    from governance.client import TERMINAL_APP, Client
    from governance.settings import Settings
    from tui.app import GovApp
    from tui.keymap import keymap

    settings = Settings()
    keys = keymap(settings.keys_file, needed=settings.keys is not None)
    token = _token(token_file) or settings.token
    if web:
        return _serve(url, token, host, port, allow_host or (), read_only=read_only)
    if host != LOOPBACK[0] or allow_host:
        raise typer.BadParameter("--host and --allow-host are for --web")
    _needs_terminal()
    with Client(url, token, TERMINAL_APP) as client:
        GovApp(client, read_only=read_only, keys=keys).run()
    return 0


def _needs_terminal() -> None:
    """Refuse to draw on what shows no picture.

    :raises Unavailable: when this is no terminal, or one that cannot move its cursor.
    """
    from rich.console import Console
    from textual.constants import DRIVER

    from governance.errors import Unavailable

    if DRIVER:  # a browser draws it
        return
    lines = (
        "`gov incidents list` and `gov switch list` say in lines what there is, `gov tui --web` opens it in a browser"
    )
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Unavailable(f"the terminal app needs a terminal, and its input or output is none; {lines}")
    if Console().is_dumb_terminal:
        raise Unavailable(
            f"TERM says that this terminal cannot be drawn on; set TERM to what it is, such as xterm; {lines}"
        )


def _serve(url: str, token: str, host: str, port: int, allowed: Sequence[str], *, read_only: bool) -> int:
    """Serve the app to browsers, and return the exit code.

    :raises Denied: when others could reach it, and nobody said by which name they may.
    :raises Unavailable: when the package for it is missing, or the port is taken.
    """
    from governance.api.server import address, is_loopback, listening, place
    from governance.errors import Denied, Unavailable

    try:
        from governance.cli.web import Door, command, serve
    except ModuleNotFoundError as error:
        raise Unavailable(f"{error.name} is missing for --web; pip install 'model-governance[web]'") from error
    where = place(host, port)
    if not is_loopback(where) and not allowed:
        raise Denied(
            f"{where[1]} is not loopback: whoever listens on the way sees the token, which is not encrypted, and acts "
            "as you. Serve on 127.0.0.1 and come through ssh -L; or put a proxy that speaks TLS before it, and name "
            "the host that browsers then ask for with --allow-host NAME"
        )
    with listening(where) as listener:
        door = Door(frozenset({*LOOPBACK, where[1], *map(str.lower, allowed)}), listener.getsockname()[1])
        where_to = f"https://{allowed[0]}" if allowed else f"http://{address(listener)}"
        print(f"The terminal app is on {where_to}/?token={door.token}", flush=True)
        print("Whoever has this address acts as you. A tab that is closed ends its app; Ctrl-C ends all.", flush=True)
        return serve(listener, door, command(url, read_only=read_only), token)


def _token(file: Path | None) -> str:
    from governance.errors import NotFound

    if file is None:
        return ""
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(f"no token can be read from {file}: {error}") from error
