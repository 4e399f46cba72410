"""What Slack shows of each run: which message below which incident's, and in which state."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select
from sqlmodel import Field, SQLModel


@dataclass(frozen=True, slots=True)
class Card:
    """The card of one run at one notifier: the message `ts` in the thread of the incident's message `thread`.

    `attempt` is the key of a post of which it is not known whether Slack took it.
    """

    notifier: str
    run: str
    thread: str
    ts: str = ""
    digest: str = ""
    attempt: str = ""


class SlackCardRow(SQLModel, table=True):
    """One card."""

    __tablename__ = "slack_card"

    notifier: str = Field(primary_key=True)
    run: str = Field(primary_key=True)
    thread: str
    ts: str
    digest: str
    attempt: str


_TABLE = SlackCardRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c


def get(connection: Connection, notifier: str, run: str) -> Card | None:
    """Return the card of a run, None before it was to be posted."""
    row = connection.execute(select(_TABLE).where(_C.notifier == notifier, _C.run == run)).mappings().first()
    return Card(**row) if row is not None else None


def save(connection: Connection, card: Card) -> None:
    """Write what Slack shows of a run now."""
    connection.execute(delete(_TABLE).where(_C.notifier == card.notifier, _C.run == card.run))
    connection.execute(insert(_TABLE), [{name: getattr(card, name) for name in Card.__slots__}])
