"""The flags of a kill switch: what a serving process is told when it asks whether it may answer.

Of each model there are `<model>.serve` (a boolean: may its output answer this request), `<model>.mode` (a string) and
`<model>.switch` (an object from which a client decides by itself). Names and reasons are those of OpenFeature, source:
https://openfeature.dev/specification/types.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from governance.core.card import Card
from governance.core.switch import Scope, Setting, Switch, effective, falls_back

Kind = Literal["serve", "mode", "switch"]
KINDS: tuple[Kind, ...] = ("serve", "mode", "switch")
Reason = Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DEFAULT"]
TARGETING_KEY = "targetingKey"
VERSION = "version"


class UnfitContext(ValueError):
    """An evaluation context that cannot be read; the message says what to send instead."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a request says of itself: who it is about, which version answers it, and its labels."""

    key: str = ""
    version: str = ""
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Flags:
    """What is known of a model when its flags are asked for.

    `serving` is the version that a request is taken for that names none; `fallback` answers in the model's place.
    """

    switch: Switch
    serving: str = ""
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The value of one flag, and why it is that."""

    key: str
    value: Any
    variant: str
    reason: Reason
    metadata: Mapping[str, str | int | float | bool]

    def json(self) -> str:
        """Return it as OFREP writes it; a number that may have a fraction has a point."""
        return json.dumps(
            {
                "key": self.key,
                "value": self.value,
                "variant": self.variant,
                "reason": self.reason,
                "metadata": self.metadata,
            },
            separators=(",", ":"),
        )


def flags_of(switch: Switch, card: Card | None) -> Flags:
    """Return what is known of a model; one whose card is gone keeps its switch.

    While a card names a canary, a request that names no version may be of either: it is then taken for any of them.
    """
    versions = card.versions if card is not None else None
    if versions is None:
        return Flags(switch)
    certain = isinstance(versions.serving, str) and versions.canary is None
    return Flags(switch, str(versions.serving) if certain else "", versions.fallback or "")


def request_of(context: Mapping[str, Any]) -> Request:
    """Return what an evaluation context says.

    :raises UnfitContext: when the targeting key or the version is neither text nor a number.
    """
    labels = {name: text for name, value in context.items() if (text := _text(value)) is not None}
    for name in (TARGETING_KEY, VERSION):
        if context.get(name) is not None and (name not in labels or isinstance(context[name], bool)):
            raise UnfitContext(f"`{name}` of the context must be text")
    return Request(labels.pop(TARGETING_KEY, ""), labels.get(VERSION, ""), labels)


def evaluated(flags: Flags, kind: Kind, request: Request) -> Evaluated:
    """Return the value of a flag for a request."""
    switch = flags.switch
    setting = effective(switch, request.version or flags.serving, request.labels or {})
    away = falls_back(setting, request.key)
    mode: str = setting.mode if setting is not None else "live"
    if kind == "serve":
        value: Any = not away
        variant = "model" if not away else "fallback" if mode == "throttle" else mode
    else:
        value = mode if kind == "mode" else _object(flags, setting)
        variant = mode
    metadata: dict[str, str | int | float | bool] = {
        "seq": switch.seq,
        "mode": mode,
        "reason": setting.reason if setting is not None else "",
        "fallback": (setting.fallback if setting is not None else "") or flags.fallback,
    }
    return Evaluated(f"{switch.model}.{kind}", value, variant, _reason(switch, setting, kind, request), metadata)


def _reason(switch: Switch, setting: Setting | None, kind: Kind, request: Request) -> Reason:
    """DISABLED is never said: to OpenFeature it is a flag whose value is left to the caller, the opposite of a pull."""
    if kind == "serve" and setting is not None and setting.mode == "throttle":
        return "SPLIT" if request.key else "DEFAULT"
    general = all(each.scope == Scope() for each in switch.settings)
    return "STATIC" if general else "TARGETING_MATCH"


def _object(flags: Flags, setting: Setting | None) -> dict[str, Any]:
    """Return the whole switch, and at its top what holds for the request that asked."""
    switch = flags.switch
    return {
        "model": switch.model,
        "serving": flags.serving,
        **_said(setting, flags.fallback),
        "seq": switch.seq,
        "settings": [
            {
                "scope": {"version": each.scope.version, "labels": dict(each.scope.labels)},
                **_said(each, flags.fallback),
                "override": each.override,
            }
            for each in switch.settings
        ],
        "overrides": list(switch.overrides),
    }


def _said(setting: Setting | None, fallback: str) -> dict[str, Any]:
    if setting is None:
        return {"mode": "live", "share": 0.0, "salt": "", "fallback": fallback, "reason": "", "expires_at": None}
    return {
        "mode": setting.mode,
        "share": float(setting.share),
        "salt": setting.salt,
        "fallback": setting.fallback or fallback,
        "reason": setting.reason,
        "expires_at": setting.expires_at.isoformat() if setting.expires_at is not None else None,
        "seq": setting.seq,
    }


def _text(value: Any) -> str | None:
    """Return a value of a context as labels have it, None for what is no label."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (int, float)) else None
