"""POST /ofrep/v1/evaluate/flags, of one flag and of all."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from governance.api.ofrep.exchange import Asked, Header, Refused, answer, asked
from governance.api.ofrep.sheet import Sheet
from governance.core.flag import KINDS, Evaluated, evaluated
from governance.engine.board import Board, Snapshot
from governance.errors import Denied

Allowed = Callable[[Scope], Collection[str] | None]
"""Which models who asks may read; None: all. It raises Denied for who may read none."""


MOST_KEPT = 16 * 2**20
"""Bytes of answers about all flags that are kept for others who ask the same."""


class Answer(NamedTuple):
    """An answer about all flags, with its tag and digest."""

    tag: bytes
    body: bytes
    digest: bytes


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
        except Denied as error:
            denied = Refused(403, "GENERAL", str(error))
            await answer(send, denied.status, denied.body(key))
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
        self._state, self._answers = board.snapshot, dict[tuple[str, frozenset[str] | None], Answer]()
        self._kept = 0
        streams = [{"type": "sse", "endpoint": {"requestUri": events}, "inactivityDelaySec": 120}]
        self._streams = json.dumps(streams, separators=(",", ":")).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 200 with the values and their ETag, 304 when the caller has them, 400 for what cannot be read."""
        try:
            said = await asked(receive)
            only = self._only(scope)
        except Denied as error:
            return await answer(send, 403, Refused(403, "GENERAL", str(error)).body(None))
        except Refused as error:
            return await answer(send, error.status, error.body(None))
        if said is None:
            return None
        snapshot = self._board.snapshot
        found = self._found(snapshot, said, only)
        if found.tag in _known(scope):
            return await answer(send, 304, b"", [(b"etag", found.tag)])
        return await answer(send, 200, found.body, [(b"etag", found.tag), (b"content-digest", found.digest)])

    def _found(self, snapshot: Snapshot, said: Asked, only: frozenset[str] | None) -> Answer:
        """Return the answer, made once for all who ask the same of one state, as hundreds do at once after a pull."""
        if self._state is not snapshot or self._kept > MOST_KEPT:
            self._state, self._answers, self._kept = snapshot, {}, 0
        asked_for = (json.dumps(said.context, sort_keys=True), only)
        found = self._answers.get(asked_for)
        if found is None:
            body = self._body(snapshot, said, only)
            found = self._answers[asked_for] = Answer(etag(snapshot, said, only), body, digest(body))
            self._kept += len(body) + len(asked_for[0])
        return found

    def _only(self, scope: Scope) -> frozenset[str] | None:
        """Return the models asked for, None: all; that counts as a read of each."""
        named = parse_qs(scope["query_string"].decode("latin-1")).get("model")
        allowed = self._allowed(scope)
        if named is None and allowed is None:
            self._board.holders.read_all(self._now())
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
        return b'{"flags":[%b],"eventStreams":%b,"metadata":{"seq":%d,"state":"%b"}}' % (
            flags,
            self._streams,
            snapshot.seq,
            state(snapshot).encode(),
        )


def etag(snapshot: Snapshot, said: Asked, only: Collection[str] | None) -> bytes:
    """Return what changes whenever the answer does: with the state, any part of the context, and what may be read."""
    whole = json.dumps([snapshot.digest, said.context, None if only is None else sorted(only)], sort_keys=True)
    return b'"%d-%b"' % (snapshot.seq, hashlib.sha256(whole.encode()).hexdigest()[:32].encode())


def state(snapshot: Snapshot) -> str:
    """Return the name of a state, by which a client knows which one it holds."""
    return snapshot.digest[:32]


def digest(body: bytes) -> bytes:
    """Return by what a client can tell that no byte was changed on the way, source: RFC 9530."""
    return b"sha-256=:%b:" % base64.b64encode(hashlib.sha256(body).digest())


def _known(scope: Scope) -> set[bytes]:
    """Return the tags that a caller has, weak ones too."""
    sent: list[Header] = scope["headers"]
    tags = (each.strip() for name, value in sent if name == b"if-none-match" for each in value.split(b","))
    return {each.removeprefix(b"W/") for each in tags}
