"""A web server on the loopback that answers what it is told, and every fault that a real one may have."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from contract.sources.case import Fault

_OK = "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends RST


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; `form` holds the parameters of its body and of its address."""

    method: str
    path: str
    form: Mapping[str, str]
    headers: Mapping[str, str]


class FaultServer:
    """Answers a path with what `told` holds for it (JSON, or bytes as they are), until `fault` is set.

    A callable in `told` is given the request. `asked` lists the requests in their order.
    """

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}
        self.asked: list[Asked] = []
        self.fault: Fault | None = None
        self.garbage = b"<html>\x00\x07 not what was asked"
        self.echo = ""
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        """Have a fault for a while."""
        self.fault = fault
        if fault == "refused":
            self._hang_up()
        try:
            yield
        finally:
            self.fault = None
            if fault == "refused":
                self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
                self._threads.append(threading.Thread(target=self._accept, daemon=True))
                self._threads[-1].start()

    def close(self) -> None:
        self._over.set()
        self._hang_up()
        for each in self._threads:
            each.join(timeout=5)

    def _hang_up(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def _accept(self) -> None:
        listener = self._listener
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._served, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _served(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = _read(connection)
            if request is None:
                return
            self.asked.append(request)
            if self.fault is None:
                status, body = self._answer(request)
                connection.sendall(_OK.format(status=status, size=len(body)).encode() + body)
            else:
                self._fail(connection, self.fault)

    def _answer(self, request: Asked) -> tuple[int, bytes]:
        found = self.told.get(request.path, (404, {"error": "no such path"}))
        if callable(found):
            found = found(request)
        status, body = found if isinstance(found, tuple) else (200, found)
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()

    def _fail(self, connection: socket.socket, fault: Fault) -> None:
        if fault == "silent":
            self._over.wait(timeout=5)
        elif fault == "drip":
            self._drip(connection)
        elif fault == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        elif fault == "cut":
            connection.sendall(_OK.format(status=200, size=1000).encode() + b'{"status": "succ')
        elif fault == "error":
            body = f"overloaded\r\n\x1b[31m {self.echo}".encode()
            connection.sendall(_OK.format(status=503, size=len(body)).encode() + body)
        else:
            connection.sendall(_OK.format(status=200, size=len(self.garbage)).encode() + self.garbage)

    def _drip(self, connection: socket.socket) -> None:
        """Send the head, and then an endless header, byte by byte."""
        end = time.monotonic() + 5
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while self.fault == "drip" and time.monotonic() < end:
            connection.sendall(b"x")
            self._over.wait(timeout=0.05)


def _read(connection: socket.socket) -> Asked | None:
    connection.settimeout(5)
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    return Asked(method, parts.path, dict(parse_qsl(f"{parts.query}&{body.decode()}")), headers)
