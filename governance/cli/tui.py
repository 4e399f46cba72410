"""The terminal app, against a running engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Url = Annotated[str, typer.Option(envvar="GOV_URL", help="Where the engine serves its API.")]


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Answer incidents")(tui)


def tui(
    url: Url = "http://127.0.0.1:8750",
    token_file: Annotated[
        Path | None, typer.Option(help="Read the token from this file, instead of GOV_TOKEN.", metavar="FILE")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Only look: no key acts.")] = False,
) -> int:
    """Open the terminal app: the fleet worst first, incidents, kill switches. The token is read from GOV_TOKEN."""
    from governance.client import TERMINAL_APP, Client
    from governance.settings import Settings
    from tui.app import GovApp
    from tui.keymap import keymap

    settings = Settings()
    keys = keymap(settings.keys_file, needed=settings.keys is not None)
    with Client(url, _token(token_file) or settings.token, TERMINAL_APP) as client:
        GovApp(client, read_only=read_only, keys=keys).run()
    return 0


def _token(file: Path | None) -> str:
    from governance.errors import NotFound

    if file is None:
        return ""
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(f"no token can be read from {file}: {error}") from error
