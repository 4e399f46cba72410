"""What the engine answers when asked for all flags at once, source: OpenFeature Remote Evaluation Protocol 0.3."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from model_governance_openfeature.switch import Switch, Unreadable, seq_of, switch_of

SWITCH = ".switch"
Flag = Mapping[str, Any]


@dataclass(frozen=True)
class Held:
    """One state of all flags, as the engine had it. It never changes; a later one takes its place.

    `entered` are the ids of the override files that the engine has entered in its log, so that they hold no longer.
    `carried` are the flags that the answer did not have, or had in error, and that are held on to: to forget a switch
    that was pulled would be to restore it. `state` is the engine's name for it, "" when it gave none.
    """

    flags: Mapping[str, Flag]
    seq: int = 0
    etag: str = ""
    streams: tuple[str, ...] = ()
    entered: frozenset[str] = frozenset()
    carried: frozenset[str] = frozenset()
    state: str = ""
    _read: dict[str, Switch | None] = field(default_factory=dict, repr=False, compare=False)

    def switch(self, model: str) -> Switch | None:
        """Return the switch of a model, read when it is first asked for, as a process serves few models of a fleet.

        None for a model that is not known, or whose switch cannot be decided upon here: then the engine's answer holds.
        """
        try:
            return self._read[model]
        except KeyError:
            flag = self.flags.get(model + SWITCH)
            if flag is None:
                return None
            return self._read.setdefault(model, self._switch(model, flag))

    def changed(self, before: Held | None) -> list[str]:
        """Return the keys of the flags that are not as they were before."""
        known = before.flags if before is not None else {}
        return sorted(key for key in {*known, *self.flags} if known.get(key) != self.flags.get(key))

    def _switch(self, model: str, flag: Flag) -> Switch | None:
        try:
            return replace(switch_of(model, flag["value"]), carried=model + SWITCH in self.carried)
        except Unreadable:
            return None


def held_of(document: object, etag: str = "", before: Held | None = None) -> Held:
    """Read an answer that follows on what was held before.

    :raises Unreadable: when it is no such answer.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("flags"), list):
        raise Unreadable("the answer has no list of flags")
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    flags = {flag["key"]: flag for flag in document["flags"] if _usable(flag)}
    earlier = before.flags if before is not None else {}
    carried = frozenset(earlier) - frozenset(flags)
    switches = [
        flag["value"] for key, flag in flags.items() if key.endswith(SWITCH) and isinstance(flag["value"], dict)
    ]
    return Held(
        flags=MappingProxyType({**{key: earlier[key] for key in carried}, **flags}),
        seq=seq_of(metadata["seq"] if "seq" in metadata else max((_seq(each) for each in switches), default=0)),
        etag=etag,
        streams=_streams(document.get("eventStreams")),
        entered=_entered(metadata, switches, before),
        carried=carried,
        state=_text(metadata.get("state")),
    )


def applied(before: Held, lines: Sequence[str]) -> Held:
    """Return the state to which an event leads: its lines are a digest, and what has changed since an exact state.

    :raises Unreadable: when a byte was changed on the way, or it follows on another state than this one.
    """
    if len(lines) != 2:
        raise Unreadable("it has not its two lines")
    digest, text = lines
    if digest != base64.b64encode(hashlib.sha256(text.encode()).digest()).decode():
        raise Unreadable("it does not have the digest that it names")
    said = json.loads(text)
    if not isinstance(said, dict) or not before.state or said.get("since") != before.state:
        raise Unreadable("it follows on another state")
    told = said.get("flags")
    fresh = {each["key"]: each for each in told if _usable(each)} if isinstance(told, list) else {}
    document = {
        "flags": [*({**before.flags, **fresh}.values())],
        "eventStreams": [{"type": "sse", "url": each} for each in before.streams],
        "metadata": {"seq": said.get("seq"), "state": said.get("state")},
    }
    after = held_of(document, _text(said.get("etag")), before)
    return replace(after, carried=before.carried - frozenset(fresh))


def content_of(held: Held) -> dict[str, Any]:
    """Return what to keep of a state, so that `restored` gives it again."""
    return {
        "flags": [dict(flag) for flag in held.flags.values()],
        "carried": sorted(held.carried),
        "metadata": {"seq": held.seq, "overridesEntered": sorted(held.entered)},
        "eventStreams": [{"type": "sse", "url": each} for each in held.streams],
        "etag": held.etag,
    }


def restored(content: object) -> Held:
    """Read what was kept.

    :raises Unreadable: when it is not what `content_of` returns.
    """
    held = held_of(content)
    carried, etag = (content.get("carried"), content.get("etag")) if isinstance(content, Mapping) else (None, None)
    if not isinstance(carried, list) or not isinstance(etag, str):
        raise Unreadable("it is no state that was kept")
    return replace(held, carried=frozenset(carried), etag=etag)


def _usable(flag: object) -> bool:
    """Tell whether a flag has a value; an entry that makes no sense spoils the whole answer.

    :raises Unreadable: for such an entry.
    """
    if not isinstance(flag, Mapping) or not isinstance(flag.get("key"), str):
        raise Unreadable("a flag has no key")
    if "errorCode" in flag:
        return False
    value = flag.get("value")
    if flag["key"].endswith(".serve") and not isinstance(value, bool):
        raise Unreadable(f"{flag['key']} is {value!r}, which is neither true nor false")
    return "value" in flag


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seq(switch: Mapping[str, Any]) -> int:
    seq = switch.get("seq")
    return seq if isinstance(seq, int) else 0


def _streams(value: object) -> tuple[str, ...]:
    """Return where changes are announced: a `url`, or an `endpoint` with `requestUri` and perhaps an `origin`."""
    streams = value if isinstance(value, list) else []
    found = []
    for each in streams:
        if not isinstance(each, Mapping) or each.get("type") != "sse":
            continue
        endpoint = each.get("endpoint")
        endpoint = endpoint if isinstance(endpoint, Mapping) else {}
        url = each.get("url") or f"{endpoint.get('origin') or ''}{endpoint.get('requestUri') or ''}"
        if isinstance(url, str) and url:
            found.append(url)
    return tuple(found)


def _entered(metadata: Mapping[str, Any], switches: list[dict[str, Any]], before: Held | None) -> frozenset[str]:
    """Return the overrides that the engine knows; a list of it is the truth, without one nothing is forgotten."""
    listed = metadata.get("overridesEntered")
    found = {each for each in listed if isinstance(each, str)} if isinstance(listed, list) else set()
    for switch in switches:
        known = switch.get("overrides")
        found |= {each for each in known if isinstance(each, str)} if isinstance(known, list) else set()
        settings = switch.get("settings")
        for setting in settings if isinstance(settings, list) else []:
            if isinstance(setting, Mapping) and isinstance(setting.get("override"), str) and setting["override"]:
                found.add(setting["override"])
    if not isinstance(listed, list) and before is not None:
        found |= before.entered
    return frozenset(found)
