"""Writes under an Idempotency-Key: what was done is answered again, and not done again.

The key is written in the transaction of the act (store/idempotency.py), so that not even a process that is killed
before it answers has its act repeated.

Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from http import HTTPStatus
from threading import Lock

from fastapi import HTTPException, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from governance.api.problems import problem
from governance.api.recalled import Recall, is_recalled
from governance.core.authority import Actor
from governance.engine.keyring import Login
from governance.engine.parts import Engine
from governance.errors import GovernanceError, Unavailable
from governance.store import idempotency
from governance.store.idempotency import Claim, Kept, claimed

KEPT = timedelta(hours=24)
_OWN = frozenset({"/v1/samples"})
"""Paths that look at the key themselves, in the transaction of what they write."""
_KEY = re.compile(rb"[\x21-\x7e]{1,200}")


class Once:
    """Answers a repeated write as the first time; what was refused may be tried again, as nothing was done."""

    def __init__(self, app: ASGIApp, engine: Engine, recall: Recall) -> None:
        """Stand before this app, behind who knows the caller."""
        self._app, self._engine, self._recall = app, engine, recall
        self._under_way: set[tuple[str, str]] = set()
        self._lock = Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        given = _keys(scope)
        if not given:
            return await self._app(scope, receive, send)
        if len(given) > 1 or not _KEY.fullmatch(given[0]):
            said = "the Idempotency-Key must be 1 to 200 characters of ASCII without spaces, given once"
            return await problem(HTTPStatus.BAD_REQUEST, said)(scope, receive, send)
        login: Login = scope["state"]["login"]
        mine = login.actor, given[0].decode()
        try:
            body = await _whole(receive)
        except HTTPException as refused:  # too large, or too slow
            answer = problem(HTTPStatus(refused.status_code), refused.detail, refused.headers)
            return await answer(scope, receive, send)
        with self._lock:
            name = (login.actor.id, mine[1])
            busy = name in self._under_way
            self._under_way.add(name)
        if busy:
            said = "a request with this Idempotency-Key is under way; ask again when it is answered"
            return await problem(HTTPStatus.CONFLICT, said, {"Retry-After": "1"})(scope, receive, send)
        try:
            await self._done(mine, body, scope, receive, send)
        finally:
            with self._lock:
                self._under_way.discard(name)

    async def _done(self, mine: tuple[Actor, str], body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        digest = hashlib.sha256(
            b"\0".join([scope["path"].encode("utf-8", "backslashreplace"), scope["query_string"], body])
        ).hexdigest()
        try:
            before = await run_in_threadpool(self._before, mine, digest, scope["path"])
        except GovernanceError as error:
            status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, Unavailable) else HTTPStatus.CONFLICT
            await problem(status, str(error))(scope, receive, send)
            return
        if before is not None:
            await _again(before, digest)(scope, receive, send)
            return
        noted = _Noted(send)
        claim = Claim(mine[0].id, mine[1], digest, self._engine.clock.now()) if is_recalled(scope["path"]) else None
        with claimed(claim):
            await self._app(scope, _given(body, receive), noted)
        if HTTPStatus.OK <= noted.status < HTTPStatus.MULTIPLE_CHOICES:
            await run_in_threadpool(self._keep, mine, Kept(digest, noted.status, bytes(noted.body)))
        await noted.release()

    def _before(self, mine: tuple[Actor, str], digest: str, path: str) -> Kept | None:
        """Return what was answered; for what was done and not answered, the answer that it gets now."""
        who, key = mine
        with self._engine.database.read() as connection:
            kept = idempotency.get(connection, who.id, key, self._engine.clock.now() - KEPT)
        if kept is None or not kept.is_unanswered or kept.digest != digest:
            return kept
        found = self._recall(who, path, kept.decisions)
        if found is None:
            return None
        status, view = found
        answer = Kept(digest, status, view.model_dump_json().encode())
        self._keep(mine, answer)
        return answer

    def _keep(self, mine: tuple[Actor, str], kept: Kept) -> None:
        at = self._engine.clock.now()
        try:
            with self._engine.database.transaction() as connection:
                idempotency.forget(connection, at - KEPT)
                idempotency.keep(connection, mine[0].id, mine[1], kept, at)
        except Unavailable:
            return  # it is done, and a repetition is answered from its decisions


def _keys(scope: Scope) -> list[bytes]:
    """Return the keys of a write; none of what needs no care."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return []
    path: str = scope["path"]
    if path in _OWN or not path.startswith("/v1/"):
        return []
    return [value for name, value in scope["headers"] if name == b"idempotency-key"]


class _Noted:
    """Holds an answer back until it is kept: who has it may rely on that."""

    def __init__(self, send: Send) -> None:
        self._send, self._messages = send, list[Message]()
        self.status, self.body = 0, bytearray()

    async def __call__(self, message: Message) -> None:
        self._messages.append(message)
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")

    async def release(self) -> None:
        """Send it."""
        for each in self._messages:
            await self._send(each)


def _again(before: Kept, digest: str) -> Response:
    if before.digest != digest:
        said = "this Idempotency-Key was used for another request; take a new key for each"
        return problem(HTTPStatus.CONFLICT, said)
    return Response(before.body, before.status, {"Idempotent-Replayed": "true"}, "application/json")


async def _whole(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False) and message["type"] == "http.request"
    return bytes(body)


def _given(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body which has been read already."""
    first = True

    async def given() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return given
