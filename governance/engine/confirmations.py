"""Which serving processes have seen the latest change of a switch; in memory, as they tell it again all the time."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

SILENT_AFTER = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(minutes=10)
MOST = 20_000
"""Instances that are remembered; beyond it, who was not heard from for longest is forgotten."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A serving process and the last change that it knows of."""

    instance: str
    seq: int
    models: frozenset[str]
    at: datetime


@dataclass(frozen=True, slots=True)
class Confirmations:
    """Of the processes that serve a model: how many hold its switch, who holds an older state, who has gone silent.

    `last_read` is when anybody last asked for its flags, by name or among all, None when nobody has.
    """

    total: int
    confirmed: int
    late: tuple[str, ...]
    silent: tuple[str, ...]
    last_read: datetime | None


class Holders:
    """The serving processes heard from of late; any thread may tell and ask."""

    def __init__(self) -> None:
        """Know of nobody."""
        self._turn = threading.Lock()
        self._holders: dict[str, Holder] = {}
        self._reads: dict[str, datetime] = {}
        self._all_read: datetime | None = None

    def confirm(self, instance: str, seq: int, models: Collection[str], at: datetime) -> None:
        """Note that a process holds the state of `seq` for these models; that is a read of them, too."""
        with self._turn:
            self._holders.pop(instance, None)  # so that the one heard from last stands last
            self._holders[instance] = Holder(instance, seq, frozenset(models), at)
            while len(self._holders) > MOST or self._oldest().at < at - FORGOTTEN_AFTER:
                del self._holders[next(iter(self._holders))]
            for model in models:
                self._reads[model] = at

    def read(self, model: str, at: datetime) -> None:
        """Note that a flag of a model was asked for."""
        self._reads[model] = at

    def read_all(self, at: datetime) -> None:
        """Note that the flags of all models were asked for."""
        self._all_read = at

    def of(self, model: str, seq: int, newest: int, at: datetime) -> Confirmations:
        """Return who holds a switch that last changed at `seq`; nobody can know of more than `newest`."""
        with self._turn:
            known = [each for each in self._holders.values() if model in each.models and each.at > at - FORGOTTEN_AFTER]
        silent = sorted(each.instance for each in known if each.at <= at - SILENT_AFTER)
        heard = [each for each in known if each.at > at - SILENT_AFTER]
        late = sorted(each.instance for each in heard if not seq <= each.seq <= newest)
        reads = [each for each in (self._reads.get(model), self._all_read) if each is not None]
        last = max(reads, default=None)
        return Confirmations(len(known), len(heard) - len(late), tuple(late), tuple(silent), last)

    def _oldest(self) -> Holder:
        return next(iter(self._holders.values()))
