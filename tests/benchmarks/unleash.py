"""The same questions asked of Unleash, a feature-flag server that people use for kill switches, on PostgreSQL.

Unleash is installed by `make bench-peer`. It is asked through its frontend API, which evaluates on the server as ours
does; it has one flag there, so that it has the least to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import httpx
import switches
from contract.sources.postgresql import PASSWORD, PostgreSQL
from contract.sources.programs import free_port, program
from interfaces.serving import FILES, Served, prepared
from interfaces.switches import CARD, FLAGS, evaluated, switched

FOLDER = Path(__file__).parent.parent.parent / ".bench-peer"
TOKEN = "default:development.0123456789abcdef"  # noqa: S105 (of a server that lives for a minute)
FLAG = "m-0.serve"
PULLS = 10
ASKED = "/api/frontend?userId=user-1&properties[region]=eu&appName=bench"
PROJECT = "/api/admin/projects/default/features"


@contextmanager
def unleash() -> Iterator[tuple[httpx.Client, int, int]]:
    """Run it; give a client, its port and its process."""
    postgresql, port = PostgreSQL(), free_port()
    settings = {
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": str(postgresql.port),
        "DATABASE_NAME": "postgres",
        "DATABASE_USERNAME": "owner",
        "DATABASE_PASSWORD": PASSWORD,
        "DATABASE_SSL": "false",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "AUTH_TYPE": "none",
        "INIT_FRONTEND_API_TOKENS": TOKEN,
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
        "LOG_LEVEL": "error",
        "NODE_ENV": "production",
    }
    script = FOLDER / "node_modules" / "unleash-server" / "dist" / "server.js"
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [program("node", "install Node 20 or newer"), script],
            env={**os.environ, **settings}, cwd=FOLDER, stdout=output, stderr=output,
        )  # fmt: skip
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as http:
                until(lambda: http.get("/health").is_success, 120)
                yield http, port, process.pid
        finally:
            process.kill()
            process.wait()
            postgresql.remove()


def until(found: object, seconds: float = 60) -> float:
    """Return the instant at which something has become true, looking again and again."""
    assert callable(found)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        try:
            if found():
                return time.perf_counter()
        except httpx.TransportError:
            time.sleep(0.2)
    raise TimeoutError(f"not within {seconds} s")


def peer() -> list[float]:
    """Print how often Unleash answers; return how long after a change its answer changes."""
    with unleash() as (http, port, process):
        environment = f"{PROJECT}/{FLAG}/environments/development"
        rollout = {"rollout": "100", "stickiness": "default", "groupId": FLAG}
        http.post(PROJECT, json={"name": FLAG, "type": "kill-switch"}).raise_for_status()
        strategy = {"name": "flexibleRollout", "parameters": rollout}
        http.post(f"{environment}/strategies", json=strategy).raise_for_status()

        def serves() -> bool:
            answer = http.get(ASKED, headers={"Authorization": TOKEN})
            return FLAG in answer.raise_for_status().text

        waits = []
        for number in range(PULLS):
            on = number % 2 == 0
            http.post(f"{environment}/{'on' if on else 'off'}").raise_for_status()
            changed = time.perf_counter()
            waits.append(until(lambda on=on: serves() is on) - changed)
        http.post(f"{environment}/on").raise_for_status()
        until(serves)
        switches.pinned(process, 0)
        head = f"GET {ASKED} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {TOKEN}\r\n\r\n"
        switches.rate("Unleash", process, port, head.encode())
        return waits


def ours() -> list[float]:
    """Print how often we answer; return how long after a change our answer changes."""
    with tempfile.TemporaryDirectory() as folder:
        served = Served(
            prepared(Path(folder) / "own", {"org.yaml": FILES["org.yaml"], "m-0.yaml": CARD.format("m-0")}), cold=True
        )
        try:
            waits = []
            for number in range(PULLS):
                seq = switched(served, "m-0", "stopped" if number % 2 == 0 else "live")
                changed = time.perf_counter()
                seen = until(lambda seq=seq: evaluated(served, FLAG)["metadata"]["seq"] == seq)
                waits.append(seen - changed)
            switches.pinned(served.process.pid, 0)
            body = b'{"context":{"targetingKey":"user-1","region":"eu"}}'
            switches.rate("ours", served.process.pid, served.port, switches.posted(f"{FLAGS}/{FLAG}", body))
            return waits
        finally:
            served.close()


def main() -> None:
    """Print both, side by side."""
    print(f"one flag, {switches.CONNECTIONS} connections on one core{'median':>60}{'p99':>13}")
    rows = [("ours", ours()), ("Unleash", peer())]
    print(f"\n{'change → another answer':<34}{'median':>13}{'p99':>13}{'longest':>13}")
    for name, waits in rows:
        print(f"{name:<34}{switches.quantiles(waits)}")


if __name__ == "__main__":
    main()
