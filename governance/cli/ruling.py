"""Commands for how policies stand: policies check asks what is wrong with them, policies pending what waits."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.check import CheckFormat, CheckFormatOption, print_problems
from governance.cli.output import Format, FormatOption, print_json, say, stamp
from governance.cli.plan import Back, print_plan
from governance.cli.policies import LOCAL, WAITING, AskedUrl, Url

if TYPE_CHECKING:
    from governance.core.problem import Problem
    from governance.settings import Settings
    from governance.views import ApprovalView, CheckView, ProblemView
    from governance.views.plan import PlanView


def register(app: typer.Typer) -> None:
    """Add the commands to those for the versions of the policies."""
    app.command()(check)
    app.command()(pending)


def check(url: Url = LOCAL, output: CheckFormatOption = CheckFormat.text) -> int:
    """Ask a running engine what is wrong with the policies and tests that it read last, as gov check finds it.

    Exit codes: 0 nothing, 1 there are problems, or the policies cannot be pulled, 3 refused, 4 no engine answers.
    """
    from governance.client import Client
    from governance.settings import Settings

    with Client(url, Settings().token) as client:
        found = client.check()
    problems = [_problem(each) for each in found.problems]
    print_problems(problems, output, found.model_dump(mode="json"), partial(_sum_up, found))
    if found.pull_failure:
        print(f"gov: the policies cannot be pulled, so newer ones may be: {found.pull_failure}", file=sys.stderr)
    return 1 if found.count or found.pull_failure else 0


def pending(
    url: AskedUrl = "",
    back: Back = "30d",  # type: ignore[assignment]  # typer parses a default as it parses what is given
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 5 where a version waits.")] = False,
    output: FormatOption = Format.text,
) -> int:
    """Show the version that waits for a second person: who asked, who may approve, what it would change and have told.

    Exit codes: 0 fine, also where none waits; 5 (with --exit-code) one waits.
    """
    from governance.settings import Settings

    found = _by_engine(url, Settings(), back) if url else _by_database(Settings(), back)
    if output is Format.json:
        dumped = {"approval": found.approval, "plan": found.plan} if found is not None else {}
        views = {name: each.model_dump(mode="json") for name, each in dumped.items() if each is not None}
        print_json({"approval": None, "plan": None, **views})
    elif found is None:
        say("no version of the policies waits for a second person")
    else:
        _print_waiting(found)
    return WAITING if exit_code and found is not None else 0


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What a version that waits would change, and the request for it as far as who looks may see it."""

    plan: PlanView
    approval: ApprovalView | None


def _problem(view: ProblemView) -> Problem:
    from governance.core.problem import Position, Problem

    at = Position(view.file, view.line, view.column, view.length)
    return Problem(at, view.code, view.message, view.suggestion, view.text)


def _sum_up(found: CheckView) -> None:
    """Say how many problems there are, what rules meanwhile, and what was not looked at."""
    if found.count > len(found.problems):
        say(f"and {found.count - len(found.problems)} more; gov check beside the files lists all")
    say(f"{found.count} problem{'' if found.count == 1 else 's'}; version {found.version} rules" + _since(found))
    if found.in_tests:
        say(f"{found.in_tests} of them in tests, which keep nothing from ruling")
    elif found.in_tests is None:
        why = "they are not sent by gov apply" if found.source == "apply" else "the engine just began"
        say(f"no tests were looked at: {why}")
    if found.refused:
        say(found.refused)


def _since(found: CheckView) -> str:
    return f"; those on disk are broken since {stamp(found.since)}" if found.since is not None else ""


def _by_engine(url: str, settings: Settings, back: timedelta) -> _Waiting | None:
    from governance.client import Client
    from governance.errors import NotFound

    with Client(url, settings.token) as client:
        asked = next((each for each in client.approvals() if each.kind == "policy"), None)
        try:
            return _Waiting(client.pending(back / timedelta(days=1)), asked)
        except NotFound:
            return None


def _by_database(settings: Settings, back: timedelta) -> _Waiting | None:
    from governance.bootstrap import SystemClock, last_adopted, stored_database
    from governance.engine import consent
    from governance.engine.applying import waiting
    from governance.engine.parts import Engine
    from governance.engine.pending import answered_by
    from governance.engine.planning import Bounds, Side, planned
    from governance.policies import sound, stored_policies

    database, at = stored_database(settings), SystemClock().now()
    running, found = last_adopted(database, settings), waiting(database)
    if running is None or found is None:
        return None
    version, documents = found
    proposed = sound(stored_policies(documents, str(settings.policies)))
    before, after = Side(running.plan, running.organisation), Side(proposed.plan, proposed.organisation)
    reader = Engine(running.plan, running.organisation, {}, {}, database, SystemClock())
    asked = consent.view_of(reader, version.approval)
    return _Waiting(answered_by(planned(database, before, after, at, Bounds(back)), asked), asked)


def _print_waiting(found: _Waiting) -> None:
    asked = found.approval
    if asked is not None:
        void = f", void {stamp(asked.expires_at)}" if asked.expires_at is not None else ""
        say(f"{asked.id} waits for a second person: asked by {asked.requested_by} {stamp(asked.requested_at)}{void}")
        may = asked.may.get("approve")
        if may is not None:
            say(f"you may approve: {may.because}" if may.allowed else f"you may not approve: {may.because}")
        say()
    print_plan(found.plan)
    if asked is not None:
        say()
        say(f"gov policies approve {asked.id}, or gov policies refuse {asked.id} --because …")
