"""What was decided, by whom, about what; and the exact bytes that the decision log hashes."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import TypeAlias, cast

import rfc8785

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_EXACT = 2**53 - 1  # a larger integer is not exact in JSON's numbers (RFC 8785 section 3.2.2.3)


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of the engine or of a person.

    `kind` is a dotted path that ends in a verb (alert.firing, incident.acknowledged); `subject` names what it is
    about; `body` holds the details. An empty `id` becomes a digest of the rest: the same decision, the same id.

    :raises ValueError: for a time without zone or a malformed kind.
    :raises TypeError: for a subject that is not text; without `id` also for what JSON cannot hold, naming its path.
    """

    at: datetime
    kind: str
    actor: str
    subject: Mapping[str, str]
    body: Mapping[str, object]
    id: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be logged, while the mistake is still near its author."""
        if not _KIND.fullmatch(self.kind):
            raise ValueError(f"a kind is a dotted path such as incident.opened, not {self.kind!r}")
        for name, value in self.subject.items():
            if not isinstance(value, str):  # else columns and filters would hold another value than the content
                raise TypeError(f"subject.{name} is a {type(value).__name__}, not text")
        object.__setattr__(self, "at", _utc(self.at, "at"))
        if not self.id:
            object.__setattr__(self, "id", hashlib.sha256(_spliced(packed(self))).hexdigest()[:32])


@dataclass(frozen=True, slots=True)
class Packed:
    """A decision whose `subject` and `body` are canonical JSON texts (RFC 8785); its time is RFC 3339 text."""

    at: str
    kind: str
    actor: str
    subject: str
    body: str
    id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A sealed decision: its place in the log, counted from 0, and the exact bytes that were hashed."""

    seq: int
    decision: Decision
    content: bytes


def packed(decision: Decision) -> Packed:
    """Return the decision with every part in its canonical text.

    :raises TypeError: for a value that JSON cannot hold, naming its path.
    """
    return Packed(
        at=timestamp(decision.at),
        kind=decision.kind,
        actor=_text(decision.actor),
        subject=_canonical(decision.subject, "subject"),
        body=_canonical(decision.body, "body"),
        id=_text(decision.id),
    )


def canonical(decision: Decision, seq: int) -> bytes:
    """Return the entry of a decision as RFC 8785 JSON: what the log hashes and stores.

    Times become RFC 3339 in UTC, durations seconds, NaN and infinities strings, integers beyond 2^53 strings.

    :raises TypeError: for a value that JSON cannot hold, naming its path.
    """
    return sealed(packed(decision), seq)


def sealed(parts: Packed, seq: int) -> bytes:
    """Return the bytes of `canonical` from parts that were made canonical before."""
    return _spliced(parts, f'"seq":{seq},')


def parse(content: bytes) -> Entry:
    """Return the entry that these bytes say.

    :raises ValueError: when they are not the entry of a decision.
    """
    try:
        said = json.loads(content, parse_int=_integer)
        decision = Decision(
            at=datetime.fromisoformat(said["at"]),
            kind=said["kind"],
            actor=said["actor"],
            subject=said["subject"],
            body=said["body"],
            id=said["id"],
        )
        return Entry(int(said["seq"]), decision, content)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"not the entry of a decision: {error!r}") from error


def timestamp(at: datetime) -> str:
    """Return an aware datetime as RFC 3339 in UTC, with microseconds only when there are some.

    :raises ValueError: for a datetime without zone.
    """
    return _utc(at, "at").replace(tzinfo=None).isoformat() + "Z"


def _spliced(parts: Packed, seq: str = "") -> bytes:
    # Splicing canonical parts in the sorted order of their keys is canonical again, and spares the sealer from
    # serialising each body a second time inside its transaction.
    return (
        f'{{"actor":{_canonical(parts.actor)},"at":{_canonical(parts.at)},"body":{parts.body},'
        f'"id":{_canonical(parts.id)},"kind":{_canonical(parts.kind)},{seq}"subject":{parts.subject}}}'
    ).encode()


def _canonical(value: object, path: str = "") -> str:
    return rfc8785.dumps(cast("str", _plain(value, path))).decode()


def _plain(value: object, path: str) -> JSON:
    if isinstance(value, Enum):
        return _plain(value.value, path)
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}[{position}]") for position, item in enumerate(value)]
    return _scalar(value, path)


def _scalar(value: object, path: str) -> JSON:
    match value:
        case None | bool():
            return value
        case str():
            return _text(value)
        case int():
            return int(value) if abs(value) <= _EXACT else str(int(value))
        case float():
            return _number(value)
        case datetime():
            return _utc(value, path).replace(tzinfo=None).isoformat() + "Z"
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
    raise TypeError(f"{path} is a {type(value).__name__}, which the decision log cannot hold")


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _integer(text: str) -> int | float:
    # RFC 8785 writes doubles up to 1e21 without exponent; the padding zeros are not digits of an integer.
    return int(text) if len(text) < 17 else float(text)


def _key(key: object, path: str) -> str:
    if isinstance(key, Enum):
        key = key.value
    if not isinstance(key, str):
        raise TypeError(f"{path} has the key {key!r}; the decision log holds text keys only")
    return _text(key)


def _text(value: str) -> str:
    # A lone surrogate (half of an emoji that a client cut) is no Unicode; a decision is never lost to one.
    return value.encode("utf-8", "backslashreplace").decode()


def _utc(at: datetime, path: str) -> datetime:
    if at.utcoffset() is None:
        raise ValueError(f"{path} has no time zone: {at!r}")
    return at.astimezone(UTC)
