"""API tokens: what is known of each, and the hash of its secret; never the secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, insert, select, update
from sqlmodel import Field, SQLModel

from governance.core.authority import Scope
from governance.errors import Conflict, NotFound
from governance.store.document_row import read, written


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a person or a service; `id` is the public beginning of its secret. No `models` are all of them."""

    id: str
    for_: str
    kind: Literal["person", "service"]
    scopes: tuple[Scope, ...]
    models: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str = ""


class TokenRow(SQLModel, table=True):
    """One token; rows stay when tokens end, so that the list tells what there was."""

    __tablename__ = "token"

    id: str = Field(primary_key=True)
    digest: bytes
    document: str


_TABLE = TokenRow.__table__  # type: ignore[attr-defined]


def add(connection: Connection, token: Token, digest: bytes) -> None:
    """Write a new token with the SHA-256 of its secret."""
    connection.execute(insert(_TABLE), [{"id": token.id, "digest": digest, "document": written(token)}])


def all_of(connection: Connection) -> dict[str, tuple[Token, bytes]]:
    """Return every token there ever was, with the hash of its secret, by id."""
    rows = connection.execute(select(_TABLE.c.id, _TABLE.c.digest, _TABLE.c.document).order_by(_TABLE.c.id))
    return {row.id: (read(Token, row.document), row.digest) for row in rows}


def get(connection: Connection, token_id: str) -> Token:
    """Return one token.

    :raises NotFound: when there is none of that id.
    """
    text = connection.execute(select(_TABLE.c.document).where(_TABLE.c.id == token_id)).scalar()
    if text is None:
        raise NotFound(f"there is no token {token_id}; see gov token list")
    return read(Token, text)


def save(connection: Connection, token: Token) -> None:
    """Write what became of a token.

    :raises Conflict: when it is gone.
    """
    statement = update(_TABLE).where(_TABLE.c.id == token.id).values(document=written(token))
    if connection.execute(statement).rowcount != 1:
        raise Conflict(f"the token {token.id} is gone")


def exist(connection: Connection) -> bool:
    """Tell whether there ever was a token."""
    return connection.execute(select(_TABLE.c.id).limit(1)).first() is not None
