"""A thread that lets the board of switches follow the database."""

from __future__ import annotations

import threading
from collections.abc import Callable

from governance.engine.board import Board
from governance.engine.parts import Engine
from governance.errors import GovernanceError
from governance.store.watch import Stamp

PAUSE = 0.01
PAUSE_IN_TROUBLE = 0.25
"""Seconds between two looks."""


class Watcher:
    """A thread that lets a board follow its database: within a hundredth of a second, and again after it was down."""

    def __init__(self, board: Board, engine: Engine, complain: Callable[[str], None]) -> None:
        """Follow the database of this engine; `complain` is told once when it cannot be read, "" when it can again."""
        self._board = board
        self._watch = engine.database.watch()
        self._complain = complain
        self._trouble = ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="board watcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for it."""
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        last: Stamp | None = None
        while not self._done.wait(PAUSE if not self._trouble else PAUSE_IN_TROUBLE):
            try:
                last, said = self._looked(last), ""
            except GovernanceError as error:
                last, said = None, str(error)
            except Exception as error:  # noqa: BLE001 (reads go on, whatever is wrong with what was stored)
                last, said = None, f"the switches cannot be read: {error!r}"
            if said != self._trouble:
                self._trouble = said
                self._complain(said)
        self._watch.close()

    def _looked(self, last: Stamp | None) -> Stamp | None:
        stamp = self._watch.stamp()  # before reading: a commit between the two is seen at the next look
        if stamp is None:
            self._board.refresh()
        elif last is None or stamp != last:
            self._board.refresh(whole=last is None or stamp[:2] != last[:2])
        return stamp
