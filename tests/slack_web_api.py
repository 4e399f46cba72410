"""A small Slack Web API on loopback: channels, messages, threads and metadata, with faults that a test orders."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CHANNELS = {"ml-incidents": "C0INCIDENTS", "travel": "C0TRAVEL"}


class WebApi:
    """What a workspace holds; `faults` are used up one by one, each by the next call of a method that it names.

    A fault is (method or "*", what): a number is an HTTP status (429 with Retry-After), "lost" takes the call and
    closes the connection, another word is an error that Slack answers with.
    """

    def __init__(self) -> None:
        self.messages: dict[str, list[dict[str, Any]]] = {each: [] for each in CHANNELS.values()}
        self.names = dict(CHANNELS)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.faults: list[tuple[str, int | str]] = []
        self.down = False
        self.address = ""
        self._count = 0
        self._lock = threading.Lock()

    def roots(self, channel: str = "C0INCIDENTS") -> list[dict[str, Any]]:
        """Return the messages of a channel that stand in no thread."""
        return [each for each in self.messages[channel] if "thread_ts" not in each]

    def replies(self, root: dict[str, Any], channel: str = "C0INCIDENTS") -> list[dict[str, Any]]:
        """Return the messages of a thread below its first."""
        return [each for each in self.messages[channel] if each.get("thread_ts") == root["ts"]]

    def answer(self, method: str, given: dict[str, Any]) -> tuple[int, dict[str, Any] | None, dict[str, str]]:
        """Return the status, the body (None: the connection is closed) and headers of a call."""
        with self._lock:
            self.calls.append((method, given))
            fault = self._fault(method)
            if fault == 429:
                return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"}
            if isinstance(fault, int):
                return fault, {}, {}
            if fault and fault != "lost":
                return 200, {"ok": False, "error": fault}, {}
            found = getattr(self, "_" + method.replace(".", "_"), lambda _: {})(given)
            body = {"ok": "error" not in found, **found}
            return (0, None, {}) if fault == "lost" else (200, body, {})

    def _fault(self, method: str) -> int | str:
        if self.down:
            return 503
        for place, (wanted, what) in enumerate(self.faults):
            if wanted in (method, "*"):
                del self.faults[place]
                return what
        return ""

    def _chat_postMessage(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        channel = self.names.get(given["channel"].removeprefix("#"), given["channel"])
        if channel not in self.messages and not channel.startswith("D"):
            return {"error": "channel_not_found"}
        self._count += 1
        kept = ("text", "blocks", "metadata", "thread_ts", "reply_broadcast")
        message = {name: given[name] for name in kept if name in given}
        message["ts"] = f"1700000000.{self._count:06}"
        self.messages.setdefault(channel, []).append(message)
        return {"channel": channel, "ts": message["ts"]}

    def _chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        found = [each for each in self.messages[given["channel"]] if each["ts"] == given["ts"]]
        if not found:
            return {"error": "message_not_found"}
        found[0].update({name: given[name] for name in ("text", "blocks") if name in given}, edited=True)
        return {"channel": given["channel"], "ts": given["ts"]}

    def _conversations_history(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"messages": self.roots(given["channel"])[::-1]}

    def _conversations_replies(self, given: dict[str, Any]) -> dict[str, Any]:
        root = next(each for each in self.messages[given["channel"]] if each["ts"] == given["ts"])
        return {"messages": [root, *self.replies(root, given["channel"])]}

    def _conversations_list(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"channels": [{"name": name, "id": each} for name, each in self.names.items()]}

    def _conversations_open(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"channel": {"id": f"D{given['users']}"}}

    def _conversations_create(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["name"] in self.names:
            return {"error": "name_taken"}
        made = self.names[given["name"]] = f"C0{given['name'].upper().replace('-', '')}"
        self.messages[made] = []
        return {"channel": {"id": made}}

    def _chat_getPermalink(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"permalink": f"https://example.slack.com/archives/{given['channel']}/p{given['message_ts']}"}

    def _files_getUploadURLExternal(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"upload_url": f"{self.address}upload.bytes", "file_id": "F1"}

    def _files_completeUploadExternal(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"files": given["files"]}


@contextmanager
def web_api() -> Iterator[WebApi]:
    """Run one."""
    api = WebApi()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body, headers = api.answer(urlsplit(self.path).path.rpartition("/")[2], self._given(raw))
            if body is None:
                self.close_connection = True
                return
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815

        def _given(self, raw: bytes) -> dict[str, Any]:
            if self.headers.get("Content-Type", "").startswith("application/json"):
                return dict(json.loads(raw))
            if self.path.endswith("upload.bytes"):
                return {"bytes": raw}
            query = urlsplit(self.path).query
            pairs = {name: values[0] for name, values in parse_qs(raw.decode() or query).items()}
            return {name: json.loads(value) if value[:1] in "[{" else value for name, value in pairs.items()}

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.address = f"http://127.0.0.1:{server.server_address[1]}/api/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
