"""Override files: a kill switch pulled while the engine is away, signed by whoever holds the key.

A file is one JSON object: `id`, `model`, `mode`, `share`, `scope`, `reason`, `set_by`, `set_at`, `fallback`, and
`signature`, the HMAC-SHA256 in hexadecimal over the canonical JSON of the rest. It only ever tightens, and holds until
the file is gone or the engine says that it has entered it in its log.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model_governance_openfeature.answer import Held
from model_governance_openfeature.canonical import canonical
from model_governance_openfeature.switch import Setting, Switch, Unreadable, setting_of, text_of

LARGEST = 64 * 1024
MOST = 1000


@dataclass(frozen=True)
class Override:
    """What one file sets."""

    model: str
    setting: Setting


def read(path: Path, key: bytes) -> tuple[tuple[Override, ...], dict[str, str]]:
    """Read a file, or all `*.json` of a directory, and return what they set, and of those that are ignored why.

    :raises OSError: when the place itself cannot be read, other than by not being there.
    """
    read = {str(each): _read(each, key) for each in _files(path)}
    found = tuple(each for each in read.values() if isinstance(each, Override))
    return found, {name: why for name, why in read.items() if isinstance(why, str)}


def override_of(text: bytes, key: bytes) -> Override:
    """Read the content of an override file.

    :raises Unreadable: when it is malformed, not signed with the key, or would not tighten anything.
    """
    if len(text) > LARGEST:
        raise Unreadable(f"it has more than {LARGEST} bytes")
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Unreadable("it is no JSON object")
    _verify(found, key)
    setting, model, name = setting_of(found), text_of(found, "model"), text_of(found, "id")
    if not model or not name:
        raise Unreadable("it names no model, or has no id")
    if setting.mode == "live":
        raise Unreadable("an override cannot set a switch live: restore it at the engine")
    return Override(model, replace(setting, salt=setting.salt or name, override=name))


def tightened(held: Held | None, overrides: tuple[Override, ...]) -> Mapping[str, Switch]:
    """Return the switches that overrides change which the engine has not entered; the most restrictive setting wins."""
    switches: dict[str, Switch] = {}
    for each in overrides:
        if held is not None and each.setting.override in held.entered:
            continue
        known = held.switch(each.model) if held is not None else None
        switch = switches.get(each.model) or known or Switch(each.model, assumed=True)
        switches[each.model] = replace(switch, settings=(*switch.settings, each.setting))
    return switches


def _read(path: Path, key: bytes) -> Override | str | None:
    """Return what a file sets, why it is ignored, or None when it has just been withdrawn."""
    try:
        return override_of(path.read_bytes(), key)
    except FileNotFoundError:
        return None
    except (OSError, Unreadable) as error:
        return str(error)


def _files(path: Path) -> list[Path]:
    """Return the files of a place; a name with a dot in front is one that is being written."""
    try:
        names = sorted(each for each in path.iterdir() if each.suffix == ".json" and not each.name.startswith("."))
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        return [path]
    return names[:MOST]


def _verify(found: Mapping[str, Any], key: bytes) -> None:
    signature = found.get("signature")
    if not isinstance(signature, str):
        raise Unreadable("it is not signed")
    try:
        signed = canonical({name: value for name, value in found.items() if name != "signature"})
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"it cannot have been signed: {error}") from error
    expected = hmac.new(key, signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise Unreadable("its signature is not of this content and this key (GOV_OVERRIDE_KEY)")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse an object that says one thing twice: who signs and who obeys could read it differently."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found
