"""Commands about the app in Slack and whose accounts are whose: slack manifest, link, links, unlink."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from governance.cli.output import Format, FormatOption, print_json, print_table, say, stamp
from governance.cli.policies import Url
from governance.errors import Denied

_LOCAL = "http://127.0.0.1:8750"


def register(group: typer.Typer) -> None:
    """Add the commands to those about Slack."""
    group.command("manifest")(manifest)
    group.command("link")(link)
    group.command("links")(links)
    group.command("unlink")(unlink)


def manifest(
    http: Annotated[str, typer.Option(help="Where Slack reaches /slack/events, for mode: http.", metavar="URL")] = "",
) -> int:
    """Print the manifest that Slack makes the app from (api.slack.com/apps, From a manifest), as YAML."""
    from governance.slack.manifest import manifest_text

    print(manifest_text(http), end="")  # as it is: YAML has lines
    return 0


def link(
    code: Annotated[str, typer.Argument(help="The code that Slack shows you, such as BCDF-2345.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether the account is yours.")] = False,
    url: Url = _LOCAL,
    output: FormatOption = Format.text,
) -> int:
    """Say that a Slack account is yours: what it does counts as done by you. Your token is read from GOV_TOKEN."""
    from governance.client import Client
    from governance.settings import Settings

    with Client(url, Settings().token) as client:
        asked = client.slack_code(code)
        if not yes:
            _confirm(f"{asked.name or 'an account without a name'} ({asked.user})")
        done = client.link_slack(code)
    if output is Format.json:
        print_json(done.model_dump(mode="json"))
    else:
        say(f"the Slack account {done.user} is {done.person} from now on (entry {done.entry})")
    return 0


def links(url: Url = _LOCAL, output: FormatOption = Format.text) -> int:
    """List the Slack accounts that people linked; those that org.yaml names are not among them."""
    from governance.client import Client
    from governance.settings import Settings

    with Client(url, Settings().token) as client:
        found = client.slack_links()
    if output is Format.json:
        print_json([each.model_dump(mode="json") for each in found])
    elif found:
        print_table(("ACCOUNT", "NAME", "PERSON", "SINCE"), [(x.user, x.name, x.person, stamp(x.at)) for x in found])
    else:
        say("nobody has linked an account; in Slack, click any button of an incident to be offered a code")
    return 0


def unlink(
    account: Annotated[str, typer.Argument(help="The id of the account, see gov slack links.")],
    url: Url = _LOCAL,
    output: FormatOption = Format.text,
) -> int:
    """End the link of a Slack account: your own, or as an administrator any."""
    from governance.client import Client
    from governance.settings import Settings

    with Client(url, Settings().token) as client:
        done = client.unlink_slack(account)
    if output is Format.json:
        print_json(done.model_dump(mode="json"))
    else:
        say(f"the Slack account {done.user} is nobody's from now on; it was {done.person} (entry {done.entry})")
    return 0


def _confirm(account: str) -> None:
    """Ask, as whoever confirms a code of somebody else lets them act in their name.

    :raises Denied: when it is not confirmed, or nobody can be asked.
    """
    if not sys.stdin.isatty():
        raise Denied(f"this links the Slack account {account} with you; if it is yours, say so with --yes")
    if not typer.confirm(f"Is the Slack account {account} yours? It will act in your name", err=True):
        raise Denied("nothing was linked")
