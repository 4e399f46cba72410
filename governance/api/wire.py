"""What ties acts on kill switches to the serving processes that read them."""

from __future__ import annotations

from contextlib import suppress

from governance.api.switches import Wire
from governance.engine.board import Board
from governance.errors import Unavailable
from governance.ports import Clock
from governance.views import ConfirmationsView


def wire_of(board: Board, clock: Clock) -> Wire:
    """Return it: who has confirmed a switch, as the board knows; a change is read at once, before its answer."""

    def confirmations(model: str) -> ConfirmationsView:
        found = board.confirmations(model, clock.now())
        return ConfirmationsView(
            total=found.total, confirmed=found.confirmed, late=list(found.late), silent=list(found.silent)
        )

    def changed() -> None:
        with suppress(Unavailable):  # the act is done, and its watcher reads it as soon as it can
            board.refresh()

    return Wire(confirmations, changed)
