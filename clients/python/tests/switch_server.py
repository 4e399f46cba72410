"""A small engine: kill switches over HTTP as the real one answers them, and faults that the real one should not have.

python switch_server.py PORT    serves on its own, and takes `PUT /switches` with {model: switch}.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

HEARTBEAT = 1.0
Switches = dict[str, dict[str, Any]]


def setting(mode: str, share: float = 1.0, *, salt: str = "s", version: str = "", **labels: str) -> dict[str, Any]:
    """Return one setting as the engine writes it."""
    scope = {"version": version, "labels": labels}
    return {"scope": scope, "mode": mode, "share": share, "salt": salt, "fallback": "baseline", "reason": "drill"}


def switch(seq: int, *settings: dict[str, Any], serving: str = "") -> dict[str, Any]:
    """Return the object of `<model>.switch`."""
    mode = settings[0]["mode"] if settings else "live"
    return {"seq": seq, "mode": mode, "serving": serving, "fallback": "baseline", "settings": list(settings)}


def live(seq: int = 0) -> dict[str, Any]:
    """Return the object of a model that answers."""
    return switch(seq)


class SwitchServer:
    """Serves on a port of this machine, in a thread of its own."""

    def __init__(self, port: int = 0, switches: Switches | None = None, *, digest: bool = True) -> None:
        """Serve these switches; with `digest`, a changed byte can be noticed."""
        self.switches = switches or {}
        self.digest, self.token = digest, ""
        self.status, self.metadata = 200, {}
        self.mangled: Callable[[bytes], bytes] = lambda body: body
        self.changes, self.mangled_change = True, self.mangled
        self.streams, self.heartbeats = True, True
        self.asked, self.confirmed, self.opened = [], [], []
        self._waiting: set[asyncio.Event] = set()
        self._connections: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", port), self._loop
        ).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def seq(self) -> int:
        """The number of the last change."""
        return max((each["seq"] for each in self.switches.values()), default=0)

    def set(self, **switches: dict[str, Any]) -> None:
        """Change switches, and announce it; a `_` in a name stands for a hyphen."""
        self.replace({**self.switches, **{model.replace("_", "-"): value for model, value in switches.items()}})

    def replace(self, switches: Switches) -> None:
        """Serve other switches from now on, and announce it."""
        self.switches = switches
        self.announce()

    def announce(self) -> None:
        """Tell all who listen to ask again."""
        self._loop.call_soon_threadsafe(lambda: [each.set() for each in self._waiting])

    def close(self) -> None:
        """Stop, and cut every connection."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self) -> None:
        """Cut every connection, as a proxy that restarts."""
        self._loop.call_soon_threadsafe(lambda: [each.transport.abort() for each in list(self._connections)])

    async def _close(self) -> None:
        self._server.close()
        mine = asyncio.current_task()
        serving = [task for task in asyncio.all_tasks() if task is not mine]
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other end has gone, or the server stops
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = line.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if self.token and headers.get("authorization") != f"Bearer {self.token}":
            writer.write(_response(401, b"{}"))
        elif path.startswith("/ofrep/v1/evaluate/flags"):
            writer.write(self._flags(path, headers))
        elif path.startswith("/ofrep/v1/events"):
            return await self._events(path, headers, writer)
        elif path == "/v1/confirmations":
            self.confirmed.append(json.loads(body))
            writer.write(_response(204, b""))
        elif (method, path) == ("PUT", "/switches"):
            self.replace(json.loads(body))
            writer.write(_response(204, b""))
        else:
            writer.write(_response(404, b"{}"))
        await writer.drain()
        return True

    def _flags(self, path: str, headers: Mapping[str, str]) -> bytes:
        self.asked.append(path)
        if self.status != 200:
            return _response(self.status, b"{}")
        body = json.dumps(self.answer()).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        if headers.get("if-none-match") == etag:
            return _response(304, b"", {"ETag": etag})
        more = {"ETag": etag}
        if self.digest:
            more["Content-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        return _response(200, self.mangled(body), more)

    def answer(self) -> dict[str, Any]:
        """Return all flags as OFREP writes them, for a request that says nothing of itself."""
        flags = [flag for model, value in self.switches.items() for flag in _flags(model, value)]
        streams = [{"type": "sse", "endpoint": {"requestUri": "/ofrep/v1/events"}}] if self.streams else []
        known = {"seq": self.seq, **({"state": self._state(self.switches)} if self.changes else {}), **self.metadata}
        return {"flags": flags, "eventStreams": streams, "metadata": known}

    def _state(self, switches: Switches) -> str:
        """Return the name of a state: of all that is said, as who holds a state of this name does not ask again."""
        return hashlib.sha256(json.dumps([switches, self.metadata], sort_keys=True).encode()).hexdigest()[:32]

    def change(self, before: Switches) -> bytes:
        """Return the event that leads from other switches to these."""
        after = self.switches
        flags = [flag for model, value in after.items() if before.get(model) != value for flag in _flags(model, value)]
        etag = f'"{hashlib.sha256(json.dumps(self.answer()).encode()).hexdigest()}"'
        said = {
            "since": self._state(before),
            "state": self._state(after),
            "seq": self.seq,
            "etag": etag,
            "flags": flags,
        }
        body = json.dumps(said).encode()
        digest = base64.b64encode(hashlib.sha256(body).digest())
        return b"event: switches\ndata: %b\ndata: %b\n\n" % (digest, self.mangled_change(body))

    async def _events(self, path: str, headers: Mapping[str, str], writer: asyncio.StreamWriter) -> bool:
        self.opened.append(headers.get("last-event-id", ""))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        changed = asyncio.Event()
        changed.set()
        self._waiting.add(changed)
        told: Switches | None = None
        try:
            while True:
                if changed.is_set():
                    changed.clear()
                    if told is not None and self.changes and "changes=true" in path and not told.keys() - self.switches:
                        writer.write(self.change(told))
                    told = self.switches
                    etag = f', "etag": "\\"{self._state(told)}\\""' if self.changes else ""
                    writer.write(f'id: {self.seq}\ndata: {{"type": "refetchEvaluation"{etag}}}\n\n'.encode())
                elif self.heartbeats:
                    writer.write(b": alive\n\n")
                await writer.drain()
                try:
                    await asyncio.wait_for(changed.wait(), HEARTBEAT)
                except asyncio.TimeoutError:
                    continue
        finally:
            self._waiting.discard(changed)


def _flags(model: str, value: dict[str, Any]) -> list[dict[str, Any]]:
    serve = all(each["mode"] == "live" for each in value["settings"])
    about = {"reason": "STATIC", "metadata": {"seq": value["seq"]}}
    return [
        {"key": f"{model}.serve", "value": serve, "variant": "model" if serve else value["mode"], **about},
        {"key": f"{model}.mode", "value": value["mode"], "variant": value["mode"], **about},
        {"key": f"{model}.switch", "value": value, "variant": value["mode"], **about},
    ]


def _response(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    length = {} if status in (204, 304) else {"Content-Type": "application/json", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in {**length, **(headers or {})}.items())
    return f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + body


if __name__ == "__main__":
    print(SwitchServer(int(sys.argv[1])).url, flush=True)
    threading.Event().wait()
