"""A network on which every wait ends at one deadline, however slowly the other side drips its bytes.

The timeouts of an HTTP client start anew with each byte that arrives, so a server that sends one a second is never too
late for them.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore

_ENDS: ContextVar[float] = ContextVar("ends")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """End every wait of this thread's exchanges `seconds` from now."""
    token = _ENDS.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ENDS.reset(token)


def left() -> float:
    """Return the seconds until the deadline.

    :raises httpcore.ReadTimeout: it has passed
    """
    seconds = _ENDS.get() - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return seconds


class Network(httpcore.NetworkBackend):
    """Connections over TCP whose waits end at the deadline."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 (the deadline rules)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect before the deadline."""
        # What looks up the name has a time limit of its own: the resolver's, by default some seconds.
        made = httpcore.SyncBackend().connect_tcp(host, port, left(), local_address, socket_options)
        return _Stream(made)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 (the deadline rules)
        return self._stream.read(max_bytes, left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 (the deadline rules)
        self._stream.write(buffer, left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 (the deadline rules)
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left()))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
