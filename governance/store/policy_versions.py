"""The versions of the policies: the texts of each, and when which one ruled."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, insert, inspect, select, update
from sqlmodel import Field, SQLModel

from governance.core.policy_version import PolicyVersion, VersionState, digest_of
from governance.errors import NotFound, Unavailable
from governance.store.dialects import insert as upsert
from governance.store.document_row import read, written


class PolicyDocumentsRow(SQLModel, table=True):
    """The documents of a version by name: JSON, compressed by zlib, found by their digest."""

    __tablename__ = "policy_documents"

    digest: str = Field(primary_key=True)
    documents: bytes


class PolicyVersionRow(SQLModel, table=True):
    """One adoption, or a version that waits to be adopted; the same version may be adopted again later."""

    __tablename__ = "policy_version"

    number: int = Field(primary_key=True)
    version: str = Field(index=True)
    digest: str = Field(index=True)
    state: str = Field(index=True)
    document: str


_DOCUMENTS = PolicyDocumentsRow.__table__  # type: ignore[attr-defined]
_VERSIONS = PolicyVersionRow.__table__  # type: ignore[attr-defined]
_C = _VERSIONS.c


def next_number(connection: Connection) -> int:
    """Return the number of the next version; only good within the transaction that takes it."""
    return newest(connection) + 1


def newest(connection: Connection) -> int:
    """Return the number of the newest version, adopted or not; 0 before the first."""
    return connection.execute(select(func.max(_C.number))).scalar() or 0


def add(connection: Connection, version: PolicyVersion, documents: Mapping[str, str]) -> None:
    """Write a new version, and its documents, in their order."""
    keep(connection, version.digest, documents)
    connection.execute(insert(_VERSIONS), [_row(version)])


def keep(connection: Connection, digest: str, documents: Mapping[str, str]) -> None:
    """Write the documents of a version, with the newest of what asks for waivers and silences."""
    packed = zlib.compress(json.dumps(dict(documents), ensure_ascii=False).encode(), 9)
    write = upsert(_DOCUMENTS).on_conflict_do_update(index_elements=["digest"], set_={"documents": packed})
    connection.execute(write, [{"digest": digest, "documents": packed}])


def save(connection: Connection, version: PolicyVersion) -> None:
    """Write what became of a version."""
    connection.execute(update(_VERSIONS).where(_C.number == version.number).values(**_row(version)))


def in_force(connection: Connection) -> PolicyVersion | None:
    """Return the version that was adopted last; None before the first."""
    if not _laid_out(connection):
        return None
    statement = select(_C.document).where(_C.state == "adopted").order_by(_C.number.desc()).limit(1)
    text = connection.execute(statement).scalar()
    return read(PolicyVersion, text) if text is not None else None


def ruling_at(connection: Connection, at: datetime) -> PolicyVersion:
    """Return the version that ruled at an instant.

    :raises NotFound: when none was adopted by then.
    """
    found = listed(connection, newest(connection), "adopted") if _laid_out(connection) else []
    ruled = next((each for each in found if each.at <= at), None)
    if ruled is None:
        first = f"; the first was adopted at {found[-1].at:%Y-%m-%d %H:%M}Z" if found else ""
        raise NotFound(f"no policies ruled at {at:%Y-%m-%d %H:%M}Z{first}")
    return ruled


def waiting(connection: Connection) -> PolicyVersion | None:
    """Return the version that waits for its approval; there is one at most."""
    statement = select(_C.document).where(_C.state == "waiting").order_by(_C.number.desc()).limit(1)
    text = connection.execute(statement).scalar()
    return read(PolicyVersion, text) if text is not None else None


def listed(connection: Connection, limit: int, state: VersionState | None = None) -> list[PolicyVersion]:
    """Return the versions, newest first."""
    if not _laid_out(connection):
        return []
    statement = select(_C.document).order_by(_C.number.desc()).limit(limit)
    if state is not None:
        statement = statement.where(_C.state == state)
    return [read(PolicyVersion, text) for text in connection.execute(statement).scalars()]


def named(connection: Connection, name: str) -> PolicyVersion:
    """Return the newest version of a name: its version, its digest, or the beginning of one of them.

    :raises NotFound: when there is none, or when several begin so.
    """
    begins = (_C.version.startswith(name, autoescape=True)) | (_C.digest.startswith(name, autoescape=True))
    statement = select(_C.document).where(begins).order_by(_C.number.desc())
    found = [read(PolicyVersion, text) for text in connection.execute(statement).scalars()]
    if not name or not found:
        raise NotFound(f"there is no version '{name}' of the policies; gov policies lists them")
    if len({each.digest for each in found}) > 1:
        exact = [each for each in found if name in (each.version, each.digest)]
        if len({each.digest for each in exact}) != 1:
            names = ", ".join(dict.fromkeys(each.digest[:12] for each in found))
            raise NotFound(f"several versions are called '{name}'; name one of their documents: {names}")
        found = exact
    return found[0]


def documents(connection: Connection, digest: str) -> dict[str, str]:
    """Return the documents of a version.

    :raises NotFound: when they are not stored.
    :raises Unavailable: when what is stored is not what was written.
    """
    packed = connection.execute(select(_DOCUMENTS.c.documents).where(_DOCUMENTS.c.digest == digest)).scalar()
    if packed is None:
        raise NotFound(f"the documents {digest[:12]} of the policies are not stored")
    try:
        found: dict[str, str] = json.loads(zlib.decompress(packed))
    except (zlib.error, ValueError) as error:
        raise Unavailable(f"the stored documents {digest[:12]} of the policies are damaged") from error
    if digest_of(found) != digest:
        raise Unavailable(f"the stored documents {digest[:12]} of the policies were changed since they were written")
    return found


def _laid_out(connection: Connection) -> bool:
    """Tell whether the database has this table: one that is only read may be of a program before it."""
    return inspect(connection).has_table(_VERSIONS.name)


def _row(version: PolicyVersion) -> dict[str, object]:
    return {
        "number": version.number,
        "version": version.version,
        "digest": version.digest,
        "state": version.state,
        "document": written(version),
    }
