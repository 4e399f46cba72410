"""Which kill switches somebody may read, found once for each token and state."""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import Scope

from governance.core.authority import Actor, Allowed, Refused, authority
from governance.engine.board import Board
from governance.engine.parts import Engine
from governance.engine.permission import card_of
from governance.errors import Denied


class Reach:
    """Says how far a caller reaches, who is known by then as `scope["state"]["login"]`."""

    def __init__(self, engine: Engine, board: Board) -> None:
        """Decide by the organisation of this engine, about the models on the board."""
        self._engine, self._board = engine, board
        self._snapshot = board.snapshot
        self._found: dict[Actor, frozenset[str] | None] = {}

    def __call__(self, scope: Scope) -> Collection[str] | None:
        """Return the models whose switches the caller of a request may read; None: all.

        :raises Denied: when there is none.
        """
        return self.of(scope["state"]["login"].actor)

    def of(self, who: Actor) -> Collection[str] | None:
        """Return the models whose switches somebody may read; None: all.

        :raises Denied: when there is none.
        """
        snapshot = self._board.snapshot
        if snapshot is not self._snapshot:
            self._snapshot, self._found = snapshot, {}
        if who not in self._found:
            self._found[who] = self._decided(who, snapshot.flags)
        return self._found[who]

    def _decided(self, who: Actor, models: Collection[str]) -> frozenset[str] | None:
        engine = self._engine
        found = authority(who, "switch.evaluate", None, engine.organisation)
        if not isinstance(found, Refused):
            return None
        within = (
            each
            for each in models
            if isinstance(authority(who, "switch.evaluate", card_of(engine, each), engine.organisation), Allowed)
        )
        reached = frozenset(within)
        if not reached:
            raise Denied(str(found))
        return reached
