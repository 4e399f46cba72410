"""One request that acts on a server, and how far it came: never sent, answered, or lost on the way.

Deliberately absent: redirects (a server must not send an act, or our credentials, elsewhere), connections that are kept
open (one that the other side has closed meanwhile makes every failure look like a lost answer) and repeated attempts.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpcore

from governance.core.duration import format_duration
from governance.errors import Unavailable
from governance.outbound import Forbidden, Outbound
from governance.posting import proxy_of
from governance.remote.config import ServerConfig
from governance.remote.deadline import Network, left, within
from governance.remote.server import Server

LARGEST = 1024 * 1024
"""Bytes of an answer that are read at most."""
_SENDING = "http11.send_request_headers.started"
_SHOWN = 120


class NotSent(Unavailable):
    """Nothing has left this machine, or nobody listened; `again`: whether that may be otherwise soon."""

    def __init__(self, sentence: str, *, again: bool = True) -> None:
        super().__init__(sentence)
        self.again = again


class Lost(Unavailable):
    """It was sent, and what came back says nothing: what became of it is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; `cut` says why its body is not whole, "" where it is. `shown` is its beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    shown: str
    cut: str = ""

    @property
    def json(self) -> Any:
        """Return the JSON of the body.

        :raises Lost: when it is none, or not whole.
        """
        if self.cut:
            raise Lost(self.cut)
        try:
            return json.loads(self.body) if self.body else {}
        except (ValueError, RecursionError):  # a JSON of a thousand brackets is none that we read
            raise Lost(f"HTTP {self.status}, but the answer is no JSON: {self.shown}") from None


@dataclass(slots=True)
class _Way:
    """How far a request came."""

    sent: bool = False

    def seen(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of an event of the transport; what asks a proxy for a way is not the request."""
        if event == _SENDING and info["request"].method != b"CONNECT":
            self.sent = True


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks one server, each time on a connection of its own, within its time limit."""

    config: ServerConfig
    secret_headers: Mapping[str, str] = field(default_factory=dict)
    bearer: str = ""

    @property
    def server(self) -> Server:
        """Who is asked, with the credentials of now: a variable may have been set since."""
        return Server(self.config, self.secret_headers, self.bearer)

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for a path below the server's address, with JSON (or bytes as they are) as its body.

        :raises NotSent: when nothing was sent.
        :raises Lost: when it was, and no status came back.
        """
        server, way = self.server, _Way()
        with self._explained(server, way), within(self.config.timeout.total_seconds()):
            return self._answered(server, way, method, path, (body, headers or {}))

    def reach(self) -> None:
        """Connect, and ask nothing.

        :raises NotSent: when the server cannot be reached.
        """
        server = self.server
        with self._explained(server, _Way()), within(self.config.timeout.total_seconds()):
            server.headers()
            origin = httpcore.URL(server.base or server.shown)
            proxy = proxy_of(origin.scheme.decode(), origin.host.decode())
            where = httpcore.URL(proxy) if proxy else origin
            port = where.port or (443 if where.scheme == b"https" else 80)
            stream = self._network(proxied=bool(proxy)).connect_tcp(where.host.decode(), port)
            try:
                if server.is_secure and not proxy:
                    stream.start_tls(ssl.create_default_context(), where.host.decode())
            finally:
                stream.close()

    def _answered(
        self, server: Server, way: _Way, method: str, path: str, asked: tuple[object, Mapping[str, str]]
    ) -> Answer:
        body, more = asked
        content = body if isinstance(body, bytes) or body is None else json.dumps(body, ensure_ascii=False).encode()
        kind = {"Content-Type": "application/json"} if content is not None else {}
        headers = [*server.headers(), *_without(kind, more), *more.items()]
        with self._pool(server) as pool:
            waiting = {"timeout": {"pool": left()}, "trace": way.seen}
            with pool.stream(
                method, server.base + path, headers=headers, content=content, extensions=waiting
            ) as answer:
                heard = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
                whole, cut = self._whole(answer.iter_stream(), server, answer.status)
                return Answer(answer.status, heard, whole, _beginning(whole, server), cut)

    def _whole(self, chunks: Iterator[bytes], server: Server, status: int) -> tuple[bytes, str]:
        """Return the body as far as it came, and why it is not whole: the status has been heard, and counts."""
        body, said = bytearray(), f"HTTP {status} from {server.shown}, but its answer"
        try:
            for chunk in chunks:
                body += chunk
                if len(body) > LARGEST:
                    return bytes(body[:LARGEST]), f"{said} is larger than {LARGEST >> 20} MiB"
        except httpcore.TimeoutException:
            return bytes(body), f"{said} did not come within {format_duration(self.config.timeout)}"
        except (httpcore.NetworkError, httpcore.ProtocolError):
            return bytes(body), f"{said} broke off"
        return bytes(body), ""

    def _pool(self, server: Server) -> httpcore.ConnectionPool:
        # The certificates of the system, to which companies add their own, rather than those of a package.
        context = ssl.create_default_context() if server.is_secure else None
        origin = httpcore.URL(server.base or server.shown)
        proxy = proxy_of(origin.scheme.decode(), origin.host.decode())
        if proxy:
            return httpcore.HTTPProxy(proxy, ssl_context=context, network_backend=self._network(proxied=True))
        return httpcore.ConnectionPool(context, max_connections=1, network_backend=self._network(proxied=False))

    def _network(self, *, proxied: bool) -> Network:
        return Network(Outbound(loopback=True if proxied else self.config.loopback))

    @contextmanager
    def _explained(self, server: Server, way: _Way) -> Iterator[None]:
        """Tell what never left from what was lost, in words without credentials."""
        ended = time.monotonic() + self.config.timeout.total_seconds()
        try:
            yield
        except Forbidden as error:
            raise NotSent(server.scrubbed(str(error)), again=False) from None
        except (httpcore.UnsupportedProtocol, httpcore.ProxyError, httpcore.LocalProtocolError) as error:
            raise NotSent(server.scrubbed(f"{server.shown} cannot be asked so: {error}"), again=False) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            late = isinstance(error, httpcore.TimeoutException) or time.monotonic() > ended
            raise self._trouble(server, way, "" if late else str(error)) from None
        except Unavailable as error:
            if isinstance(error, (NotSent, Lost)):
                raise
            raise NotSent(server.scrubbed(str(error)), again=False) from None

    def _trouble(self, server: Server, way: _Way, said: str) -> Unavailable:
        words = server.scrubbed(said)[:_SHOWN] or f"nothing within {format_duration(self.config.timeout)}"
        if way.sent:
            return Lost(f"the answer of {server.shown} was lost ({words})")
        return NotSent(f"no connection to {server.shown}: {words}")


def _without(headers: Mapping[str, str], more: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the headers that are not set by `more`."""
    given = {name.lower() for name in more}
    return [(name, value) for name, value in headers.items() if name.lower() not in given]


def _beginning(body: bytes, server: Server) -> str:
    return server.scrubbed(body[: _SHOWN * 8].decode(errors="replace"))[:_SHOWN]
