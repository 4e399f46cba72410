"""How people who act on kill switches learn of the processes that read them."""

from __future__ import annotations

from contextlib import suppress

from governance.api.switches import Wire
from governance.engine.board import Board
from governance.errors import Unavailable
from governance.ports import Clock
from governance.views import ConfirmationsView


def wire_of(board: Board, clock: Clock) -> Wire:
    """Return what follows a change of a switch in this process: it is on the board before the act is answered."""

    def confirmations(model: str) -> ConfirmationsView:
        heard = board.confirmations(model, clock.now())
        return ConfirmationsView(
            total=heard.total,
            confirmed=heard.confirmed,
            late=list(heard.late),
            silent=list(heard.silent),
            last_read=heard.last_read,
        )

    def changed() -> None:
        with suppress(Unavailable):  # the watcher sees it a moment later
            board.refresh()

    return Wire(confirmations, changed)
