"""Whether the decision log may be relied on: while it does not verify, no model is given back on the strength of it."""

from __future__ import annotations

from datetime import datetime

from governance.engine.parts import Engine
from governance.errors import Denied
from governance.store import progress


def unsound_since(engine: Engine) -> datetime | None:
    """Return since when the log is known not to verify, None while it does."""
    with engine.database.read() as connection:
        return progress.last(connection, progress.UNSOUND)


def require_sound(engine: Engine) -> None:
    """Refuse what loosens while the log does not verify.

    :raises Denied: saying since when, and what can be done.
    """
    since = unsound_since(engine)
    if since is not None:
        raise Denied(
            f"the decision log does not verify since {since:%Y-%m-%d %H:%M} UTC (gov audit verify says why), so that "
            "no model is given back; pulling goes on, and breaking the glass (gov switch break-glass) pages everybody"
        )
