"""A stricter Web API of Slack: `emulate` (npm), which knows scopes, metadata, triggers that expire, and bookmarks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contract.sources.programs import free_port, program
from workspace.proxy import Proxy
from workspace.server import package

BOT = "xoxb-of-the-tests"


class Emulated:
    """A running `emulate` with one app whose token has these scopes."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.faults = proxy.faults
        self.address = f"{proxy.url}api/"
        self.bot_token = BOT

    def settings(self, channel: str = "ml-incidents", **more: Any) -> dict[str, Any]:
        """Return a notifier of kind slack that talks to it."""
        return {"kind": "slack", "channel": channel, "address": self.address, "loopback": True, **more}


@contextmanager
def emulated(folder: Path, *scopes: str) -> Iterator[Emulated]:
    """Run a Web API that grants these scopes alone until the block ends."""
    node = program("node", "install Node 20 or newer, then run: make test")
    inner = free_port()
    proxy = Proxy(inner)
    seed = folder / "emulate.json"
    seed.write_text(json.dumps({"slack": _seed(scopes)}))
    start = [node, package("emulate/dist/index.js"), "start", "--service", "slack", "--port", str(inner)]
    proxy.start([*start, "--seed", seed, "--base-url", proxy.url.rstrip("/")], folder / "emulate.log")
    try:
        yield Emulated(proxy)
    finally:
        proxy.stop()


def _seed(scopes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "strict_scopes": True,
        "team": {"name": "Tests", "domain": "tests"},
        "users": [{"name": name, "email": f"{name}@example.org"} for name in ("ann", "bob", "cy", "dee")],
        "channels": [{"name": name} for name in ("ml-incidents", "credit")],
        "bots": [{"name": "gov"}],
        "tokens": [{"token": BOT, "user": "gov", "scopes": list(scopes)}],
    }
