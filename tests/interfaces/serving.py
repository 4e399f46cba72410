"""`gov serve` as a user runs it: a process, its port, and what it printed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import warm
from transcripts.workspace import Workspace

_MAIN = "from governance.cli.main import main; main()"
GOV = (sys.executable, "-c", _MAIN)
_STARTED = r"started on (http://\S+):"
FILES = {
    "org.yaml": """
kind: org
people: {ana: {}}
sources: {pushed: {kind: push}}
cycle: {every: 1s}
""",
    "loans.yaml": """
kind: card
model: loans
owners: {team: t, accountable: ana}
metrics:
  errors: {source: pushed, query: error_rate, every: 1s, stale_after: 1h}
  by_origin: {source: pushed, query: by_origin, labels: [origin]}
rules: [{rule: errors-high, when: metrics.errors > 0.5, severity: critical, summary: "Errors at {metrics.errors}"}]
""",
}


def prepared(directory: Path, files: Mapping[str, str] = FILES) -> Path:
    """Write the policies."""
    (directory / "policies").mkdir(parents=True)
    for name, text in files.items():
        (directory / "policies" / name).write_text(text.lstrip(), encoding="utf-8")
    return directory


def gov(directory: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command here and wait for its end."""
    return warm.run(_MAIN, arguments, cwd=directory, env=_environment() | settings)


def ask(directory: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command here within this process, where a process of its own proves nothing more."""
    return Workspace(directory).ask(*arguments, **settings)


class Served:
    """A running `gov serve` on a port of its own choice."""

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        port: int = 0,
        before: str = "",
        ready: str = "",
        cold: bool = False,
        **settings: str,
    ) -> None:
        """Start it, having run a piece of Python `before`, and wait until it says where it listens, or `ready`.

        A cold start is that of a user: nothing is imported yet. With `before` it is one, as what that changes must not
        have been imported under its name elsewhere.
        """
        self.directory = directory
        self.output = directory / f"serve-{uuid.uuid4().hex[:8]}.log"
        command = ("serve", "--port", str(port), *arguments)
        with self.output.open("wb") as output:
            self.process = (_cold if cold or before else warm.Forked)(
                f"{before}\n{_MAIN}", command, cwd=directory, env=_environment() | settings,
                stdout=output, stderr=output,
            )  # fmt: skip
        try:
            found = self.until(lambda: re.search(ready or _STARTED, self.printed))
        except BaseException:
            self.close()
            raise
        self.url = "" if ready else found[1]
        self.http = httpx.Client(base_url=self.url, timeout=20, trust_env=False)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self.url.rpartition(":")[2])

    @property
    def printed(self) -> str:
        """All that it printed."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def until(self, found: Any, seconds: float = 40) -> Any:
        """Return what `found` gives as soon as that is something."""
        end = time.monotonic() + seconds
        while True:
            value = found()
            if value:
                return value
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.printed}"
            assert time.monotonic() < end, f"not within {seconds} s; it printed: {self.printed}"
            time.sleep(0.05)

    def push(self, *samples: Mapping[str, Any], key: str = "", source: str = "pushed") -> httpx.Response:
        """Post samples under a key, a new one by default."""
        body = json.dumps({"source": source, "samples": samples})
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or uuid.uuid4().hex}
        return self.http.post("/v1/samples", content=body, headers=headers)

    def figures(self) -> dict[str, float]:
        """Return the figures by name and labels, as Prometheus's format writes them."""
        lines = [line for line in self.http.get("/metrics").text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return how the process ended."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def close(self) -> None:
        """End it, if it has not ended."""
        with suppress(AttributeError):
            self.http.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def sample(value: float | None = 0.9, **more: Any) -> dict[str, Any]:
    """Return one sample of the card's metric, for this second."""
    time_ = datetime.now(UTC).isoformat(timespec="seconds")
    return {"model": "loans", "metric": "error_rate", "time": time_, "value": value, **more}


def _cold(code: str, arguments: Sequence[str], **how: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], **how)


def _environment() -> dict[str, str]:
    hidden = ("GOV_", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
