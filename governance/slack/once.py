"""What Slack sends is done once, however often it sends it: by the keys of its envelope and of the act in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from governance.engine.parts import Engine
from governance.store import slack_envelopes

ENVELOPE = "x-governance-envelope"
"""The header under which our Socket Mode passes on the id of the envelope."""


def is_first(engine: Engine, body: Mapping[str, Any], envelope: str, raw: str, at: datetime) -> bool:
    """Write the keys of what came, and tell whether it is new.

    :raises Unavailable: when they cannot be written, so that nothing may be done.
    """
    with engine.database.transaction() as connection:
        return slack_envelopes.first(connection, keys_of(body, envelope, raw), at)


def keys_of(body: Mapping[str, Any], envelope: str = "", raw: str = "") -> tuple[str, ...]:
    """Return the keys: the envelope's, and that of the act, which is the same over HTTP and through the socket."""
    act = _act(body)
    said = act or ("" if envelope else f"body {raw}")
    keys = [f"envelope {envelope}"] if envelope else []
    if said:
        keys.append(hashlib.sha256(said.encode("utf-8", "backslashreplace")).hexdigest())
    return tuple(keys)


def _act(body: Mapping[str, Any]) -> str:
    event = body.get("event_id")
    if event:
        return f"event {event}"
    trigger, view, actions = body.get("trigger_id"), body.get("view"), body.get("actions")
    if not trigger:
        return ""
    first = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], Mapping) else {}
    shown = view if isinstance(view, Mapping) else {}
    # A trigger is of one act; what else is in it only keeps apart what a careless server would mix up.
    parts = (trigger, first.get("action_id"), first.get("action_ts"), shown.get("id"), shown.get("hash"))
    return f"act {body.get('type') or body.get('command')} {parts!r}"
