"""All kill switches in memory, as serving processes read them: at once, and also while the database is down."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from governance.core.flag import Flags, flags_of
from governance.core.switch import Switch
from governance.engine import own
from governance.engine.confirmations import Confirmations, Holders
from governance.engine.parts import Engine
from governance.store import switches


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of all switches; it never changes, a later one takes its place.

    `seq` is the number of the last change in it. `digest` tells it from every other state, also from one of the same
    number in another database. `at` is when the engine came to know it.
    """

    seq: int
    digest: str
    switches: Mapping[str, Switch]
    flags: Mapping[str, Flags]
    at: datetime


class Board:
    """The switches of every model that has a card, or once had one and was pulled."""

    def __init__(self, engine: Engine) -> None:
        """Read them.

        :raises Unavailable: when the database cannot be read.
        """
        self._engine = engine
        self._turn = threading.Lock()
        self._heard: tuple[Callable[[Snapshot], None], ...] = ()
        self.holders = Holders()
        self.snapshot = self._taken({}, 0)
        self.refresh(whole=True)

    @property
    def switches(self) -> Mapping[str, Switch]:
        """The switches by model."""
        return self.snapshot.switches

    @property
    def seq(self) -> int:
        """The number of the last change."""
        return self.snapshot.seq

    def subscribe(self, callback: Callable[[Snapshot], None]) -> None:
        """Call back with each new state, in the thread that came to know of it; it must not take long."""
        self._heard = (*self._heard, callback)

    def refresh(self, *, whole: bool = False) -> None:
        """Read what has changed since; `whole`, read everything, as another database may lie where the last one did.

        :raises Unavailable: when the database cannot be read; what was known stays.
        """
        with self._turn:
            before = self.snapshot
            found, seq = self._read(before, whole=whole)
            if found is None:
                return
            after = self._taken(found, seq)
            if after.digest == before.digest:
                return
            self.snapshot = after
            heard = self._heard
        for callback in heard:
            callback(after)

    def confirm(self, instance: str, seq: int, models: Collection[str], at: datetime) -> None:
        """Note which change a serving process holds; models that are not known count for nothing."""
        self.holders.confirm(instance, seq, [each for each in models if each in self.snapshot.flags], at)

    def confirmations(self, model: str, at: datetime) -> Confirmations:
        """Return who holds the switch of a model."""
        snapshot = self.snapshot
        switch = snapshot.switches.get(model, Switch(model))
        return self.holders.of(model, switch.seq, snapshot.seq, at)

    def _read(self, before: Snapshot, *, whole: bool) -> tuple[dict[str, Switch] | None, int]:
        with self._engine.database.read() as connection:
            seq = switches.last_seq(connection)
            if whole or seq < before.seq:  # a backup may have been put back
                return switches.all_of(connection), seq
            if seq == before.seq:
                return None, seq
            changed = switches.since(connection, before.seq)
        return {**before.switches, **{each.model: each for each in changed}}, seq

    def _taken(self, found: Mapping[str, Switch], seq: int) -> Snapshot:
        policies = self._engine.plan.by_model
        models = sorted({*policies, *found} - {own.NAME})
        known = {model: found.get(model, Switch(model)) for model in models}
        flags = {
            model: flags_of(switch, policies[model].policy.card if model in policies else None)
            for model, switch in known.items()
        }
        digest = hashlib.sha256(repr((seq, list(flags.values()))).encode("utf-8", "backslashreplace")).hexdigest()
        return Snapshot(seq, digest, known, flags, self._engine.clock.now())
