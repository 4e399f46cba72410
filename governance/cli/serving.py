"""What `gov serve` is made of: the API, and what works behind it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

from governance.api.app import Service
from governance.api.feed import Feed
from governance.api.gate import Doors, SignOn
from governance.api.guard import LOCAL, hosts
from governance.api.ofrep.events import Streams
from governance.api.pulse import Pulse
from governance.api.server import room
from governance.api.wiring import wire_of
from governance.core.problem import printable
from governance.engine.alive import Pinger
from governance.engine.board import Board
from governance.engine.clock import stepped
from governance.engine.keyring import Keyring
from governance.engine.parts import Engine
from governance.engine.refusals import Refusals
from governance.engine.running.worker import Worker
from governance.engine.soundness import Watch
from governance.engine.watcher import Watcher
from governance.scheduler import Ticker
from governance.settings import Settings
from governance.slack.service import SlackService

BEAT = timedelta(seconds=1)
"""How often it is looked what is due: a cycle at its boundary, a delivery at its next try."""
UNDER_WAY = 5.0
"""Seconds that deliveries under way are waited for at the end; what takes longer is tried again by the next engine."""


def service(engine: Engine, settings: Settings, *, bound: str, open_: bool) -> Service:
    """Return it for a server bound to an address; `open_`: only this machine reaches it."""
    doors = Doors(Keyring(engine), Refusals(engine), settings.who(), engine.clock.now, _sign_on(engine), open_)
    known = LOCAL if open_ else hosts(bound, settings.public_url)
    board, every = Board(engine), engine.organisation.cycle.every
    return Service(doors, Feed(engine), Pulse(), board, Streams(board, room()), every, known, _slack(engine, board))


@contextmanager
def at_work(
    engine: Engine, made: Service, step: Callable[[], bool], ended: Callable[[], None], limit: timedelta | None = None
) -> Iterator[None]:
    """Let the engine step at every beat and its readers follow, meanwhile; `ended` is called when it stops by itself.

    An exception of a step is raised at the end.
    """
    worker = Worker(engine, complain, UNDER_WAY)

    def moved(by: timedelta) -> None:
        stepped(engine, by, at=engine.clock.now())
        worker.stepped()

    ticker = Ticker(step, BEAT, on_step=moved, aligned=True)
    watcher = Watcher(made.board, engine, complain)
    engine.adopted.append(lambda: made.board.refresh(whole=True))  # a new model has a switch from its first second on
    made.feed.start()
    watcher.start()
    soundness = Watch(engine)
    soundness.start()
    if made.slack is not None:
        made.slack.start()
    pinger = Pinger(engine)
    pinger.start()
    worker.start()
    with engine.lanes.apart(UNDER_WAY), ThreadPoolExecutor(1, thread_name_prefix="engine") as pool:
        running = pool.submit(ticker.run, limit)
        running.add_done_callback(lambda _: ended())
        try:
            yield
        finally:
            ticker.stop()
            worker.stop()
            if made.slack is not None:
                made.slack.stop()
            made.feed.stop()
            watcher.stop()
            soundness.stop()
            pinger.stop()
    running.result()
    made.doors.refusals.flush(engine.clock.now(), whole=True)


def complain(trouble: str) -> None:
    """Say what is wrong, where something is."""
    if trouble:
        print(f"gov: {printable(trouble)}", file=sys.stderr, flush=True)


def _slack(engine: Engine, board: Board) -> SlackService:
    wire = wire_of(board, engine.clock)
    return SlackService(engine, complain, confirmations=wire.confirmations, switched=wire.changed)


def _sign_on(engine: Engine) -> SignOn | None:
    oidc = engine.organisation.identity.oidc
    if oidc is None:
        return None
    from governance.api.sign_on import SingleSignOn  # its cryptography is only needed where there is one

    return SingleSignOn(oidc, lambda: engine.organisation)
