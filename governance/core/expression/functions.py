"""The functions of CEL over plain Python values, and ours: seconds() and a duration() that knows Prometheus's units.

Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#functions
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from governance.core.duration import parse_duration
from governance.core.expression.meter import PATTERN, Meter
from governance.core.expression.operators import in_range
from governance.core.expression.values import OperationError, Type, Uint, a_kind, kind, quoted, short

_UNITS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1, "µs": 1, "ns": 0.001}
_DURATION = re.compile(r"([-+]?)((?:(?:[0-9]{1,15}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(?:h|ms|m|us|µs|ns|s))+|0)")
_TERM = re.compile(r"([0-9]*\.?[0-9]*)(h|ms|m|us|µs|ns|s)")
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(Z|z|[-+][0-9]{2}:[0-9]{2})"
)
_LONGEST_NUMBER = 400  # characters; so many digits has the largest double, written out
_LONGEST_DURATION = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRUTHS = {
    **dict.fromkeys(("true", "TRUE", "True", "t", "1"), True),
    **dict.fromkeys(("false", "FALSE", "False", "f", "0"), False),
}
_TYPE_NAMES = {
    "null": "null_type",
    "optional": "optional_type",
    "timestamp": "google.protobuf.Timestamp",
    "duration": "google.protobuf.Duration",
}


def _refused(function: str, value: object) -> OperationError:
    return OperationError(f"{function}() does not take {a_kind(kind(value))}")


def duration(value: object) -> timedelta:
    """Return the duration that a text such as 30d, 1h30m, 1.5h or -10s stands for.

    :raises OperationError: the text is no duration
    """
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        raise _refused("duration", value)
    try:
        return parse_duration(value)
    except ValueError as error:
        return _cel_duration(value, str(error))


def _cel_duration(text: str, hint: str) -> timedelta:
    found = _DURATION.fullmatch(text) if len(text) <= _LONGEST_DURATION else None
    if found is None:
        raise OperationError(hint)
    total = sum(float(count) * _UNITS[unit] for count, unit in _TERM.findall(found[2]))
    if total > 315_576_000_000 * 1_000_000:
        raise OperationError("the duration is longer than 10,000 years")
    return timedelta(microseconds=-total if found[1] == "-" else total)


def seconds(value: object) -> float:
    """Return the length of a duration, given as text or value, in seconds."""
    return duration(value).total_seconds()


def timestamp(value: object) -> datetime:
    """Return the instant that an RFC 3339 text or a count of seconds since 1970 stands for."""
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, int) and kind(value) == "int":
            return _EPOCH + timedelta(seconds=value)
        if isinstance(value, str):
            return _instant(value)
    except (ValueError, OverflowError):
        raise OperationError(f"{quoted(value)} is no instant between the years 1 and 9999") from None
    raise _refused("timestamp", value)


def _instant(text: str) -> datetime:
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise ValueError(text)
    date, time, fraction, zone = found.groups()
    moment = datetime.fromisoformat(f"{date}T{time}{'+00:00' if zone in 'Zz' else zone}")
    micros = int((fraction or ".0")[1:7].ljust(6, "0"))  # Python keeps microseconds
    return moment.replace(microsecond=micros).astimezone(UTC)


def _double(value: Any) -> float:
    if kind(value) in ("int", "uint", "double"):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value if len(value) <= _LONGEST_NUMBER and not set(value) & set("_ ") else "refused")
        except ValueError:
            raise OperationError(f"{quoted(value)} is no number") from None
    raise _refused("double", value)


def _integer(name: str) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        if kind(value) in ("int", "uint"):
            return in_range(int(value), name)
        if kind(value) == "double":
            limit = 2.0**64 if name == "uint" else 2.0**63
            if not math.isfinite(value) or not (-limit < value < limit):
                raise OperationError(f"{value!r} does not fit into a 64-bit integer")
            return in_range(math.trunc(value), name)
        if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{1,20}", value):
            return in_range(int(value), name)
        if isinstance(value, str):
            raise OperationError(f"{quoted(value)} is no whole number")
        if kind(value) == "timestamp" and name == "int":
            return (value - _EPOCH) // timedelta(seconds=1)  # type: ignore[no-any-return]
        raise _refused(name, value)

    return convert


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value not in _TRUTHS:
            raise OperationError(f"{quoted(value)} is neither true nor false")
        return _TRUTHS[value]
    raise _refused("bool", value)


def string(value: Any) -> str:
    """Return the text of a value, as string() gives it."""
    name = kind(value)
    if name == "bool":
        return "true" if value else "false"
    if name == "bytes":
        try:
            return str(value, "utf-8")
        except UnicodeDecodeError:
            raise OperationError("these bytes are no text in UTF-8") from None
    if name == "double":
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if name == "timestamp":
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")  # type: ignore[no-any-return]
    if name == "duration":
        return f"{value.total_seconds():.6f}".rstrip("0").rstrip(".") + "s"
    if name in ("int", "uint", "string"):
        return str(value)
    raise _refused("string", value)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    raise _refused("bytes", value)


def _size(value: Any) -> int:
    if kind(value) in ("string", "bytes", "list", "map"):
        return len(value)
    raise _refused("size", value)


def _text(name: str, test: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def apply(text: Any, part: Any) -> bool:
        for each in (text, part):
            if not isinstance(each, str):
                raise _refused(name, each)
        return test(text, part)

    return apply


@cache
def _options() -> Any:
    import re2  # when first needed, as below

    options = re2.Options()
    options.log_errors = False  # a bad pattern is our problem to report, not the terminal's
    return options


def pattern(text: str) -> Any:
    """Return the compiled regular expression, which RE2 matches in linear time.

    :raises OperationError: it is no regular expression
    """
    import re2  # not with the module: it is slow to import, and few expressions hold a pattern

    try:
        return re2.compile(text, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise OperationError(f"'{short(text)}' is no regular expression: {short(reason)}") from None


def _type(value: object) -> Type:
    return Type(_TYPE_NAMES.get(kind(value), kind(value)))


FUNCTIONS: dict[str, Callable[..., object]] = {
    "bool": _boolean,
    "bytes": _bytes,
    "double": _double,
    "duration": duration,
    "dyn": lambda value: value,
    "endsWith": _text("endsWith", str.endswith),
    "int": _integer("int"),
    "seconds": seconds,
    "size": _size,
    "startsWith": _text("startsWith", str.startswith),
    "string": string,
    "timestamp": timestamp,
    "type": _type,
    "uint": lambda value: Uint(_integer("uint")(value)),
}


def _matches(meter: Meter, text: Any, regular: Any) -> bool:
    for each in (text, regular):
        if not isinstance(each, str):
            raise _refused("matches", each)
    meter.read(text)
    compiled = meter.patterns.get(regular)
    if compiled is None:
        meter.build(len(regular))
        meter.take(PATTERN)
        compiled = meter.patterns[regular] = pattern(regular)
    return compiled.search(text) is not None


METERED_FUNCTIONS: dict[str, Callable[..., object]] = {"matches": _matches}

_PLAIN = ("bool", "bytes", "double", "int", "list", "map", "null_type", "optional_type", "string", "type", "uint")
TYPES: dict[str, object] = {name: Type(name) for name in _PLAIN} | {
    "google": {"protobuf": {each: Type(f"google.protobuf.{each}") for each in ("Timestamp", "Duration")}}
}
"""Names that stand for types, where no variable hides them."""
