"""Commands for notifications that nobody got: notifications list, retry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import ActorOption, Format, FormatOption, acting, print_json, print_table, say, stamp

if TYPE_CHECKING:
    from governance.engine.parts import Engine

_notifications = typer.Typer(help="See what could not be delivered, and try it again.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    _notifications.command("list")(listed)
    _notifications.command("retry")(retry)
    app.add_typer(_notifications, name="notifications", rich_help_panel="Answer incidents")


def listed(
    waiting: Annotated[bool, typer.Option("--waiting", help="What is still tried, not what was given up.")] = False,
    output: FormatOption = Format.text,
) -> int:
    """List notifications that were given up, with what the other side said."""
    from governance.engine import notifications

    engine = _engine()
    found = notifications.waiting(engine) if waiting else notifications.given_up(engine)
    if output is Format.json:
        print_json([each.model_dump(mode="json") for each in found])
        return 0
    if not found:
        say("no notification waits" if waiting else "no notification was given up")
        return 0
    rows = [
        (each.key, each.notifier, each.reason, str(each.attempts), stamp(each.next_at), each.receipt, each.text)
        for each in found
    ]
    print_table(("key", "notifier", "reason", "tries", "next try", "receipt", "message"), rows)
    if not waiting:
        say("when it is mended: gov notifications retry KEY, or --notifier NAME or --incident N for all of one")
    return 0


def retry(
    key: Annotated[str, typer.Argument(metavar="[KEY]", help="The notification, as the list shows it.")] = "",
    notifier: Annotated[str, typer.Option(help="All that was given up of this notifier.")] = "",
    incident: Annotated[int, typer.Option(min=0, help="All that was given up about this incident.")] = 0,
    because: Annotated[str, typer.Option(help="What was mended, for the log.")] = "",
    actor: ActorOption = "",
    output: FormatOption = Format.text,
) -> int:
    """Try again, at once, what was given up."""
    from governance.engine import notifications

    if [bool(key), bool(notifier), bool(incident)].count(True) != 1:
        raise typer.BadParameter("name a notification, or --notifier, or --incident")
    engine = _engine()
    who = acting(actor)
    done = notifications.retry(
        engine, actor=who, at=engine.clock.now(), key=key, notifier=notifier, incident=incident, because=because
    )
    if output is Format.json:
        print_json(done.model_dump(mode="json"))
        return 0
    count = len(done.deliveries)
    say(f"{count} notification{'' if count == 1 else 's'} will be tried again; sealed as entry {done.entry}")
    return 0


def _engine() -> Engine:
    from governance.bootstrap import operator
    from governance.settings import Settings

    return operator(Settings())
