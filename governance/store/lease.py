"""Who leads the engine: one row, in the database's own time, whose epoch grows with each take-over.

A process whose lease was taken over may not know it: it was frozen, or cut off. So each of its transactions looks, when
it holds the write lock, whether the row still names its epoch (`Database.led_by`), and is refused otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, inspect, select, update
from sqlmodel import Field, SQLModel

from governance.errors import Fenced
from governance.store.dialects import seconds_now

if TYPE_CHECKING:
    from governance.store.database import Database

ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to do what `name` stands for, as `holder`, until somebody takes it over with a higher epoch."""

    name: str
    holder: str
    epoch: int

    @property
    def who(self) -> str:
        """The holder as people are told of it: without what makes its name unique."""
        return self.holder.partition("#")[0]


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds a lease or held it last, and for how many more seconds; none are left where it is free."""

    lease: Lease
    left: float


class LeaseRow(SQLModel, table=True):
    """One lease; `until` is in seconds since 1970 by the database's clock."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    epoch: int
    until: float


_TABLE = LeaseRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c


def take(database: Database, holder: str, ttl: timedelta, *, name: str = ENGINE, alone: bool = False) -> Lease | None:
    """Take the lease where it is free or its time is over, with the next epoch; None while another holds it.

    Who holds it already renews it, with the same epoch. `alone`: whoever held it is known to be gone.

    :raises Unavailable: when the database cannot be written.
    """
    with database.transaction() as connection:
        known = held(connection, name)
        if known is not None and known.left > 0 and known.lease.holder == holder:
            taken = known.lease
        elif known is not None and known.left > 0 and not alone:
            return None
        else:
            taken = Lease(name, holder, known.lease.epoch + 1 if known is not None else 1)
        values = {"holder": holder, "epoch": taken.epoch, "until": seconds_now() + ttl.total_seconds()}
        if known is None:
            connection.execute(insert(_TABLE).values(name=name, **values))
        else:
            connection.execute(update(_TABLE).where(_C.name == name).values(**values))
    return taken


def renew(database: Database, lease: Lease, ttl: timedelta) -> None:
    """Hold a lease for longer, counted from now.

    :raises Fenced: when somebody took it over.
    :raises Unavailable: when the database cannot be written.
    """
    with database.transaction() as connection:
        check(connection, lease)
        until = seconds_now() + ttl.total_seconds()
        connection.execute(update(_TABLE).where(_C.name == lease.name).values(until=until))


def release(database: Database, lease: Lease) -> None:
    """Let others take the lease at once; nothing happens where somebody did.

    :raises Unavailable: when the database cannot be written.
    """
    mine = (_C.name == lease.name, _C.holder == lease.holder, _C.epoch == lease.epoch)
    with database.transaction() as connection:
        connection.execute(update(_TABLE).where(*mine).values(until=0.0))


def held(connection: Connection, name: str = ENGINE) -> Held | None:
    """Return who holds a lease or held it last; None before it was first taken."""
    statement = select(_C.holder, _C.epoch, (_C.until - seconds_now()).label("left")).where(_C.name == name)
    row = connection.execute(statement).first()
    return None if row is None else Held(Lease(name, row.holder, row.epoch), max(row.left, 0.0))


def leader(database: Database) -> Held | None:
    """Return who leads the engine or led it last; None before the first, and in a database of an earlier program.

    :raises Unavailable: when the database cannot be read.
    """
    with database.read() as connection:
        return held(connection) if inspect(connection).has_table(_TABLE.name) else None


def check(connection: Connection, lease: Lease) -> None:
    """Refuse to go on under a lease that somebody took over; in a transaction that writes, nobody can do so meanwhile.

    :raises Fenced: naming who did.
    """
    row = connection.execute(select(_C.holder, _C.epoch).where(_C.name == lease.name)).first()
    if row is None or (row.holder, row.epoch) != (lease.holder, lease.epoch):
        who = "nobody" if row is None else Lease(lease.name, row.holder, row.epoch).who
        epoch = "" if row is None else f" (epoch {row.epoch}, ours was {lease.epoch})"
        raise Fenced(f"this process leads no more: {who} took over{epoch}; nothing was written that it was about to do")
