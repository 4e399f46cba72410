"""What has changed, told on the event stream itself to clients that ask for it, so that hundreds need not ask at once.

Such an event leads from one exact state to another and carries a digest: who holds another state, or gets it garbled,
asks for all flags as every OpenFeature client does. It is named, and sent only for `?changes=true`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Collection
from urllib.parse import parse_qs

from starlette.types import Scope

from governance.api.ofrep.evaluation import Allowed, etag, state
from governance.api.ofrep.exchange import NOTHING
from governance.core.flag import KINDS, evaluated
from governance.engine.board import Snapshot
from governance.errors import Denied

MOST = 32 * 1024
"""Bytes of one event; of more, clients ask."""


class Changes:
    """Writes changes as each caller may read them; the same for many is written once."""

    def __init__(self, allowed: Allowed, holds: Callable[[Scope], bool]) -> None:
        """Tell who is `allowed` of these models, for as long as their token `holds`."""
        self._allowed, self._holds = allowed, holds
        self._after: Snapshot | None = None
        self._written: dict[tuple[str, frozenset[str] | None], bytes] = {}

    def event(self, scope: Scope, before: Snapshot, after: Snapshot) -> bytes:
        """Return the event that leads from one state to another; nothing for who did not ask, or must ask anew."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if query.get("changes") != ["true"] or not self._holds(scope):
            return b""
        try:
            only = _within(query.get("model"), self._allowed(scope))
        except Denied:
            return b""
        if self._after is not after:
            self._after, self._written = after, {}
        key = (before.digest, only)
        if key not in self._written:
            self._written[key] = _event(before, after, only)
        return self._written[key]


def _within(named: Collection[str] | None, allowed: Collection[str] | None) -> frozenset[str] | None:
    given = [each for each in (named, allowed) if each is not None]
    return frozenset(given[0]).intersection(*given) if given else None


def _event(before: Snapshot, after: Snapshot, only: frozenset[str] | None) -> bytes:
    earlier, now = (each.flags.keys() if only is None else each.flags.keys() & only for each in (before, after))
    if earlier - now:
        return b""  # a model is gone: clients decide what that means when they see all flags
    flags = [
        json.loads(evaluated(after.flags[model], kind, NOTHING.request).json())
        for model in sorted(now)
        if before.flags.get(model) != after.flags[model]
        for kind in KINDS
    ]
    tag = etag(after, NOTHING, only).decode()
    said = {"since": state(before), "state": state(after), "seq": after.seq, "etag": tag, "flags": flags}
    body = json.dumps(said, separators=(",", ":")).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest())
    return b"event: switches\ndata: %b\ndata: %b\n\n" % (digest, body) if len(body) <= MOST else b""
