"""A way to the engine on which answers are lost: the engine does what it was asked, and nobody hears of it."""

from __future__ import annotations

import threading

import httpx

from governance.client import Client


class Losing(httpx.BaseTransport):
    """Loses the answers of the next writes; `keys` are those under which writes were sent.

    Nothing is sent while it is `unreached`; no answer comes back before `through` is set.
    """

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner, self.left, self.keys = inner, 0, list[str]()
        self.unreached = False
        self.through = threading.Event()
        self.through.set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, and its answer unless it is to be lost."""
        if request.method != "POST":
            return self._inner.handle_request(request)
        if self.unreached:
            raise httpx.ConnectError("connection refused", request=request)
        key = request.headers.get("Idempotency-Key")
        answer = self._inner.handle_request(request)
        if key is None:  # a question
            return answer
        self.keys.append(key)
        self.through.wait(20)
        if not self.left:
            return answer
        self.left -= 1
        answer.close()
        raise httpx.ReadTimeout("no answer", request=request)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def losing(client: Client) -> Losing:
    """Let a client lose answers from now on."""
    http = client._http
    made = Losing(http._transport)
    http._transport = made
    return made
