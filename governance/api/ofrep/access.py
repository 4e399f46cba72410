"""Which models' kill switches a caller may read, decided once for each caller."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from starlette.types import Scope

from governance.api.gate import login_in
from governance.api.ofrep.exchange import Refused
from governance.core.authority import Actor
from governance.engine.parts import Engine
from governance.engine.reading import evaluable
from governance.errors import Denied


class Access:
    """Tells which models the caller of a request may read; None: all."""

    def __init__(self, engine: Engine) -> None:
        """Decide by the organisation of this engine."""
        self._of = lru_cache(4096)(lambda actor: self._decided(engine, actor))

    def __call__(self, scope: Scope) -> Collection[str] | None:
        """Return them.

        :raises Refused: when they may read none.
        """
        return self.of(login_in(scope).actor)

    def of(self, actor: Actor) -> Collection[str] | None:
        """Return what an actor may read.

        :raises Refused: when they may read none.
        """
        found = self._of(actor)
        if isinstance(found, str):
            raise Refused(403, "GENERAL", found)
        return found

    @staticmethod
    def _decided(engine: Engine, actor: Actor) -> frozenset[str] | str | None:
        try:
            return evaluable(engine, actor)
        except Denied as error:
            return str(error)
