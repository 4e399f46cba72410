"""SQL that SQLite and PostgreSQL spell differently, so that each statement is written once.

`insert` is PostgreSQL's: both compile its `on_conflict_…` to the same text.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Boolean, Float, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateColumn
from sqlalchemy.sql.compiler import DDLCompiler, SQLCompiler, TypeCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

__all__ = ["as_stored", "holds", "insert", "seconds_now"]


class holds(FunctionElement[bool]):  # noqa: N801  (functions of SQL are written small)
    """Whether a text or bytes hold others."""

    type = Boolean()
    inherit_cache = True


class as_stored(FunctionElement[Any]):  # noqa: N801
    """The bytes of a value, also of one whose type its column should not hold: no driver fails at them."""

    type = NullType()
    inherit_cache = True


class seconds_now(FunctionElement[float]):  # noqa: N801
    """The database's own time, in seconds since 1970, UTC; it goes on within a transaction."""

    type = Float()
    inherit_cache = True


@compiles(holds, "sqlite")
def _holds(element: holds, compiler: SQLCompiler, **options: Any) -> str:
    whole, part = element.clauses
    return f"instr({compiler.process(whole, **options)}, {compiler.process(part, **options)}) > 0"


@compiles(holds, "postgresql")
def _holds_postgresql(element: holds, compiler: SQLCompiler, **options: Any) -> str:
    whole, part = element.clauses
    return f"position({compiler.process(part, **options)} in {compiler.process(whole, **options)}) > 0"


@compiles(as_stored, "sqlite")
def _as_stored(element: as_stored, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} AS BLOB)"


@compiles(as_stored, "postgresql")
def _as_stored_postgresql(element: as_stored, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = element.clauses
    said = compiler.process(column, **options)
    return said if isinstance(column.type, LargeBinary) else f"convert_to({said}, 'UTF8')"


@compiles(seconds_now, "sqlite")
def _seconds_now(element: seconds_now, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ARG001
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(seconds_now, "postgresql")
def _seconds_now_postgresql(element: seconds_now, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ARG001
    return "CAST(extract(epoch from clock_timestamp()) AS DOUBLE PRECISION)"


@compiles(Integer, "postgresql")
def _integer_postgresql(element: Integer, compiler: TypeCompiler, **options: Any) -> str:  # noqa: ARG001
    """Let numbers be as large as in SQLite: a number that a person made up is not found, and no error."""
    return "BIGINT"


@compiles(CreateColumn, "postgresql")
def _column_postgresql(element: CreateColumn, compiler: DDLCompiler, **options: Any) -> str:
    """Let texts be ordered by their bytes, as in SQLite, whatever the database's locale is."""
    text: str = compiler.visit_create_column(element, **options)  # type: ignore[no-untyped-call]
    text = re.sub(r" SERIAL\b", " BIGSERIAL", text, count=1)
    return re.sub(r" VARCHAR(\(\d+\))?", lambda found: f'{found[0]} COLLATE "C"', text, count=1)
