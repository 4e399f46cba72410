"""Whether the decision log is what was sealed: looked at when the engine starts and each hour, as people forget to.

A log that does not verify pages, and stops restores: who could change it may have changed what they rest on. Pulling
goes on, and so does breaking the glass, which pages everybody and is reviewed.
"""

from __future__ import annotations

import threading
from datetime import datetime

from governance.core.alert import AlertKey
from governance.core.decision import Decision
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.switching import paging
from governance.errors import GovernanceError, Unavailable
from governance.store import decision_log, progress
from governance.store.decision_log import Verification

EVERY = 3600.0
"""Seconds between two looks."""
AGAIN = 60.0
"""Seconds until the next look when one was not possible."""
RULE = "log-unsound"
_SHOWN = 5


def check(engine: Engine, at: datetime) -> Verification:
    """Verify the whole log, and remember what was found.

    :raises Unavailable: when it cannot be read, or what was found cannot be written.
    """
    found = decision_log.verify(engine.database)
    if not found.ok:
        found = decision_log.verify(engine.database)  # what was only half written when it was read is whole now
    with engine.database.read() as connection:
        before = progress.last(connection, progress.UNSOUND)
    if found.ok is (before is None):
        return found
    said = "; ".join(found.findings[:_SHOWN]) or "the log is sound again"
    finding = paging.Finding(AlertKey(entries.ENGINE, RULE, ()), f"the decision log does not verify: {said}", _HOW)
    body = {"size": found.size, "root": found.root, "findings": list(found.findings[:_SHOWN])}
    kind = "log.sound" if found.ok else "log.unsound"
    decision = Decision(at, kind, entries.ENGINE, {}, body, entries.identity(kind, at.isoformat(), found.root))
    with engine.database.transaction() as connection:
        progress.set_last(connection, progress.UNSOUND, None if found.ok else at)
        decision_log.append(connection, [decision])
        if found.ok:
            paging.close(connection, engine, finding, at)
        else:
            paging.page(connection, engine, finding, at)
    return found


class Watch(threading.Thread):
    """Looks at the start and each hour, beside the engine's other work: a long log takes its time."""

    def __init__(self, engine: Engine) -> None:
        """Prepare it; it ends with the process."""
        super().__init__(name="soundness", daemon=True)
        self._engine, self._over = engine, threading.Event()

    def run(self) -> None:
        """Look until told to stop."""
        pause = 0.0
        while not self._over.wait(pause):
            pause = EVERY
            try:
                check(self._engine, self._engine.clock.now())
            except Unavailable:
                pause = AGAIN
            except GovernanceError:
                continue  # somebody else is writing the same just now

    def stop(self) -> None:
        """Look no more."""
        self._over.set()


_HOW = "Compare with a copy of the heads and a backup (gov audit verify); no model is restored until it is sound."
