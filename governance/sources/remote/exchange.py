"""One request and its answer, within one time limit.

It stands on httpcore, the transport below httpx, because only there a deadline can span a whole exchange.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpcore

from governance.core.duration import format_duration
from governance.errors import Unavailable
from governance.outbound import Outbound
from governance.remote.deadline import Network, left, within
from governance.remote.server import Server
from governance.sources.remote.config import RemoteConfig

LARGEST = 32 * 1024 * 1024
"""Bytes of an answer that are read at most."""
_SHOWN = 80


class TooLate(Unavailable):
    """The server did not answer in time, or cannot be reached."""


class RoundOver(Unavailable):
    """The time for all questions of a round is over."""


class Refused(Unavailable):
    """The server answered with another status than 2xx; `body` is its JSON, None when it sent none."""

    def __init__(self, sentence: str, status: int, body: Any) -> None:
        super().__init__(sentence)
        self.status, self.body = status, body


class Exchange:
    """Open connections to one server, used by several threads; close it when its questions are answered.

    Nothing is asked after `ends` (monotonic), and what is under way then ends with it.
    """

    def __init__(self, server: Server, config: RemoteConfig, slots: threading.BoundedSemaphore, *, ends: float) -> None:
        self._server, self._slots, self._ends = server, slots, ends
        self._seconds = config.timeout.total_seconds()
        self._late = f"{server.shown} did not answer within {format_duration(config.timeout)}"
        # The certificates of the system, to which companies add their own, rather than those of a package.
        context = ssl.create_default_context() if server.is_secure else None
        self._pool = httpcore.ConnectionPool(
            context, max_connections=config.connections, network_backend=Network(Outbound(config.loopback))
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def get(self, path: str, parameters: Sequence[tuple[str, str]] = ()) -> Any:
        """Return the JSON at a path below the server's address; the path may have a query of its own.

        :raises Refused: a status other than 2xx
        :raises RoundOver: there is no time left for it
        :raises TooLate: no connection, or no answer within the time limit
        :raises Unavailable: a broken answer, or one that is no JSON
        """
        query = f"{'&' if '?' in path else '?'}{urlencode(parameters)}" if parameters else ""
        return self._json("GET", path + query, None)

    def post(self, path: str, form: Sequence[tuple[str, str]]) -> Any:
        """Return the JSON that answers a form; it raises what `get` raises."""
        return self._json("POST", path, urlencode(form).encode())

    def _json(self, method: str, path: str, content: bytes | None) -> Any:
        status, body = self._answered(method, path, content)
        if 200 <= status < 300:
            return self._decoded(body)
        moved = " (redirects are not followed)" if 300 <= status < 400 else ""
        sentence = f"HTTP {status} from {self._server.shown}{moved}: {self._beginning(body)}".removesuffix(": ")
        try:
            said = self._decoded(body)
        except Unavailable:
            said = None
        raise Refused(sentence, status, said)

    def _decoded(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError):  # a JSON of a thousand brackets is none that we read
            said = self._beginning(body) or "nothing"
            raise Unavailable(f"the answer of {self._server.shown} is no JSON: {said}") from None

    def _beginning(self, body: bytes) -> str:
        return self._server.scrubbed(body[: _SHOWN * 8].decode(errors="replace"))[:_SHOWN]

    def _answered(self, method: str, path: str, content: bytes | None) -> tuple[int, bytes]:
        headers = self._server.headers()
        if content is not None:
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        remaining = self._ends - time.monotonic()
        try:
            with within(min(self._seconds, remaining)), self._slot():
                return self._read(method, path, headers, content)
        except httpcore.TimeoutException:
            raise (RoundOver() if remaining < self._seconds else TooLate(self._late)) from None
        except (httpcore.ConnectError, ssl.SSLError) as error:
            raise TooLate(f"no connection to {self._server.shown}: {error}") from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            said = f": {error}" if str(error) else ""
            raise Unavailable(f"{self._server.shown} broke off its answer{said}") from None

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=left()):
            raise httpcore.PoolTimeout
        try:
            yield
        finally:
            self._slots.release()

    def _read(self, method: str, path: str, headers: list[tuple[str, str]], content: bytes | None) -> tuple[int, bytes]:
        waiting = {"timeout": {"pool": left()}}
        with self._pool.stream(
            method, self._server.base + path, headers=headers, content=content, extensions=waiting
        ) as answer:
            return answer.status, self._whole(answer.iter_stream())

    def _whole(self, chunks: Iterable[bytes]) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > LARGEST:
                raise Unavailable(f"the answer of {self._server.shown} is larger than {LARGEST >> 20} MiB")
        return bytes(body)
