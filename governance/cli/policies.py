"""Commands for the versions of the policies: policies list, show, approve, refuse; and apply."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import ActorOption, Format, FormatOption, acting, print_json, print_table, say, stamp

if TYPE_CHECKING:
    from governance.views import AppliedView, VersionView

GROUP = typer.Typer(help="The versions of the policies: which rules, and which ruled before.", no_args_is_help=True)
LOCAL = "http://127.0.0.1:8750"
WAITING = 5
"""The exit code of what waits for a second person."""
Url = Annotated[str, typer.Option(envvar="GOV_URL", help="Where the engine serves its API.")]
AskedUrl = Annotated[
    str, typer.Option("--url", envvar="GOV_URL", help="Ask the engine that serves here, not the local database.")
]
Approval = Annotated[str, typer.Argument(metavar="ID", help="The request, such as APR-3.")]
Because = Annotated[str, typer.Option(help="Why, for the log and for who made it.")]
_SHOWN = 40


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    GROUP.command("list")(listed)
    for command in (show, approve, refuse):
        GROUP.command(command.__name__)(command)
    app.add_typer(GROUP, name="policies", rich_help_panel="Author policies")
    app.command(rich_help_panel="Author policies")(apply)


def listed(url: AskedUrl = "", output: FormatOption = Format.text) -> int:
    """List the versions of the policies that ruled or waited for approval, newest first."""
    found = _versions(url)
    if output is Format.json:
        print_json([each.model_dump(mode="json") for each in found])
        return 0
    if not found:
        say("no version ruled yet; gov serve adopts the first")
        return 0
    rows = [
        (
            f"{'●' if each.running else ' '} {each.version}",
            each.documents[:12],
            each.state,
            stamp(each.at),
            each.by or each.how,
            each.commit[:12] or "–",
            each.summary,
        )
        for each in found
    ]
    print_table(("version", "documents", "state", "since", "by", "commit", "what"), rows)
    return 0


def show(
    version: Annotated[str, typer.Argument(help="A version or its documents, as listed; by default what rules.")] = "",
    to: Annotated[Path | None, typer.Option(help="Write its documents into this new directory.")] = None,
    output: FormatOption = Format.text,
) -> int:
    """Show what a version changed and by whom, from the local database; or write its documents into a directory."""
    from governance.bootstrap import stored_database
    from governance.engine.applying import version_of
    from governance.settings import Settings

    found, texts = version_of(stored_database(Settings()), version)
    if to is not None:
        _write(texts, to)
        print(f"wrote {len(texts)} documents of version {found.version} into {to}")
    elif output is Format.json:
        print_json({**found.model_dump(mode="json"), "texts": texts})
    else:
        _print_version(found)
    return 0


def approve(approval: Approval, actor: ActorOption = "", output: FormatOption = Format.text) -> int:
    """Be the second person of policies that loosen a rule of tier 1; they rule from the engine's next look on."""
    from governance.bootstrap import operator
    from governance.engine import consent
    from governance.settings import Settings

    settings = Settings()
    engine = operator(settings)
    entry = consent.approve(engine, approval, actor=acting(actor), at=engine.clock.now())
    return _answered(approval, "approved", entry, output)


def refuse(approval: Approval, because: Because, actor: ActorOption = "", output: FormatOption = Format.text) -> int:
    """Decline policies that loosen a rule of tier 1; the version before them goes on to rule."""
    from governance.bootstrap import operator
    from governance.engine import consent
    from governance.settings import Settings

    settings = Settings()
    engine = operator(settings)
    entry = consent.refuse(engine, approval, actor=acting(actor), because=because, at=engine.clock.now())
    return _answered(approval, "refused", entry, output)


def apply(
    path: Annotated[Path | None, typer.Argument(help="The directory of the policies; by default GOV_POLICIES.")] = None,
    url: Url = LOCAL,
    version: Annotated[str, typer.Option(help="Go back to this version instead, as gov policies list names it.")] = "",
    output: FormatOption = Format.text,
) -> int:
    """Send policies to an engine that was started with --policies-from apply; the token is read from GOV_TOKEN.

    Exit codes: 0 they rule, 5 they wait for a second person, 1 they have problems, 3 refused, 4 no engine answers.
    """
    from governance.client import Client
    from governance.policies import policies, sound
    from governance.settings import Settings

    settings = Settings()
    if version and path is not None:
        raise typer.BadParameter("name a directory or --version, not both")
    sent = {} if version else sound(policies([path or settings.policies], runbooks=settings.runbooks)).documents
    body = {"version": version} if version else {"texts": sent}
    with Client(url, settings.token) as client:
        done = client.apply(body, key=uuid.uuid4().hex)
    if output is Format.json:
        print_json(done.model_dump(mode="json"))
    else:
        _print_applied(done)
    return WAITING if done.outcome == "waiting" else 0


def print_changes(changes: Sequence[str], shown: int = _SHOWN) -> None:
    """Print what differs, a line each; of very many the first."""
    for line in changes[:shown]:
        say(f"  {line}")
    if len(changes) > shown:
        say(f"  and {len(changes) - shown} more")


def _versions(url: str) -> list[VersionView]:
    from governance.settings import Settings

    settings = Settings()
    if url:
        from governance.client import Client

        with Client(url, settings.token) as client:
            return client.versions()
    from governance.bootstrap import stored_database
    from governance.engine.applying import versions

    return versions(stored_database(settings))


def _write(texts: dict[str, str], to: Path) -> None:
    """Write documents below a new directory.

    :raises Conflict: when there is something already.
    """
    from governance.errors import Conflict

    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise Conflict(f"{to} is there already and not empty; name a directory that is new")
    for name, text in texts.items():
        path = to / name
        if not path.resolve().is_relative_to(to.resolve()):
            raise Conflict(f"{name!r} would lie outside {to}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _answered(approval: str, state: str, entry: int, output: Format) -> int:
    if output is Format.json:
        print_json({"approval": approval, "state": state, "entry": entry})
    else:
        say(f"{approval} is {state}; sealed as entry {entry} of the decision log")
    return 0


def _print_version(found: VersionView) -> None:
    say(f"version {found.version}, {found.state} {stamp(found.at)} ({found.models} models, {found.rules} rules)")
    who = f" by {found.by}" if found.by else ""
    say(f"  {found.how}{who}" + (f", commit {found.commit}" if found.commit else ""))
    if found.approval:
        say(f"  {found.approval}" + (f", approved by {found.approved_by}" if found.approved_by else ""))
    say(f"  {found.summary}")
    print_changes(found.changes)


def _print_applied(done: AppliedView) -> None:
    if done.outcome == "unchanged":
        say(f"version {done.version} rules already")
        return
    if done.outcome == "adopted":
        say(f"version {done.version} rules; {done.summary}")
    else:
        who = ", ".join(done.who_may) or "nobody whom the organisation names"
        say(f"version {done.version} waits for a second person, as it loosens a rule of a model of tier 1;")
        say(f"the version before it rules meanwhile. {done.approval} may be approved by: {who}")
    print_changes(done.changes)
