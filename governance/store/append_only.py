"""Triggers that make the database itself refuse to change what was written.

A table asks for them with `info={"append_only": condition}`; a new row, called NEW, must meet the condition.
They stop mistakes and stray statements. Whoever owns the tables can drop them: that is what hashes and heads held
outside are for, and on PostgreSQL a role of its own for the tables (docs/postgresql.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, MetaData, Table, UniqueConstraint, text

from governance.store import append_only_postgresql as postgresql


def protect(connection: Connection, metadata: MetaData) -> None:
    """Install the triggers of every append-only table, and put back those that were dropped or altered."""
    if connection.dialect.name == "postgresql":
        postgresql.protect(connection, _guarded(metadata))
        return
    found = _found(connection)
    for table in _guarded(metadata):
        if table.name in found:
            for name, sql in _triggers(table):
                if found.get(name) != sql:
                    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
                    connection.exec_driver_sql(sql)


def missing(connection: Connection, metadata: MetaData) -> list[str]:
    """Return the triggers that are not in place or say something else."""
    if connection.dialect.name == "postgresql":
        return postgresql.missing(connection, _guarded(metadata))
    found = _found(connection)
    return [name for table in _guarded(metadata) for name, sql in _triggers(table) if found.get(name) != sql]


def changeable(connection: Connection, metadata: MetaData) -> list[str]:
    """Return the tables whose triggers this user may drop, or whose rows it may change; in a file that is no news."""
    if connection.dialect.name == "postgresql":
        return postgresql.changeable(connection, _guarded(metadata))
    return []


def _guarded(metadata: MetaData) -> list[Table]:
    return [table for table in metadata.sorted_tables if "append_only" in table.info]


def _found(connection: Connection) -> dict[str, str]:
    return {row.name: row.sql for row in connection.execute(text("SELECT name, sql FROM sqlite_master"))}


def _triggers(table: Table) -> Iterator[tuple[str, str]]:
    for verb in ("UPDATE", "DELETE"):
        yield _trigger(table, f"no_{verb.lower()}", f"BEFORE {verb}", "true", f"{table.name} is append-only")
    # INSERT OR REPLACE deletes the row in its way without firing DELETE triggers (recursive_triggers is off by
    # default), so a row that any unique key already holds must be refused before the conflict is resolved.
    refused = f"({table.info['append_only']}) IS NOT TRUE OR {' OR '.join(_taken(table))}"
    yield _trigger(table, "in_order", "BEFORE INSERT", refused, f"{table.name} takes only the next row")


def _trigger(table: Table, name: str, event: str, when: str, message: str) -> tuple[str, str]:
    name = f"{table.name}_{name}"
    return (
        name,
        f"CREATE TRIGGER {name} {event} ON {table.name} WHEN {when} BEGIN SELECT RAISE(ABORT, '{message}'); END",
    )


def _taken(table: Table) -> Iterator[str]:
    keys = [list(table.primary_key.columns)]
    keys += [list(constraint.columns) for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]
    keys += [list(index.columns) for index in table.indexes if index.unique]
    for key in keys:
        same = " AND ".join(f'"{column.name}" = NEW."{column.name}"' for column in key)
        yield f"EXISTS (SELECT 1 FROM {table.name} WHERE {same})"  # noqa: S608  (names of our own tables)
