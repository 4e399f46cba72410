"""Commands about Slack: what it would show, and (slack_app) the app and its accounts."""

from __future__ import annotations

from typing import Annotated

import typer

from governance.cli import slack_app
from governance.cli.answering import Number
from governance.cli.output import print_json

_slack = typer.Typer(
    help="See what Slack would show; make its app; say whose accounts are whose.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    _slack.command("preview")(preview)
    slack_app.register(_slack)
    app.add_typer(_slack, name="slack", rich_help_panel="Answer incidents")


def preview(
    number: Number,
    thread: Annotated[bool, typer.Option("--thread", help="The replies below the message as well.")] = False,
) -> int:
    """Print an incident's message as Block Kit JSON, to be seen in Slack's Block Kit Builder; nothing is sent."""
    from governance.bootstrap import operator
    from governance.engine.timeline import timeline
    from governance.settings import Settings
    from governance.slack.message import drawn
    from governance.slack.showing import showing
    from governance.slack.thread import loud, replies
    from governance.store import effects

    engine = operator(Settings())
    lines = timeline(engine, number)
    message = drawn(showing(engine, number, lines))
    shown: dict[str, object] = {"text": message.text, "blocks": message.blocks}
    if thread:
        with engine.database.read() as connection:
            told = effects.of_incident(connection, number)
        shown["thread"] = [
            {"text": each.drawn.text, "blocks": each.drawn.blocks, "reply_broadcast": each.broadcast}
            for each in replies(lines, loud(lines, told))
        ]
    print_json(shown)
    return 0
