"""An act that answers a person waits for its seal."""

from __future__ import annotations

from datetime import datetime

from governance.engine.parts import Engine
from governance.errors import Unavailable
from governance.store import decision_log


def sealed(engine: Engine, identity: str, at: datetime) -> int:
    """Seal what was committed and return the number of the entry of a decision.

    :raises Unavailable: when it cannot be sealed now; it is committed all the same, and the message says so.
    """
    try:
        decision_log.seal(engine.database, at)
        entry = decision_log.entry_of(engine.database, identity)
    except Unavailable as error:
        raise Unavailable(f"it is done and in force, but its entry is not sealed yet: {error}") from error
    assert entry is not None  # sealed just now  # noqa: S101
    return entry.seq
