"""Whether the decision log may be relied on: while it does not verify, no model is given back on the strength of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from governance.engine.parts import Engine
from governance.errors import Denied
from governance.store import progress

if TYPE_CHECKING:
    from sqlalchemy import Connection


def unsound_since(engine: Engine) -> datetime | None:
    """Return since when the log is known not to verify, None while it does."""
    with engine.database.read() as connection:
        return progress.last(connection, progress.UNSOUND)


def require_sound(engine: Engine) -> None:
    """Refuse what loosens while the log does not verify.

    :raises Denied: saying since when, and what can be done.
    """
    _refuse(unsound_since(engine))


def require_sound_in(connection: Connection) -> None:
    """Refuse what loosens while the log does not verify, within a transaction; it raises what `require_sound` does."""
    _refuse(progress.last(connection, progress.UNSOUND))


def _refuse(since: datetime | None) -> None:
    if since is not None:
        raise Denied(
            f"the decision log does not verify since {since:%Y-%m-%d %H:%M} UTC (gov audit verify says why), so that "
            "no model is given back; pulling goes on, and breaking the glass (gov switch break-glass) pages everybody"
        )
