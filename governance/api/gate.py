"""Who asks: looked at before anything else of a request, on every route but those of health."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Protocol

from fastapi import Depends, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from governance.api.limits import Buckets
from governance.api.problems import problem
from governance.client import TERMINAL_APP
from governance.core.authority import Actor
from governance.core.duration import in_words
from governance.engine.keyring import Keyring, Login, Refused, Stranger
from governance.engine.permission import RefusedAct
from governance.engine.refusals import Refusals
from governance.errors import Denied, GovernanceError, Unavailable, Unknown
from governance.store.idempotency import claimed

OPEN = frozenset({"/healthz", "/readyz"})
"""Paths that anybody may ask for, as those that watch the process have no token."""
SLACK = "/slack/events"
"""What Slack sends there is known by its signature, which the route looks at."""
OFREP = "/ofrep/"
UNLIMITED = (OFREP, "/v1/confirmations")
"""Paths whose clients are never told to slow down: they would serve a wrong default meanwhile."""
_LONGEST = 16_384
_NEEDED = "this needs a token: send `Authorization: Bearer gov_…`; make one with gov token create"
_SHAPE = "send one `Authorization: Bearer …` header with a token"


class SignOn(Protocol):
    """Single sign-on: tells who a token of another issuer is for."""

    def login(self, token: str, at: datetime) -> Login:
        """Return who asks.

        :raises Refused: when the token does not hold.
        :raises Stranger: when it does, and the organisation does not know the person.
        :raises Unavailable: when the issuer does not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Doors:
    """How callers are known: tokens of ours, single sign-on, and without both who runs the process (`local`).

    `failures` bounds how often an address may be refused, `writes` how often a caller may write.
    """

    keyring: Keyring
    refusals: Refusals
    local: str
    now: Callable[[], datetime]
    sign_on: SignOn | None = None
    open_: bool = True
    failures: Buckets = field(default_factory=lambda: Buckets(20, 0.5))
    writes: Buckets = field(default_factory=lambda: Buckets(300, 50))

    @property
    def is_open(self) -> bool:
        """True while there is no token and no single sign-on, on a server that only this machine reaches."""
        return self.open_ and self.keyring.empty and self.sign_on is None

    def refused(self, error: RefusedAct) -> None:
        """Note an act that is refused to who asked."""
        # It stays counted, and is refused all the same; and it is not what a key was given for.
        with suppress(Unavailable), claimed(None):
            self.refusals.acts.add(error, self.now())

    def holds(self, scope: Scope) -> bool:
        """Tell whether who was let in with a request would be let in still; it reads nothing."""
        login: Login = scope["state"]["login"]
        if login.expires_at is not None and self.now() >= login.expires_at:
            return False
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given:
            return self.is_open
        try:
            secret = _bearer(given)
            return secret.count(".") == 2 or bool(self.keyring.login(secret, self.now()))
        except Unknown:
            return False

    def login(self, secret: str) -> Login:
        """Return who asks with a secret; it may read the database or ask the issuer.

        :raises Refused: when it does not hold.
        """
        at = self.now()
        if secret.count(".") == 2 and self.sign_on is not None:
            return self.sign_on.login(secret, at)
        if self.keyring.is_stale(secret):
            self.keyring.refresh(secret)
        return self.keyring.login(secret, at)


class Gate:
    """Refuses whoever is not known, and passes on who asks as `scope["state"]["login"]`."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        """Stand before this app."""
        self._app, self._doors = app, doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] != "http" or scope["path"] in (*OPEN, SLACK):
            return await self._app(scope, receive, send)
        address = scope["client"][0] if scope.get("client") else "unknown"
        try:
            login = await self._login(scope, address)
        except Unknown as error:
            refused = await self._refused(error, scope["path"], address)
            return await refused(scope, receive, send)
        except GovernanceError as error:
            if isinstance(error, Stranger):
                await run_in_threadpool(self._noted, error, address)
            status = HTTPStatus.FORBIDDEN if isinstance(error, Denied) else HTTPStatus.SERVICE_UNAVAILABLE
            return await problem(status, str(error))(scope, receive, send)
        if _is_serving(scope) and "switches" not in login.actor.scopes:
            said = f"this needs a token with the scope switches, this one has {', '.join(sorted(login.actor.scopes))}"
            # A problem for people, and what OFREP's clients read.
            refused = problem(HTTPStatus.FORBIDDEN, said, errorCode="GENERAL", errorDetails=said)
            return await refused(scope, receive, send)
        scope.setdefault("state", {})["login"] = login
        wait = 0 if _is_unlimited(scope) else self._doors.writes.take(login.by)
        if wait:
            said = f"too many writes with this token; go on in {in_words(timedelta(seconds=wait))}"
            return await problem(HTTPStatus.TOO_MANY_REQUESTS, said, {"Retry-After": str(wait)})(scope, receive, send)
        return await self._app(scope, receive, send)

    async def _login(self, scope: Scope, address: str) -> Login:
        doors = self._doors
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given:
            if doors.keyring.is_stale() and not _is_serving(scope):
                await run_in_threadpool(doors.keyring.refresh)
            if doors.is_open:
                return Login(Actor(doors.local, "local"), address)
            raise Unknown(_NEEDED)
        secret = _bearer(given)
        if doors.keyring.knows(secret) and (_is_serving(scope) or not doors.keyring.is_stale(secret)):
            return doors.keyring.login(secret, doors.now())
        return await run_in_threadpool(doors.login, secret)

    async def _refused(self, error: Unknown, path: str, address: str) -> Response:
        """Note a refused login; one that brings no token at all is a question, and no attempt."""
        if isinstance(error, Refused):
            await run_in_threadpool(self._noted, error, address)
            wait = 0 if path.startswith(UNLIMITED) else self._doors.failures.take(address)
            if wait:
                said = f"too many refused tokens from this address; try again in {in_words(timedelta(seconds=wait))}"
                return problem(HTTPStatus.TOO_MANY_REQUESTS, said, {"Retry-After": str(wait)})
        return problem(HTTPStatus.UNAUTHORIZED, str(error), {"WWW-Authenticate": 'Bearer realm="model-governance"'})

    def _noted(self, error: Refused | Stranger, address: str) -> None:
        doors = self._doors
        try:
            doors.refusals.add(error.why, address=address, token=error.token, at=doors.now())
        except Unavailable:
            return  # it stays counted, and is refused all the same


def _is_unlimited(scope: Scope) -> bool:
    """Tell whether a request may come as often as it likes: it only reads, or a serving process asks."""
    return scope["method"] in ("GET", "HEAD") or scope["path"].startswith(UNLIMITED)


def _is_serving(scope: Scope) -> bool:
    """Tell whether a serving process asks for kill switches: it never waits for the database."""
    path: str = scope["path"]
    return path.startswith(OFREP)


def _bearer(given: Iterable[bytes]) -> str:
    """Return the token of the Authorization headers.

    :raises Unknown: when they hold none.
    """
    one, *others = given
    kind, _, secret = one.decode("latin-1").partition(" ")
    secret = secret.strip()
    if others or kind.lower() != "bearer" or not secret or len(secret) > _LONGEST or not secret.isascii():
        raise Unknown(_SHAPE)
    return secret


def login_of(request: Request) -> Login:
    """Return who asks."""
    login: Login = request.state.login
    return login


def _actor_of(request: Request) -> Actor:
    channel = "tui" if request.headers.get("user-agent", "").startswith(TERMINAL_APP) else "api"
    return replace(login_of(request).actor, channel=channel)


Who = Annotated[Actor, Depends(_actor_of)]
"""The parameter of a route by which it learns who asks."""
