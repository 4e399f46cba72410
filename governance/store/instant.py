"""The column type of every stored time."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Dialect, String
from sqlalchemy.types import TypeDecorator


def instant_text(at: datetime) -> str:
    """Return an aware datetime as text of fixed width in UTC, so that text order is time order.

    :raises ValueError: for a datetime without zone.
    """
    if at.utcoffset() is None:
        raise ValueError(f"a stored time needs a zone: {at!r}")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as text with microseconds, because SQLite has no time type and drops zones."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write the time as text."""
        return None if value is None else instant_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read the text back as an aware time."""
        return None if value is None else datetime.fromisoformat(value)
