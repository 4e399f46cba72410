"""The command `gov schema`: what editors know of our documents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from governance.cli.output import print_json


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Author policies")(schema)


def schema(
    kind: Annotated[str, typer.Argument(help="Which kind, such as card; all of them when omitted.")] = "",
    to: Annotated[Path | None, typer.Option(help="Write <kind>.json files into this directory.")] = None,
) -> int:
    """Print the JSON Schema of a document, for editors."""
    import json

    from governance.core.suggestion import closest
    from governance.loader.published import json_schema
    from governance.policies import KINDS

    if kind and kind not in KINDS:
        raise typer.BadParameter(f"no kind '{kind}'; {closest(kind, KINDS) or 'known: ' + ', '.join(KINDS)}")
    chosen = {kind: KINDS[kind]} if kind else KINDS
    schemas = {name: json_schema(name, document) for name, document in chosen.items()}
    if to is None:
        print_json(schemas[kind] if kind else schemas)
        return 0
    to.mkdir(parents=True, exist_ok=True)
    for name, document in schemas.items():
        (to / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {', '.join(f'{to / name}.json' for name in schemas)}")
    return 0
