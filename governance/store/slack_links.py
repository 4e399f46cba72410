"""Whose Slack accounts are whose, and the codes by which people say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select
from sqlmodel import Field, SQLModel

from governance.errors import NotFound
from governance.store.document_row import read, written


@dataclass(frozen=True, slots=True)
class Link:
    """A Slack account that is a person of the organisation's, linked by themselves."""

    user: str
    person: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was shown to a Slack account; `click` is what it wanted to do, carried out once it is linked."""

    user: str
    name: str
    until: datetime
    click: str = ""


class SlackLinkRow(SQLModel, table=True):
    """One link; an account has one person, a person any number of accounts."""

    __tablename__ = "slack_link"

    user: str = Field(primary_key=True)
    document: str


class SlackCodeRow(SQLModel, table=True):
    """One code that was not used yet, by the SHA-256 of it; an account has one at a time."""

    __tablename__ = "slack_link_code"

    digest: bytes = Field(primary_key=True)
    user: str = Field(unique=True)
    document: str


_LINKS = SlackLinkRow.__table__  # type: ignore[attr-defined]
_CODES = SlackCodeRow.__table__  # type: ignore[attr-defined]


def of(connection: Connection, user: str) -> Link | None:
    """Return the link of a Slack account, None when there is none."""
    text = connection.execute(select(_LINKS.c.document).where(_LINKS.c.user == user)).scalar()
    return None if text is None else read(Link, text)


def all_of(connection: Connection) -> list[Link]:
    """Return every link, by account."""
    return [
        read(Link, each) for each in connection.execute(select(_LINKS.c.document).order_by(_LINKS.c.user)).scalars()
    ]


def save(connection: Connection, link: Link) -> None:
    """Write a link in the place of the account's earlier one."""
    connection.execute(delete(_LINKS).where(_LINKS.c.user == link.user))
    connection.execute(insert(_LINKS), [{"user": link.user, "document": written(link)}])


def remove(connection: Connection, user: str) -> None:
    """Delete the link of an account."""
    connection.execute(delete(_LINKS).where(_LINKS.c.user == user))


def offer(connection: Connection, digest: bytes, code: Code) -> None:
    """Write a code in the place of the account's earlier one."""
    connection.execute(delete(_CODES).where(_CODES.c.user == code.user))
    connection.execute(insert(_CODES), [{"digest": digest, "user": code.user, "document": written(code)}])


def offered(connection: Connection, digest: bytes) -> Code:
    """Return what a code stands for.

    :raises NotFound: when it stands for nothing.
    """
    text = connection.execute(select(_CODES.c.document).where(_CODES.c.digest == digest)).scalar()
    if text is None:
        raise NotFound("this code is not known: it was used, or another took its place; ask for a new one in Slack")
    return read(Code, text)


def use(connection: Connection, digest: bytes) -> None:
    """Delete a code."""
    connection.execute(delete(_CODES).where(_CODES.c.digest == digest))
