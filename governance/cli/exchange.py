"""Commands that hand policies on and take them in: export, import."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import instant

if TYPE_CHECKING:
    from governance.engine.portrait import Portrait


class Target(StrEnum):
    """What a card is exported to."""

    markdown = "markdown"
    html = "html"
    huggingface = "huggingface"
    cyclonedx = "cyclonedx"


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("export", rich_help_panel="Author policies")(export)


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model, as its card names it.")],
    to: Annotated[Target, typer.Option(help="A model card for people (markdown, html), for the Hub, or an ML-BOM.")],
    at: Annotated[str, typer.Option(help="As of this time; by default now.")] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file instead of printing.")
    ] = None,
) -> int:
    """Write a model's card for others to read, with what was measured, waived and proved; nothing is changed."""
    from governance.bootstrap import evaluator
    from governance.engine.portrait import portrait
    from governance.settings import Settings

    engine = evaluator(Settings())
    found = portrait(engine, model, instant(at) if at else engine.clock.now())
    text = _exported(to, found)
    if output is None:
        print(text, end="")
        return 0
    from governance.draft.workspace import write

    for path in write({output: text}, also={}):
        print(f"wrote {path}")
    return 0


def _exported(to: Target, found: Portrait) -> str:
    import json

    from governance.exchange.export.cyclonedx import cyclonedx
    from governance.exchange.export.hugging_face import hugging_face
    from governance.exchange.export.markdown import markdown
    from governance.exchange.export.page import page

    if to is Target.markdown:
        return markdown(found)
    if to is Target.html:
        return page(found.card.model, markdown(found))
    if to is Target.huggingface:
        return hugging_face(found)
    return json.dumps(cyclonedx(found), indent=2, ensure_ascii=False) + "\n"
