"""A pull that is written while the engine is away: a signed document, which serving processes obey by themselves.

Its signature is HMAC-SHA256 over the RFC 8785 form of all its other fields, in hexadecimal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import rfc8785

from governance.core.decision import timestamp
from governance.core.switch import MODES, Mode, Scope

SHORTEST_KEY = 32
"""Characters; a shorter key could be guessed."""
_FIELDS = {"id", "model", "mode", "share", "scope", "reason", "set_by", "set_at", "fallback", "signature"}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MOST = 64 * 1024  # bytes; no reason is longer


@dataclass(frozen=True, slots=True)
class Override:
    """A pull by `set_by` at `set_at`, as the file of that `id` says it."""

    id: str
    model: str
    mode: Mode
    share: float
    scope: Scope
    reason: str
    set_by: str
    set_at: datetime
    fallback: str = ""


def written(override: Override, key: str) -> bytes:
    """Return the signed file of an override."""
    said = _said(override)
    return json.dumps({**said, "signature": _signature(said, key)}, indent=2, ensure_ascii=False).encode() + b"\n"


def read(content: bytes, key: str) -> Override:
    """Return the override that a file says.

    :raises ValueError: saying what is wrong with its form or its signature.
    """
    said = _parsed(content)
    signature = said.pop("signature")
    if not isinstance(signature, str) or not hmac.compare_digest(signature.encode(), _signature(said, key).encode()):
        raise ValueError("its signature is not of the key in GOV_OVERRIDE_KEY")
    return _override(said)


def _said(override: Override) -> dict[str, Any]:
    return {
        "id": override.id,
        "model": override.model,
        "mode": override.mode,
        "share": override.share,
        "scope": {"version": override.scope.version, "labels": dict(override.scope.labels)},
        "reason": override.reason,
        "set_by": override.set_by,
        "set_at": timestamp(override.set_at),
        "fallback": override.fallback,
    }


def _signature(said: Mapping[str, Any], key: str) -> str:
    return hmac.new(key.encode(), rfc8785.dumps(cast("Any", said)), hashlib.sha256).hexdigest()


def _parsed(content: bytes) -> dict[str, Any]:
    if len(content) > _MOST:
        raise ValueError("it is too long")
    try:
        said = json.loads(content, object_pairs_hook=_once)
        rfc8785.dumps(said)
    except (ValueError, RecursionError, rfc8785.CanonicalizationError):
        raise ValueError("it is no JSON") from None
    if not isinstance(said, dict) or set(said) != _FIELDS:
        raise ValueError(f"it has not exactly the fields {', '.join(sorted(_FIELDS))}")
    return said


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that says one thing twice: who signs and who obeys could read it differently."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name occurs twice")
    return dict(pairs)


def _override(said: Mapping[str, Any]) -> Override:
    names = ("id", "model", "mode", "reason", "set_by", "set_at", "fallback")
    share, scope = said["share"], said["scope"]
    sound = (
        all(isinstance(said[name], str) for name in names)
        and _ID.fullmatch(said["id"])
        and said["mode"] in MODES[1:]
        and isinstance(share, (int, float))
        and not isinstance(share, bool)
        and (0 < share < 1 if said["mode"] == "throttle" else share == 1)
        and _sound_scope(scope)
    )
    if not sound:
        raise ValueError("it is signed, but one of its fields cannot be")
    try:
        at = datetime.fromisoformat(said["set_at"])
        set_at = at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        set_at = None
    if set_at is None:
        raise ValueError("it is signed, but set_at is no time with a zone")
    return Override(
        **{name: said[name] for name in names if name != "set_at"},
        share=float(share),
        scope=Scope(scope["version"], tuple(sorted(scope["labels"].items()))),
        set_at=set_at,
    )


def _sound_scope(scope: object) -> bool:
    return (
        isinstance(scope, dict)
        and set(scope) == {"version", "labels"}
        and isinstance(scope["version"], str)
        and isinstance(scope["labels"], dict)
        and all(isinstance(value, str) for value in scope["labels"].values())
    )
