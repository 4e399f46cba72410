"""What a person at Slack's screen sees and does: a client of the `/ui` WebSocket of local-slack."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from workspace.frames import TEXT, text_frame


class Screen:
    """One open screen: the windows on it, the last one on top, and what Slack says about wrong answers."""

    def __init__(self, port: int) -> None:
        self.modals: list[dict[str, Any]] = []
        self.homes: dict[str, dict[str, Any]] = {}
        self.errors: dict[str, str] = {}
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /ui HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._stream = self._socket.makefile("rb")
        assert b" 101 " in self._stream.readline()
        while self._stream.readline() != b"\r\n":
            pass
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._follow, daemon=True, name="slack screen")
        self._thread.start()

    def do(self, what: str, **how: Any) -> None:
        """Do one thing: view_submit, view_close, block_action, slash_command, open_home."""
        self.errors = {}
        self._socket.sendall(text_frame(json.dumps({"t": what, **how}), masked=True))

    def close(self) -> None:
        """Close the screen."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)
        self._stream.close()

    def _follow(self) -> None:
        with suppress(OSError, ValueError):
            for said in self._said():
                self._take(said)

    def _take(self, said: dict[str, Any]) -> None:
        match said["t"]:
            case "init":
                self.modals = said["state"]["modalStack"]
            case "view":
                self.modals = said["stack"]
            case "view_errors":
                self.errors = said["errors"]
            case "home":
                self.homes[said["user"]] = said["view"]

    def _said(self) -> Iterator[dict[str, Any]]:
        while head := self._stream.read(2):
            size = head[1] & 0x7F
            if size >= 126:
                size = int.from_bytes(self._stream.read(2 if size == 126 else 8))
            body = self._stream.read(size)
            if head[0] & 0x0F == TEXT:
                yield json.loads(body)
