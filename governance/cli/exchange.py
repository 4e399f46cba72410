"""Commands that hand policies on and take them in: export, import."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import instant

if TYPE_CHECKING:
    from governance.engine.parts import Engine
    from governance.engine.portrait import Portrait

FLEET = "fleet"
_MODEL = "model:"
"""Before a name it says that a model is meant; no model's name has a colon."""


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
    what: Annotated[
        str, typer.Argument(metavar="MODEL|fleet", help="The model, as its card names it; or the whole fleet's report.")
    ],
    to: Annotated[
        Target | None,
        typer.Option(help="A card for people (markdown, html), for the Hub, or an ML-BOM; for the fleet html."),
    ] = None,
    at: Annotated[str, typer.Option(help="As of this time; by default now.")] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file instead of printing.")
    ] = None,
) -> int:
    """Write a model's card, or the fleet's report for auditors, for others to read; nothing is changed.

    `gov export fleet` is the report even where a model is called fleet: that one is `model:fleet`.
    """
    from governance.bootstrap import evaluator
    from governance.settings import Settings

    if what != FLEET and to is None:
        raise typer.BadParameter("say what a model is exported to: markdown, html, huggingface, cyclonedx (--to)")
    if what == FLEET and to not in (None, Target.html, Target.markdown):
        raise typer.BadParameter("the fleet's report is html or markdown; of a model called fleet write model:fleet")
    engine = evaluator(Settings())
    then = instant(at) if at else engine.clock.now()
    text = _report(engine, to, then) if what == FLEET else _card(engine, what.removeprefix(_MODEL), to, then)
    if output is None:
        print(text, end="")
        return 0
    from governance.draft.workspace import write

    for path in write({output: text}, also={}):
        print(f"wrote {path}")
    return 0


def _report(engine: Engine, to: Target | None, at: datetime) -> str:
    from governance.engine.fleet_report import fleet_report
    from governance.exchange.report.as_markdown import as_markdown
    from governance.exchange.report.overview import document
    from governance.exchange.report.page import page

    if FLEET in engine.plan.by_model:
        print(f"gov: a model is called {FLEET}, too; its card is: gov export {_MODEL}{FLEET} --to …", file=sys.stderr)
    told = document(fleet_report(engine, at))
    return as_markdown(told) if to is Target.markdown else page(told)


def _card(engine: Engine, model: str, to: Target | None, at: datetime) -> str:
    from governance.engine.portrait import portrait

    return _exported(to, portrait(engine, model, at))


def _exported(to: Target | None, found: Portrait) -> str:
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
