"""`gov gate`: may a version serve? Judged in continuous integration before it is promoted."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.gate_output import print_gate, write_junit
from governance.cli.gate_rows import full_hour, opened_rows, side_of, without_rows
from governance.cli.output import Format, FormatOption, instant, print_json, stamp

if TYPE_CHECKING:
    from governance.core.card import Card
    from governance.core.compiled import CompiledPolicy
    from governance.engine.parts import Engine
    from governance.views.gate import GateView

_USUAL = timedelta(days=30)
_EXIT = {"pass": 0, "fail": 1, "unjudged": 4}


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Author policies")(gate)


def gate(
    candidate: Annotated[
        str, typer.Argument(metavar="MODEL@VERSION", help="The version to judge; @shadow and @canary are the card's.")
    ],
    offline: Annotated[
        Path | None, typer.Option("--from", help="Rows of an offline evaluation (Parquet or CSV) instead of the log's.")
    ] = None,
    since: Annotated[str, typer.Option(help="Rows after this time; by default of the last 30 days.")] = "",
    window: Annotated[str, typer.Option(help="Rows of the last 7d, 12h …, instead of --since.")] = "",
    at: Annotated[str, typer.Option(help="Judge as of this time; by default now.")] = "",
    junit: Annotated[Path | None, typer.Option(help="Also write the result as JUnit XML, for CI.")] = None,
    output: FormatOption = Format.text,
) -> int:
    """Judge a version before it serves, by its shadow, canary or offline rows, next to the version that serves.

    Exit code 0 when every rule passes, 1 when one fails, 4 when one cannot be judged: no rows are never a pass.
    """
    from governance.bootstrap import evaluator
    from governance.engine.queries import policy_of
    from governance.settings import Settings

    engine = evaluator(Settings())
    model, _, version = candidate.partition("@")
    if not version:
        raise typer.BadParameter("name the version too: MODEL@VERSION")
    policy = policy_of(engine, model)
    found = _named(policy.policy.card, version)
    moment = instant(at) if at else engine.clock.now()
    view = _judged(engine, policy, found, _begin(since, window, moment), moment, offline, given=bool(at))
    if junit is not None:
        write_junit(view, junit)
    if output is Format.json:
        print_json(view.model_dump(mode="json"))
    else:
        print_gate(view, moment)
    return _EXIT[view.outcome]


def _named(card: Card, version: str) -> str:
    """Return a version; `shadow` and `canary` are what the card calls so."""
    versions = card.versions
    if versions is not None and version == "shadow" and versions.shadow:
        return versions.shadow
    if versions is not None and version == "canary" and versions.canary:
        return versions.canary.version
    return version


def _begin(since: str, window: str, at: datetime) -> datetime | None:
    from governance.core.duration import parse_duration

    if since and window:
        raise typer.BadParameter("say --since or --window, not both")
    if since:
        return instant(since)
    try:
        return at - (parse_duration(window) if window else _USUAL)
    except ValueError as error:
        raise typer.BadParameter(f"--window {error}") from None


def _judged(
    engine: Engine,
    policy: CompiledPolicy,
    version: str,
    since: datetime | None,
    at: datetime,
    offline: Path | None,
    *,
    given: bool,
) -> GateView:
    """Take the rows of both versions out of the log, or of the file, and judge them."""
    from governance.engine.gate import gate as judge
    from governance.errors import Unavailable

    card = policy.policy.card
    serving = card.versions.serving if card.versions and isinstance(card.versions.serving, str) else ""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="gov-gate-")))
        rows, whole = stack.enter_context(opened_rows(engine, card, offline, scratch))
        if rows is None:
            side, other = without_rows(version), None
            return judge(engine, policy, side, other, at)
        if offline is not None and not given:
            since, at = None, whole or at
        side = side_of(rows, version, since, at, scratch, "candidate", offline)
        if not side.rows.rows:
            there = ", ".join(rows.versions()[:8]) or "none"
            span = f" since {stamp(since)}" if since else ""
            where = offline or (card.log.table if card.log else "")
            said = f"{where} holds no rows of version '{version}'{span}, so that nothing can be judged"
            raise Unavailable(f"{said}; versions there: {there}")
        other = None
        if serving not in ("", version) and rows.told_apart and side.rows.oldest is not None:
            begin = side.rows.oldest - timedelta(microseconds=1)
            other = side_of(rows, serving, begin, at, scratch, "serving", offline)
        end = full_hour(at) if offline is None else full_hour(side.rows.newest or at)
        return judge(engine, policy, side, other if other and other.rows.rows else None, end)
