"""What Slack shows of each incident: which message, in which state, and how far its thread tells."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import Field, SQLModel

from governance.store.instant import Instant


@dataclass(frozen=True, slots=True)
class Posted:
    """The message of one incident at one notifier.

    `wanted` is the newest entry of the log that concerns it, `done` how far what Slack shows goes, `told` how far the
    thread does; `urgent` when what is wanted must not wait. `channel` and `ts` are how Slack names the message, ""
    before it is posted. `attempt` is the key of a post of which it is not known whether Slack took it. `chart` is how
    many pictures were uploaded, one each time that it opened. `room` is the incident's own channel, `room_state` how
    far it is: "", created, invited, marked, archived.
    """

    notifier: str
    incident: int
    place: str
    channel: str = ""
    ts: str = ""
    version: int = 0
    digest: str = ""
    wanted: int = -1
    done: int = -2
    told: int = -1
    urgent: bool = True
    edited_at: datetime | None = None
    attempt: str = ""
    chart: int = 0
    room: str = ""
    room_state: str = ""

    @property
    def behind(self) -> bool:
        """True while Slack does not show all that is known."""
        return self.done < self.wanted


class SlackMessageRow(SQLModel, table=True):
    """One message."""

    __tablename__ = "slack_message"

    notifier: str = Field(primary_key=True)
    incident: int = Field(primary_key=True)
    place: str
    channel: str
    ts: str = Field(index=True)
    version: int
    digest: str
    wanted: int
    done: int
    told: int
    urgent: bool
    edited_at: datetime | None = Field(default=None, sa_type=Instant)
    attempt: str
    chart: int
    room: str
    room_state: str


class SlackOutboxRow(SQLModel, table=True):
    """One notifier: how far the log was read, what is wrong ("" nothing), and since when."""

    __tablename__ = "slack_outbox"

    notifier: str = Field(primary_key=True)
    seq: int
    trouble: str = ""
    since: datetime | None = Field(default=None, sa_type=Instant)


_TABLE = SlackMessageRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c
_OUTBOX = SlackOutboxRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Outbox:
    """How a notifier stands: the last entry of the log that it looked at, and its trouble in words."""

    seq: int
    trouble: str = ""
    since: datetime | None = None


def get(connection: Connection, notifier: str, incident: int) -> Posted | None:
    """Return the message of an incident, None before anything was to be told there."""
    statement = select(_TABLE).where(_C.notifier == notifier, _C.incident == incident)
    row = connection.execute(statement).mappings().first()
    return Posted(**row) if row is not None else None


def of_message(connection: Connection, channel: str, ts: str) -> Posted | None:
    """Return whose message that is, None when it is none of ours."""
    row = connection.execute(select(_TABLE).where(_C.channel == channel, _C.ts == ts)).mappings().first()
    return Posted(**row) if row is not None else None


def behind(connection: Connection, notifier: str, also: Collection[int] = (), *, limit: int = 1000) -> list[Posted]:
    """Return messages that do not show all that is known, and those of `also`: the urgent first, then the oldest."""
    waits = (_C.done < _C.wanted) | (_C.attempt != "") | _C.incident.in_(list(also)[:limit])
    statement = select(_TABLE).where(_C.notifier == notifier, waits)
    ordered = statement.order_by(_C.urgent.desc(), _C.wanted, _C.incident).limit(limit)
    return [Posted(**row) for row in connection.execute(ordered).mappings()]


def begin(connection: Connection, messages: Sequence[Posted]) -> None:
    """Write messages that are to be posted."""
    if messages:
        connection.execute(insert(_TABLE), [_row(each) for each in messages])


def save(connection: Connection, posted: Posted) -> None:
    """Write what Slack shows now; what became wanted meanwhile stays so."""
    row = _row(posted)
    for name in ("wanted", "urgent"):
        del row[name]
    connection.execute(
        update(_TABLE).where(_C.notifier == posted.notifier, _C.incident == posted.incident).values(**row)
    )


def calm(connection: Connection, posted: Posted) -> None:
    """Take the urgency from a message that shows all that was wanted when it was read."""
    mine = (_C.notifier == posted.notifier, _C.incident == posted.incident, _C.wanted == posted.wanted)
    connection.execute(update(_TABLE).where(*mine).values(urgent=False))


def want(connection: Connection, notifier: str, incidents: Collection[int], seq: int, *, urgent: bool) -> None:
    """Note that an entry concerns these incidents; those that are not told there are left out."""
    values: dict[str, object] = {"wanted": seq, **({"urgent": True} if urgent else {})}
    mine = (_C.notifier == notifier, _C.incident.in_(list(incidents)))
    connection.execute(update(_TABLE).where(*mine, _C.wanted < seq).values(**values))


def known(connection: Connection, notifier: str, incidents: Collection[int]) -> set[int]:
    """Return which of these incidents are told there."""
    statement = select(_C.incident).where(_C.notifier == notifier, _C.incident.in_(list(incidents)))
    return set(connection.execute(statement).scalars())


def outbox(connection: Connection, notifier: str) -> Outbox | None:
    """Return how a notifier stands, None before its first look."""
    row = connection.execute(select(_OUTBOX).where(_OUTBOX.c.notifier == notifier)).mappings().first()
    if row is None:
        return None
    return Outbox(row["seq"], row["trouble"], row["since"])


def set_outbox(connection: Connection, notifier: str, state: Outbox) -> None:
    """Write how a notifier stands."""
    connection.execute(delete(_OUTBOX).where(_OUTBOX.c.notifier == notifier))
    row = {"notifier": notifier, "seq": state.seq, "trouble": state.trouble, "since": state.since}
    connection.execute(insert(_OUTBOX), [row])


def _row(posted: Posted) -> dict[str, object]:
    return {name: getattr(posted, name) for name in Posted.__slots__}
