"""POST /ofrep/v1/evaluate/flags, of one flag and of all."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Collection
from datetime import datetime
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from governance.api.ofrep.exchange import Asked, Header, Refused, answer, asked
from governance.api.ofrep.sheet import Sheet
from governance.core.flag import KINDS, Evaluated, evaluated
from governance.engine.board import Board, Snapshot

Allowed = Callable[[Scope], Collection[str] | None]
"""Which models who asks may read; None: all."""


class Single:
    """Evaluates one flag."""

    def __init__(self, board: Board, now: Callable[[], datetime], allowed: Allowed) -> None:
        """Answer from the board; `now` dates what was read."""
        self._board, self._now, self._allowed = board, now, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 200 with the value, 400 for what cannot be read, or 404 for a flag that is not known."""
        key: str = scope["path_params"]["key"]
        try:
            said = await asked(receive)
            if said is None:
                return
            found = self._evaluated(key, said, self._allowed(scope))
        except Refused as error:
            await answer(send, error.status, error.body(key))
        else:
            await answer(send, 200, found.json().encode())

    def _evaluated(self, key: str, said: Asked, allowed: Collection[str] | None) -> Evaluated:
        model, _, kind = key.rpartition(".")
        flags = self._board.snapshot.flags.get(model) if allowed is None or model in allowed else None
        if flags is None or kind not in KINDS:
            raise Refused(404, "FLAG_NOT_FOUND", "no such flag; of each model there are <model>.serve, .mode, .switch")
        self._board.holders.read(model, self._now())
        return evaluated(flags, kind, said.request)


class Bulk:
    """Evaluates all flags that a caller may read, or those of the models that it names as `?model=`."""

    def __init__(self, board: Board, now: Callable[[], datetime], allowed: Allowed, events: str) -> None:
        """Answer from the board; `events` is the path on which changes are told."""
        self._board, self._now, self._allowed = board, now, allowed
        self._sheet = Sheet(board.snapshot)
        streams = [{"type": "sse", "endpoint": {"requestUri": events}, "inactivityDelaySec": 120}]
        self._streams = json.dumps(streams, separators=(",", ":")).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 200 with the values and their ETag, 304 when the caller has them, 400 for what cannot be read."""
        try:
            said, only = await asked(receive), self._only(scope)
        except Refused as error:
            return await answer(send, error.status, error.body(None))
        if said is None:
            return None
        snapshot = self._board.snapshot
        tag = etag(snapshot, said, only)
        if tag in _known(scope):
            return await answer(send, 304, b"", [(b"etag", tag)])
        body = self._body(snapshot, said, only)
        return await answer(send, 200, body, [(b"etag", tag), (b"content-digest", digest(body))])

    def _only(self, scope: Scope) -> frozenset[str] | None:
        """Return the models asked for by name, or the few that the caller may read; that counts as a read of them."""
        named = parse_qs(scope["query_string"].decode("latin-1")).get("model")
        allowed = self._allowed(scope)
        if named is None and allowed is None:
            return None
        wanted = [each for each in (named, allowed) if each is not None]
        only = frozenset(wanted[0]).intersection(*wanted)
        at = self._now()
        for model in only & self._board.snapshot.flags.keys():
            self._board.holders.read(model, at)
        return only

    def _body(self, snapshot: Snapshot, said: Asked, only: Collection[str] | None) -> bytes:
        if self._sheet.snapshot is not snapshot:
            self._sheet = self._sheet.after(snapshot)
        flags = self._sheet.flags(said.request, only)
        return b'{"flags":[%b],"eventStreams":%b,"metadata":{"seq":%d}}' % (flags, self._streams, snapshot.seq)


def etag(snapshot: Snapshot, said: Asked, only: Collection[str] | None) -> bytes:
    """Return what changes whenever the answer does: with the state, any part of the context, and what may be read."""
    whole = json.dumps([snapshot.digest, said.context, None if only is None else sorted(only)], sort_keys=True)
    return b'"%d-%b"' % (snapshot.seq, hashlib.sha256(whole.encode()).hexdigest()[:32].encode())


def digest(body: bytes) -> bytes:
    """Return by what a client can tell that no byte was changed on the way, source: RFC 9530."""
    return b"sha-256=:%b:" % base64.b64encode(hashlib.sha256(body).digest())


def _known(scope: Scope) -> set[bytes]:
    """Return the tags that a caller has, weak ones too."""
    sent: list[Header] = scope["headers"]
    tags = (each.strip() for name, value in sent if name == b"if-none-match" for each in value.split(b","))
    return {each.removeprefix(b"W/") for each in tags}
