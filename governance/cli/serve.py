"""The engine on one's own policies, with its HTTP API, until it is told to stop."""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.check import of_directory
from governance.cli.output import say
from governance.errors import Fenced, GovernanceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from governance.api.app import Service
    from governance.api.pulse import Pulse
    from governance.engine.leading import Leadership
    from governance.engine.loop import StepReport
    from governance.engine.parts import Engine, Ruling
    from governance.settings import Settings
    from governance.store.database import Database


def _duration(text: str) -> timedelta:
    from governance.core.duration import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


Port = Annotated[int, typer.Option(help="TCP port; 0 takes any that is free.", min=0, max=65535)]
Every = Annotated[
    timedelta | None,
    typer.Option(help="How often to judge, such as 1m; otherwise as org.yaml says.", parser=_duration, metavar="TIME"),
]


class PoliciesFrom(StrEnum):
    """Where new versions of the policies come from."""

    directory = "directory"
    apply = "apply"


From = Annotated[
    PoliciesFrom | None,
    typer.Option(
        help="Follow the directory of the policies, or (apply) begin with it and then wait for gov apply; "
        "otherwise as GOV_POLICIES_FROM says."
    ),
]
For = Annotated[
    timedelta | None,
    typer.Option("--for", help="Stop by itself after this time, such as 60s.", parser=_duration, metavar="TIME"),
]


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(rich_help_panel="Start")(serve)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; another than loopback needs tokens.")] = "127.0.0.1",
    port: Port = 8750,
    every: Every = None,
    for_: For = None,
    policies_from: From = None,
) -> int:
    """Govern the models of the policies: judge them at every interval, tell people, and answer the HTTP API."""
    from governance.api.server import is_loopback, listening, place, refuse_open
    from governance.bootstrap import database_of, has_tokens
    from governance.cli.alone import alone
    from governance.engine.leading import Leadership, leading
    from governance.following import begin, followed
    from governance.settings import Settings

    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # what happens is seen when it happens
    settings = Settings(policies_from=policies_from.value) if policies_from is not None else Settings()
    pull = _pulled(settings)
    where = place(host, port)
    if not is_loopback(where):
        refuse_open(where, known=has_tokens(settings))
    in_file, paced, leaders = database_of(settings).path is not None, _paced(every), list[Leadership]()
    with ExitStack() as stack:

        def lead(database: Database) -> None:
            stack.callback(database.close)
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the server runs, and stops in its own way
            leaders.append(stack.enter_context(leading(database, say, alone=in_file)))

        if in_file:  # of a file nobody can take over while another process has it open
            stack.enter_context(alone(settings.home))
            listener = stack.enter_context(listening(where))
        built = begin(settings, paced=paced, leading=lead)
        if not in_file:  # who stands by does not listen
            listener = stack.enter_context(listening(where))
        stack.enter_context(followed(built, settings, pull, paced, of_directory))
        _serve(built, listener, leaders[0], for_, settings, open_=is_loopback(where))
    return 0


def _serve(
    engine: Engine,
    listener: socket.socket,
    leadership: Leadership,
    limit: timedelta | None,
    settings: Settings,
    *,
    open_: bool,
) -> None:
    """Run the engine beside the server until one of them ends, or another process leads; then end the other.

    :raises Fenced: when another process leads.
    """
    from governance.api.app import app
    from governance.api.server import address, server_of
    from governance.cli.serving import at_work, service
    from governance.engine.entries import OWN

    made = service(engine, settings, bound=listener.getsockname()[0], open_=open_)
    server = server_of(app(engine, made), made.streams.close)

    def stop(*_: object) -> None:
        server.should_exit = True
        made.feed.stop()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)  # also where the server passes them on when it has ended
    leadership.when_lost(stop)
    with at_work(engine, made, _Step(engine, made, leadership), stop, limit):
        models = sum(each.model not in OWN for each in engine.plan.policies)
        version = engine.plan.version[:12]
        count = f"{models} model{'' if models == 1 else 's'}"
        say(f"started on http://{address(listener)}: {count} and the engine itself under policies {version}")
        server.run(sockets=[listener])
    leadership.raise_if_lost()
    say("stopped")


class _Step:
    """Does what is due; what the engine cannot do now, because a disk is full, it tries again at the next beat."""

    def __init__(self, engine: Engine, service: Service, leadership: Leadership) -> None:
        self._leadership = leadership
        self._engine, self._pulse, self._doors = engine, service.pulse, service.doors
        self._trouble = self._standing = ""
        engine.adopted.append(self._tell_of_adoption)

    def __call__(self) -> bool:
        from governance.engine.loop import step

        try:
            self._leadership.confirm()
            report = step(self._engine, self._engine.clock.now())
            self._doors.keyring.refresh()
            self._doors.refusals.flush(self._engine.clock.now())
        except Fenced:
            raise
        except GovernanceError as error:
            self._pulse.failed += 1
            self._complain(str(error))
            return True
        finally:
            self._tell_of_policies()
        if self._trouble:
            self._trouble = ""
            say("the engine goes on")
        _tell(report, self._pulse)
        return True

    def _tell_of_adoption(self) -> None:
        say(f"version {self._engine.plan.version} of the policies rules: {self._engine.standing.adopted_words}")

    def _tell_of_policies(self) -> None:
        """Say once how the policies on disk stand to those that rule."""
        from governance.cli.serving import complain

        said = self._engine.standing.words(self._engine.plan.version)
        if said != self._standing:
            self._standing = said
            complain(said)

    def _complain(self, trouble: str) -> None:
        """Say what is wrong once, not at every beat."""
        from governance.cli.serving import complain

        if trouble != self._trouble:
            self._trouble = trouble
            complain(trouble)


def _tell(report: StepReport, pulse: Pulse) -> None:
    cycle = report.cycle
    if cycle is None:
        return
    pulse.cycle_seconds = cycle.collect_seconds + cycle.evaluate_seconds + cycle.commit_seconds
    pulse.verdicts.update(cycle.outcomes)
    if report.late:
        say(f"{cycle.at:%H:%M:%S}Z  caught up on {report.late} missed cycles")
    for change in cycle.changes:
        about = change.incident
        say(f"{cycle.at:%H:%M:%S}Z  INC-{about.id} {change.kind}  {about.severity}  {about.model}: {about.title}")


def _paced(every: timedelta | None) -> Callable[[Ruling], Ruling]:
    """Return what lets a version of the policies be judged as often as the command line says."""
    if every is None:
        return lambda ruling: ruling
    if every < timedelta(seconds=1):
        raise typer.BadParameter("the engine looks once a second at most", param_hint="--every")

    def paced(ruling: Ruling) -> Ruling:
        cycle = ruling.organisation.cycle.model_copy(update={"every": every})
        return replace(ruling, organisation=ruling.organisation.model_copy(update={"cycle": cycle}))

    return paced


def _pulled(settings: Settings) -> timedelta | None:
    """Return how often the checkout is pulled, None for never."""
    if not settings.policies_pull:
        return None
    every = _duration(settings.policies_pull)
    if settings.policies_from == "apply":
        raise typer.BadParameter("GOV_POLICIES_PULL is for an engine that follows its directory, not for gov apply")
    return every
