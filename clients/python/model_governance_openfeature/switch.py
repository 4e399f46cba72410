"""The kill switch of a model as a serving process knows it, and what that means for one request. Pure.

The rules are the engine's, so that a request gets the same answer here and there: the most restrictive setting that
covers it holds; what a request does not say of itself, it may be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Mode = Literal["live", "throttle", "shadow", "fallback", "stopped"]
MODES: tuple[Mode, ...] = ("live", "throttle", "shadow", "fallback", "stopped")
Why = Literal["STATIC", "TARGETING_MATCH", "SPLIT", "DEFAULT", "STALE"]
NO_LABELS: Mapping[str, str] = {}


class Unreadable(ValueError):
    """Something that was received is not what it should be; the message says what is wrong with it."""


@dataclass(frozen=True)
class Setting:
    """What holds for the requests of one scope; `override` is the id of the file that it comes from."""

    mode: Mode
    share: float = 1.0
    salt: str = ""
    version: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    fallback: str = ""
    reason: str = ""
    override: str = ""

    @property
    def rank(self) -> tuple[int, float]:
        """How restrictive it is; a higher rank wins."""
        return MODES.index(self.mode), self.share

    @property
    def general(self) -> bool:
        """Whether it is for all requests."""
        return not self.version and not self.labels

    def covers(self, version: str, labels: Mapping[str, str]) -> bool:
        """Tell whether a request falls into its scope."""
        if self.version and version and version != self.version:
            return False
        return not self.labels or all(labels.get(name, value) == value for name, value in self.labels)

    def falls_back(self, key: str) -> bool:
        """Tell whether the request of a targeting key gets the fallback."""
        if self.mode != "throttle":
            return self.mode != "live"
        return not key or bucket(self.salt, key) < self.share


@dataclass(frozen=True)
class Switch:
    """The settings of a model; `serving` is the version that a request is taken for that names none.

    `carried`: the engine's last answer did not have it, so what was known before is held on to. `assumed`: nothing but
    override files is known of it.
    """

    model: str
    seq: int = 0
    settings: tuple[Setting, ...] = ()
    serving: str = ""
    fallback: str = ""
    carried: bool = False
    assumed: bool = False

    def effective(self, version: str, labels: Mapping[str, str]) -> Setting | None:
        """Return what holds for a request; None when the model answers."""
        version = version or self.serving
        found = None
        for each in self.settings:
            if each.covers(version, labels) and (found is None or each.rank > found.rank):
                found = each
        return found


class Decision(NamedTuple):
    """Whether a model's output may answer a request, and why.

    In mode `shadow` the model may be computed and logged, but the fallback answers. `because` is what was given as the
    reason of the setting. `reason` is that of OpenFeature, STALE when the engine has been silent for too long. `known`
    is false when nothing is known of the model, so that `on_unknown` answers.
    """

    serve: bool
    mode: Mode
    reason: Why
    fallback: str = ""
    because: str = ""
    seq: int = 0
    known: bool = True

    @property
    def variant(self) -> str:
        """The name of the answer: `model`, else what answers instead."""
        if self.serve:
            return "model"
        return "fallback" if self.mode == "throttle" else self.mode


def decide(switch: Switch, key: str = "", version: str = "", labels: Mapping[str, str] = NO_LABELS) -> Decision:
    """Return what holds for the request of a targeting key, a version and labels."""
    setting = switch.effective(version, labels) if switch.settings else None
    why = _why(switch, setting, key)
    if setting is None:
        return Decision(serve=True, mode="live", reason=why, fallback=switch.fallback, seq=switch.seq)
    fallback = setting.fallback or switch.fallback
    return Decision(not setting.falls_back(key), setting.mode, why, fallback, setting.reason, switch.seq)


def bucket(salt: str, key: str) -> float:
    """Return a stable number in [0, 1) for a key: the first 8 bytes of SHA-256 over `salt/key`, big-endian, / 2^64."""
    digest = hashlib.sha256(f"{salt}/{key}".encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def switch_of(model: str, value: object) -> Switch:
    """Read the object of a flag `<model>.switch`.

    :raises Unreadable: when it cannot be decided upon here, as it is malformed or of a newer engine.
    """
    found = _object(value, "the switch")
    settings = found.get("settings", [])
    if not isinstance(settings, list):
        raise Unreadable("settings is no list")
    return Switch(
        model,
        seq_of(found.get("seq", 0)),
        tuple(setting_of(each) for each in settings),
        text_of(found, "serving"),
        text_of(found, "fallback"),
    )


def setting_of(value: object) -> Setting:
    """Read one setting, its scope in `scope` or beside it.

    :raises Unreadable: when it is malformed, or its mode is not known here.
    """
    found = _object(value, "a setting")
    scope = _object(found.get("scope", found), "scope")
    labels = _object(scope.get("labels") or {}, "labels")
    if not all(isinstance(each, str) for each in labels.values()):
        raise Unreadable("labels are not all text")
    mode, share = found.get("mode"), found.get("share", 1.0)
    if mode not in MODES:
        raise Unreadable(f"mode is {mode!r}, which is none of {', '.join(MODES)}")
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise Unreadable(f"share is {share!r}, which is no number from 0 to 1")
    return Setting(
        mode=mode,
        share=float(share),
        salt=text_of(found, "salt"),
        version=text_of(scope, "version"),
        labels=tuple(sorted((name, str(each)) for name, each in labels.items())),
        fallback=text_of(found, "fallback"),
        reason=text_of(found, "reason"),
        override=text_of(found, "override"),
    )


def seq_of(value: object) -> int:
    """Read the number of a change."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Unreadable(f"seq is {value!r}, which is no number of a change")
    return value


def text_of(found: Mapping[str, object], name: str) -> str:
    """Read a text that may be absent."""
    value = found.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(f"{name} is {value!r}, which is no text")
    return value


def _object(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise Unreadable(f"{name} is no object")
    return value


def _why(switch: Switch, setting: Setting | None, key: str) -> Why:
    if switch.carried:
        return "STALE"
    if setting is not None and setting.mode == "throttle":
        return "SPLIT" if key else "DEFAULT"
    return "STATIC" if all(each.general for each in switch.settings) else "TARGETING_MATCH"
