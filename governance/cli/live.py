"""The last part of the demo: the terminal app over an engine that lives on, and a serving process that obeys it."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from governance.api.app import app
from governance.api.server import address, listening, place, server_of
from governance.cli.alone import alone
from governance.cli.serving import at_work, service
from governance.client import Client
from governance.demo.live import Live
from governance.demo.story import Replay
from governance.engine import tokens
from governance.engine.parts import Engine
from governance.errors import GovernanceError, Unavailable
from governance.settings import Settings
from tui.app import GovApp

WHO, SECOND = "ana", "bo"
PORT = 8750
"""The port of `gov serve`; another where it is taken."""
SERVED = "flight-delay"
_LASTS = timedelta(days=30)


def live(replay: Replay, directory: Path, opened: Callable[[str], None]) -> Iterator[str]:
    """Open the terminal app as ana, and yield afterwards what the serving process did meanwhile.

    `opened` is called with the address of the engine once it serves, before the app takes the screen.
    """
    with served(replay, directory, opened) as client:
        GovApp(client).run()
    log = _log(directory)
    yield from log.read_text(encoding="utf-8").splitlines() if log.exists() else ()


@contextmanager
def served(replay: Replay, directory: Path, opened: Callable[[str], None]) -> Iterator[Client]:
    """Let the engine of a replay live on and serve, with a serving process beside; give a client that speaks as ana."""
    world = Live(replay)
    settings = Settings(home=directory / ".gov", policies=directory / "policies", database="")
    _log(directory).unlink(missing_ok=True)
    with alone(settings.home), _served(world, settings) as url:
        at = world.engine.clock.now()
        _, secret = tokens.create(world.engine, WHO, expires=_LASTS, actor=WHO, at=at)
        _, other = tokens.create(world.engine, SECOND, expires=_LASTS, actor=SECOND, at=at)
        _keep(directory / f"{SECOND}.token", other)
        with _serving(world.engine, url, _log(directory)), Client(url, secret) as client:
            opened(url)
            yield client


def _log(directory: Path) -> Path:
    return directory / "serving.log"


@contextmanager
def _served(world: Live, settings: Settings) -> Iterator[str]:
    """Serve the API of the engine on a free port of this machine, and let it live."""
    engine = world.engine
    made = service(engine, settings, bound="127.0.0.1", open_=True)
    with _listening() as listener:
        server = server_of(app(engine, made), made.streams.close)

        def step() -> bool:
            try:
                world.beat()
            except GovernanceError:
                made.pulse.failed += 1  # it is tried again at the next beat
            return True

        def stop() -> None:
            server.should_exit = True

        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="api")
        thread.start()
        try:
            with at_work(engine, made, step, stop):
                yield f"http://{address(listener)}"
        finally:
            stop()
            thread.join()


def _listening() -> socket.socket:
    try:
        return listening(place("127.0.0.1", PORT))
    except Unavailable:
        return listening(place("127.0.0.1", 0))


def _keep(path: Path, secret: str) -> None:
    """Write a token for its owner alone to read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:  # noqa: PTH123 (with its mode)
        file.write(f"{secret}\n")


@contextmanager
def _serving(engine: Engine, url: str, log: Path) -> Iterator[None]:
    """Run a serving process beside, if the provider is installed."""
    if importlib.util.find_spec("model_governance_openfeature") is None:
        log.write_text("no serving process: the provider in clients/python is not installed\n", encoding="utf-8")
        yield
        return
    at = engine.clock.now()
    made = {"kind": "service", "scopes": ("switches",), "models": (SERVED,), "expires": _LASTS}
    _, secret = tokens.create(engine, "demo-service", actor=WHO, at=at, **made)  # type: ignore[arg-type]
    environment = {**os.environ, "GOV_URL": url, "GOV_TOKEN": secret}
    command = [sys.executable, "-m", "governance.demo.serving", str(log)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 (our own)
    try:
        yield
    finally:
        process.terminate()
        process.wait()
