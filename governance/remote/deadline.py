"""A network on which every wait ends at one deadline, however slowly the other side drips its bytes.

The timeouts of an HTTP client start anew with each byte that arrives, so a server that sends one a second is never too
late for them.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import httpcore

from governance.outbound import Outbound

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
    """Connections over TCP to what may be reached, whose waits end at the deadline."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 (the deadline rules)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect before the deadline, to the first address of the host that answers.

        :raises Forbidden: when the host means what must not be reached
        """
        # What looks up the name has a time limit of its own: the resolver's, by default some seconds.
        try:
            *others, last = self._outbound.addresses(host, port)
        except (OSError, UnicodeError) as error:  # a name with an empty part, or one that is too long
            raise httpcore.ConnectError(str(error)) from error
        for each in others:
            with suppress(httpcore.ConnectError):
                return _Stream(httpcore.SyncBackend().connect_tcp(each, port, left(), local_address, socket_options))
        return _Stream(httpcore.SyncBackend().connect_tcp(last, port, left(), local_address, socket_options))


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
