"""Who leads: one process takes the lease and keeps it, others stand by, and who was taken over ends."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from governance.errors import Fenced, Unavailable
from governance.store import lease
from governance.store.database import Database
from governance.store.lease import Lease

TTL = timedelta(seconds=10)
"""How long after its last sign of life a leader is taken over."""
EVERY = 2.0
LOOK = 1.0
"""Seconds between two renewals, and between two looks of who stands by."""


def this_process() -> str:
    """Return a name for this process that no other one has: where machines are containers, ids come again."""
    return f"{socket.gethostname()} pid {os.getpid()}#{secrets.token_hex(4)}"


class Leadership(threading.Thread):
    """The lease that this process leads by, and the thread that renews it."""

    def __init__(self, database: Database, held: Lease, say: Callable[[str], None]) -> None:
        """Begin with `start`."""
        super().__init__(name="leadership", daemon=True)
        self._database, self._held, self._say = database, held, say
        self._done = threading.Event()
        self._lost: Callable[[], None] = lambda: None
        self._failure: Fenced | None = None

    def when_lost(self, act: Callable[[], None]) -> None:
        """Have this done as soon as it is known that another process took over."""
        self._lost = act
        if self._failure is not None:
            act()

    def confirm(self) -> None:
        """Look whether this process leads still, before it does what no transaction would refuse.

        :raises Fenced: when another one took over.
        :raises Unavailable: when the database does not answer.
        """
        self.raise_if_lost()
        with self._database.read() as connection:
            lease.check(connection, self._held)

    def raise_if_lost(self) -> None:
        """Go on only where it is not known that another process took over.

        :raises Fenced: when one did.
        """
        if self._failure is not None:
            raise Fenced(str(self._failure))

    def stop(self) -> None:
        """Renew no more, and let who stands by take over at once."""
        self._done.set()
        if self.is_alive():
            self.join()
        with suppress(Unavailable):
            lease.release(self._database, self._held)

    def run(self) -> None:
        """Renew until stopped, or until another process took over; a database that is away is tried again."""
        while not self._done.wait(EVERY):
            try:
                lease.renew(self._database, self._held, TTL)
            except Fenced as error:
                self._failure = error
                self._lost()
                return
            except Exception as error:  # noqa: BLE001 (a thread that died would let the lease go without a word)
                self._say(f"the lease cannot be renewed just now: {error}")


@contextmanager
def leading(database: Database, say: Callable[[str], None], *, alone: bool) -> Iterator[Leadership]:
    """Wait until this process leads, and let it write only while it does; `alone`: nobody else can lead just now.

    :raises Unavailable: when the database cannot be written.
    """
    taken = lease.take(database, this_process(), TTL, alone=True) if alone else None
    held = taken or _stood_by(database, say)
    with database.lead(held):
        made = Leadership(database, held, say)
        if not alone:  # else nobody waits for the end of the lease, so nothing has to be written to move it
            made.start()
        try:
            yield made
        finally:
            made.stop()


def _stood_by(database: Database, say: Callable[[str], None]) -> Lease:
    """Look at the lease until it can be taken; it is said who holds it, and what keeps us from looking."""
    holder, told, taken = this_process(), "", None
    while taken is None:
        try:
            leader = lease.leader(database)
            said = f"stands by: {leader.lease.who} leads; takes over within 10 s of its end" if leader else told
            if leader is None or not leader.left:
                taken = lease.take(database, holder, TTL)
        except Unavailable as error:
            said = f"stands by: {error}"
        if said != told and taken is None:
            say(said)
            told = said
        if taken is None:
            time.sleep(LOOK)
    return taken
