"""The ground that every YAML document stands on: frozen, closed, with the few value forms that authors write."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, Strict, WithJsonSchema

from governance.core.duration import format_duration, parse_duration

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


class Document(BaseModel):
    """A part of a YAML document; unknown fields are refused, values never change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be a duration such as 30m or 7d, not {value!r}")  # noqa: TRY004 (for pydantic)
    return parse_duration(value)


def _share(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"must be a share such as 99% or 0.99, not {value!r}")  # noqa: TRY004 (for pydantic)
    if isinstance(value, str):
        digits = value.removesuffix("%")
        try:
            value = float(digits) / (100 if digits != value else 1)
        except ValueError:
            raise ValueError(f"must be a share such as 99% or 0.99, not {value!r}") from None
    if not 0 <= value <= 1:
        raise ValueError(f"a share lies between 0% and 100%, not {value:g}")
    return float(value)


def _scalar(value: Any) -> Any:
    """Turn a parameter written as a duration into one; everything else stays as it is.

    No limit is infinite: nothing would be beyond it, and a rule that is to be silent is waived.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError:
            return value
    return value


def _instant(value: Any) -> Any:
    """Read a day, which is its first instant in UTC, or an instant with a zone."""
    if not isinstance(value, str):
        raise ValueError(f"must be a day such as 2026-01-31, not {value!r}")  # noqa: TRY004 (for pydantic)
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"must be a day such as 2026-01-31 or 2026-01-31T12:00Z, not {value!r}") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+(ms|s|m|h|d|w|y))+$", "examples": ["30m", "1h30m", "7d"]}),
]
Share = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^\d+(\.\d+)?%?$", "examples": ["99.9%"]},
            ]
        }
    ),
]
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(lambda at: f"{at:%Y-%m-%dT%H:%MZ}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}", "examples": ["2026-01-31"]}),
]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Count = Annotated[int, Strict(), Field(ge=0, le=1_000_000_000)]
Flag = Annotated[bool, Strict()]
ParameterValue = Annotated[timedelta | float | bool | str, BeforeValidator(_scalar)]
