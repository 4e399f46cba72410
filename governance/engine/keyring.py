"""Whose token is this: answered from memory, which is read anew every second."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from governance.core.authority import Actor
from governance.engine import tokens
from governance.engine.parts import Engine
from governance.errors import Denied, Unavailable, Unknown
from governance.store import tokens as store
from governance.store.tokens import Token

FRESH = 1.0
"""Seconds for which what was read counts: after this long a revoked token is refused in every process."""
_SOONEST = 0.05
"""Seconds between two readings for tokens that are not known: guessing must not cost a reading each."""
_NOBODY = b"\0" * 32
BAD = "this token does not hold: it is unknown, revoked or expired; make one with gov token create"


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks: the actor, how they proved it, and until when that holds (None: as long as the process)."""

    actor: Actor
    by: str
    expires_at: datetime | None = None


class Refused(Unknown):
    """A token that does not hold. `why` is for the log alone: who tries tokens must not learn which part was right."""

    def __init__(self, why: str, token: str = "") -> None:
        super().__init__(BAD)
        self.why, self.token = why, token


class Stranger(Denied):
    """A token that holds, of somebody whom the organisation does not know."""

    why, token = "nobody of org.yaml", ""


class Keyring:
    """The tokens of an engine, in memory; it goes on with what it last read while the database is away."""

    def __init__(self, engine: Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Read from this engine's database."""
        self._engine, self._monotonic = engine, monotonic
        self._known: Mapping[str, tuple[Token, bytes]] = {}
        self._read_at = -FRESH
        self._reading = Lock()
        self.refresh()

    @property
    def empty(self) -> bool:
        """True while there never was a token."""
        return not self._known

    def refresh(self, secret: str = "") -> None:
        """Read the tokens, unless another thread just did; where that cannot be done now, those of before count."""
        with self._reading:
            if self._known and not self.is_stale(secret):
                return
            try:
                with self._engine.database.read() as connection:
                    self._known = store.all_of(connection)
            except Unavailable:
                pass  # to be tried again a second later
            self._read_at = self._monotonic()  # last: until then all others wait for it

    def is_stale(self, secret: str = "") -> bool:
        """Tell whether the tokens should be read anew before this secret is judged."""
        age = self._monotonic() - self._read_at
        token_id = tokens.token_id_of(secret)
        return age > FRESH or (bool(token_id) and token_id not in self._known and age > _SOONEST)

    def knows(self, secret: str) -> bool:
        """Tell whether a token of this id was read, so that nothing need be asked to judge it."""
        return tokens.token_id_of(secret) in self._known

    def login(self, secret: str, at: datetime) -> Login:
        """Return who asks with a secret.

        :raises Refused: when it does not hold.
        """
        token_id = tokens.token_id_of(secret)
        token, kept = self._known.get(token_id, (None, _NOBODY))
        right = tokens.same(secret, kept)
        if token is None:
            raise Refused("unknown")
        if not right:
            raise Refused("wrong secret", token_id)
        if token.revoked_at is not None:
            raise Refused("revoked", token_id)
        if at >= token.expires_at:
            raise Refused("expired", token_id)
        return Login(tokens.actor_of(token), token_id, token.expires_at)
