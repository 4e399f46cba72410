"""The terminal app over 10,000 models, 500 of which change each second: its share of a core, its keys, its first paint.

The app runs in a terminal of its own (a pty), as for a person; an engine's answers are played to its HTTP client, so
that reading them counts, and serving them does not. Beside it stands the framework's DataTable with the same changes.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import httpx

MODELS, CHANGES = 10_000, 500
SIZE = (150, 44)
WARM, SECONDS, KEYS = 8.0, 8.0, 60
CURSOR = "▌".encode()


def row(index: int, step: int) -> dict[str, object]:
    """Return one model as the engine's API tells it, after so many changes."""
    value = 0.1 + 0.02 * ((index + step) % 7)
    severity = "critical" if index % 997 == 0 else "warning" if index % 97 == 0 else "none"
    now = datetime.now(UTC).isoformat()
    metric = {"name": "psi", "value": value, "limit": 0.25, "history": [value * (each % 5) / 4 for each in range(60)]}
    return {
        "model": f"model-{index:05}", "tier": index % 3 + 1, "team": f"team-{index % 40}", "severity": severity,
        "mode": "live", "metric": metric, "latency_p99": 0.12, "cost_per_1k": 0.4, "judged_at": now, "data_at": now,
        "outcomes": {"pass": 9, "fail": 1},
    }  # fmt: skip


def page(rows: list[dict[str, object]], following: str | None = None) -> bytes:
    """Return one part of the fleet."""
    import json

    now = datetime.now(UTC).isoformat()
    facts = {"environment": "bench", "as_of": now, "judged_at": now, "policy_version": "1", "tallies": {}}
    return json.dumps({**facts, "items": rows, "next": following}).encode()


class Played(httpx.BaseTransport):
    """Answers as an engine would, from what was written before."""

    def __init__(self) -> None:
        """Write all answers."""
        size = 500
        self._whole = [
            page([row(index, 0) for index in range(at, at + size)], str(at + size) if at + size < MODELS else None)
            for at in range(0, MODELS, size)
        ]
        spread = MODELS // CHANGES
        self._changes = cycle(
            [page([row(index * spread + step % spread, step) for index in range(CHANGES)]) for step in range(20)]
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        path, query = request.url.path, request.url.params
        if path == "/v1/events":
            return httpx.Response(200, stream=Beats())
        if path == "/v1/fleet":
            known = next(self._changes) if "since" in query else self._whole[int(query.get("cursor", 0)) // 500]
            return httpx.Response(200, content=known)
        if path == "/v1/whoami":
            who = {"actor": "ana", "kind": "person", "roles": [], "scopes": ["read"], "environment": "bench"}
            return httpx.Response(200, json={**who, "read_only": False})
        return httpx.Response(200, json={"items": [], "next": None})


class Beats(httpx.SyncByteStream):
    """Says once a second that something was decided."""

    def __iter__(self) -> Iterator[bytes]:
        """Yield events."""
        for seq in range(1_000_000):
            yield f'id: {seq}\ndata: {{"seq": {seq}, "kind": "alert.firing", "subject": {{}}}}\n\n'.encode()
            time.sleep(1)


def run_app() -> None:
    """Open the app over the played engine."""
    from governance.client import Client
    from tui.app import GovApp

    client = Client("http://played")
    client._http = httpx.Client(base_url="http://played", transport=Played())
    GovApp(client).run()


def run_table() -> None:
    """Open the framework's own table with the same rows and changes."""
    from textual.app import App, ComposeResult
    from textual.widgets import DataTable

    class Other(App[None]):
        def compose(self) -> ComposeResult:
            yield DataTable(cursor_type="row")

        def on_mount(self) -> None:
            table = self.query_one(DataTable)
            self.columns = table.add_columns(*(f"C{index}" for index in range(12)))
            for index in range(MODELS):
                table.add_row(*(f"{index}-{column}" for column in range(12)), key=str(index))
            self.step = 0
            self.set_interval(1, self.change)
            table.focus()

        def change(self) -> None:
            table, spread = self.query_one(DataTable), MODELS // CHANGES
            self.step += 1
            for index in range(CHANGES):
                for column in self.columns[5:8]:
                    table.update_cell(str(index * spread + self.step % spread), column, f"{self.step}")

    Other().run()


class Child:
    """A program in a terminal of its own."""

    def __init__(self, what: str) -> None:
        """Start it."""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment.pop("NO_COLOR", None)
        command = [sys.executable, __file__, what]
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)

    def read(self, seconds: float, until: bytes = b"") -> tuple[bytes, float]:
        """Return what it writes within some seconds, or until it wrote something, and how long that took."""
        found, began = b"", time.monotonic()
        while (left := began + seconds - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                found += os.read(self.master, 1 << 16)
                if until and until in found:
                    break
        return found, time.monotonic() - began

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self.master, key)

    @property
    def cpu(self) -> float:
        """CPU seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)


def share(child: Child) -> float:
    """Return which share of a core a program takes while nobody presses a key."""
    before, began = child.cpu, time.monotonic()
    child.read(SECONDS)
    return (child.cpu - before) / (time.monotonic() - began)


def latencies(child: Child, downwards: bytes, seen: bytes) -> list[float]:
    """Return how long each of some keys took from the press until the line was drawn, the shortest first."""
    found = []
    for index in range(KEYS):
        child.read(0.05 + 0.013 * (index % 7))  # so that presses fall anywhere in the second of changes
        child.press(downwards)
        found.append(child.read(5, seen)[1])
    return sorted(found)


def measured(what: str, first: bytes, seen: bytes) -> tuple[float, float, float, float]:
    """Return first paint, share of a core, and the median and 95th percentile of keys."""
    child = Child(what)
    try:
        child.read(60, first)
        paint = time.monotonic() - child.began
        child.read(WARM)
        took = share(child)
        keys = latencies(child, b"j" if what == "app" else b"\x1b[B", seen)
        return paint, took, statistics.median(keys), keys[int(len(keys) * 0.95)]
    finally:
        child.close()


def main() -> None:
    """Measure the app and the table, and print them side by side."""
    app = measured("app", b"Fleet", CURSOR)
    other = measured("table", b"C0", b"\x1b[")
    print(f"terminal app, {MODELS:,} models, {CHANGES} changes a second, {SIZE[0]}×{SIZE[1]}:")
    for name, (paint, took, middle, worst) in (("gov tui", app), ("DataTable", other)):
        print(
            f"  {name:<10} first paint {paint:5.2f} s   CPU {took:6.1%} of a core"
            f"   key to line: median {middle * 1000:6.1f} ms, p95 {worst * 1000:6.1f} ms"
        )
    print(f"  the table takes {other[1] / app[1]:.1f} times the CPU, its p95 is {other[3] / app[3]:.1f} times as long")


if __name__ == "__main__":
    {"app": run_app, "table": run_table}.get(sys.argv[1] if len(sys.argv) > 1 else "", main)()
