"""The kill switch of a model: which requests its output may answer, and what a change of that means.

Modes, the most restrictive last: `live`; `throttle`, where a share of the requests gets the fallback; `shadow`, where
the fallback answers and the model's output is only logged; `fallback`, where the fallback answers; `stopped`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from governance.core.metric import Labels

Mode = Literal["live", "throttle", "shadow", "fallback", "stopped"]
MODES: tuple[Mode, ...] = ("live", "throttle", "shadow", "fallback", "stopped")
Origin = Literal["person", "rule", "offline"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which requests a setting is for: all of a model's, those of one version, or those with these labels."""

    version: str = ""
    labels: Labels = ()

    def covers(self, version: str, labels: Mapping[str, str]) -> bool:
        """Tell whether a request falls into this scope; what it does not say of itself, it may be."""
        if self.version and version and version != self.version:
            return False
        return all(labels.get(name, value) == value for name, value in self.labels)

    def __str__(self) -> str:
        """Return the scope in words: "model" when it is all of it."""
        said = [f"version {self.version}"] if self.version else []
        return ", ".join([*said, *(f"{name}={value}" for name, value in self.labels)]) or "model"


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for one scope until it is changed or expires; a scope that is live has none.

    `share` of the requests gets the fallback: 1 but for a throttle, which chooses them by `salt`. `lasting` is how long
    it was set for, and by how much it is extended when the rules in `guards` are not healthy at its end.
    `override` is the id of the file by which it was pulled while the engine was away. `batch` is that of the act which
    pulled other models too.
    """

    scope: Scope
    mode: Mode
    share: float
    reason: str
    set_by: str
    set_at: datetime
    seq: int = 0
    salt: str = ""
    fallback: str = ""
    incident: int | None = None
    approved_by: str = ""
    expires_at: datetime | None = None
    lasting: timedelta | None = None
    extended: int = 0
    guards: tuple[str, ...] = ()
    origin: Origin = "person"
    override: str = ""
    batch: str = ""

    @property
    def rank(self) -> tuple[int, float]:
        """How restrictive it is; a higher rank wins."""
        return MODES.index(self.mode), self.share


@dataclass(frozen=True, slots=True)
class Switch:
    """The settings of one model; none when it is live.

    `seq` is the number of its last change, counted over the switches of all models, so that one number tells how much
    a client has seen. It is the fencing token: whoever decided on an older one decided on something else. `overrides`
    are the files of offline pulls that the engine has entered, the newest last: wherever one still lies, it is over.
    """

    model: str
    seq: int = 0
    settings: tuple[Setting, ...] = ()
    changed_at: datetime | None = None
    overrides: tuple[str, ...] = ()

    def at(self, scope: Scope) -> Setting | None:
        """Return what is set for exactly this scope."""
        return next((each for each in self.settings if each.scope == scope), None)

    @property
    def worst(self) -> Setting | None:
        """The most restrictive setting of any scope; None when all is live."""
        return max(self.settings, key=lambda each: each.rank, default=None)


MOST_OVERRIDES = 20
"""Files of offline pulls that a switch remembers; each stands in every answer about it."""


def effective(switch: Switch, version: str, labels: Mapping[str, str]) -> Setting | None:
    """Return what holds for a request: the most restrictive setting that covers it, None when the model answers."""
    covering = (each for each in switch.settings if each.scope.covers(version, labels))
    return max(covering, key=lambda each: each.rank, default=None)


def loosens(before: Setting | None, after: Setting | None) -> bool:
    """Tell whether a change of one scope lets the model answer more, or sooner again."""
    if before is None:
        return False
    if after is None or after.rank < before.rank:
        return True
    sooner = after.expires_at is not None and (before.expires_at is None or after.expires_at < before.expires_at)
    return sooner and after.rank == before.rank


def ending_no_sooner(before: Setting | None, wanted: Setting) -> Setting:
    """Return the wanted setting with the later end of both: a stop for an hour must not end a throttle without end."""
    if before is None or wanted.expires_at is None:
        return wanted
    if before.expires_at is None or before.expires_at > wanted.expires_at:
        return replace(wanted, expires_at=before.expires_at, lasting=before.lasting)
    return wanted


def tightened(before: Setting | None, wanted: Setting) -> Setting | None:
    """Return what holds for a scope once it restricts as much as is wanted; None where it does, and for as long."""
    if before is None:
        return wanted
    after = ending_no_sooner(before, wanted)
    if after.rank == before.rank:
        return after if after.expires_at != before.expires_at else None
    return after if after.rank > before.rank else None


def changed(switch: Switch, scope: Scope, after: Setting | None, *, seq: int, at: datetime) -> Switch:
    """Return the switch with one scope set anew (None: live); other scopes stay as they are.

    A throttle keeps its salt, so that a lower share adds nobody who had the model before; an offline pull has its own.
    """
    others = tuple(each for each in switch.settings if each.scope != scope)
    if after is None:
        return replace(switch, seq=seq, settings=others, changed_at=at)
    before = switch.at(scope)
    salt = before.salt if before is not None and before.salt else after.salt or f"{switch.model}/{seq}"
    setting = replace(after, seq=seq, salt=salt)
    return replace(entered(switch, after.override), seq=seq, settings=(*others, setting), changed_at=at)


def entered(switch: Switch, override: str) -> Switch:
    """Return the switch as it remembers the file of an offline pull; "" is none."""
    if not override or override in switch.overrides:
        return switch
    return replace(switch, overrides=(*switch.overrides, override)[-MOST_OVERRIDES:])


def falls_back(setting: Setting | None, key: str) -> bool:
    """Tell whether the request of a targeting key gets the fallback; without a key a throttled request does."""
    if setting is None:
        return False
    if setting.mode != "throttle":
        return True
    return not key or bucket(setting.salt, key) < setting.share


def bucket(salt: str, key: str) -> float:
    """Return a stable number in [0, 1) for a key: the first 8 bytes of SHA-256 over `salt/key`, big-endian, / 2^64."""
    digest = hashlib.sha256(f"{salt}/{key}".encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
