"""The command `gov`: its groups of commands, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from governance.cli import (
    audit,
    authoring,
    check,
    demo,
    doctor,
    evidence,
    exchange,
    explain,
    gate,
    incidents,
    init,
    notifications,
    on_call,
    plan,
    policies,
    ruling,
    runbooks,
    schema,
    serve,
    silence,
    slack,
    switch,
    taking,
    testing,
    tokens,
    tui,
    waive,
)
from governance.core.problem import printable
from governance.errors import Conflict, Denied, GovernanceError


def _exit(code: object, **_options: object) -> None:
    """Commands return their exit code; the root turns it into the process's."""
    raise typer.Exit(code if isinstance(code, int) else 0)


app = typer.Typer(
    name="gov",
    help="Govern machine-learning models in production: policies as code, incidents, a log that can be verified.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    result_callback=_exit,
)
demo.register(app)
init.register(app)
check.register(app)
authoring.register(app)
gate.register(app)
exchange.register(app)
taking.register(app)
schema.register(app)
explain.register(app)
testing.register(app)
serve.register(app)
plan.register(app)
policies.register(app)
ruling.register(policies.GROUP)
tui.register(app)
tokens.register(app)
doctor.register(app)
incidents.register(app)
runbooks.register(app)
slack.register(app)
silence.register(app)
notifications.register(app)
waive.register(app)
on_call.register(app)
switch.register(app)
evidence.register(app)
audit.register(app)


@app.callback()
def _root(
    directory: Annotated[
        Path | None, typer.Option("--directory", "-C", help="Work in this directory instead of the current one.")
    ] = None,
) -> None:
    if directory is None:
        return
    try:
        os.chdir(directory)
    except OSError as error:
        raise typer.BadParameter(f"{directory}: {error.strerror}") from error


def _note(error: GovernanceError) -> None:
    """Record an act that was refused to somebody; what only asks loads none of this."""
    if isinstance(error, (Denied, Conflict)):
        from governance.engine.permission import RefusedAct
        from governance.engine.refused_acts import note

        if isinstance(error, RefusedAct):
            with suppress(GovernanceError):  # it is refused all the same
                note(error)


def main() -> None:
    """Run the command line; exit codes: 0 fine, 1 findings, 2 usage, 3 refused, 4 unavailable."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        app(args=arguments, prog_name="gov")
    except GovernanceError as error:
        for line in f"gov: {error}".splitlines():
            print(printable(line), file=sys.stderr)
        _note(error)
        if isinstance(error, Denied) and "--as" not in arguments:
            print("gov: --as says who acts", file=sys.stderr)
        return error.exit_code
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    except KeyboardInterrupt:
        print("gov: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0
    return 0
