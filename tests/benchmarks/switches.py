"""Time kill switches: how many evaluations a core answers, how soon a pull is seen, and what open streams cost.

The server has one core and who asks another; where others use the machine too, evaluations per second of the server's
own processor time say more than those per second of the clock.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import listening
from interfaces.serving import FILES, Served, prepared
from interfaces.switches import CARD, FLAGS, known, switched
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.exception import OpenFeatureError

MODELS = 100
SECONDS = 5.0
CONNECTIONS = 16
STREAMS = 10_000


def processor(process: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pinned(process: int, core: int) -> None:
    """Let all threads of a process run on one core."""
    for thread in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def asked(port: int, request: bytes, *, core: int = 1, connections: int = CONNECTIONS) -> dict[str, Any]:
    """Ask over and over from another process; return what it says."""
    script = Path(__file__).parent / "asking.py"
    command = [sys.executable, str(script), "127.0.0.1", str(port), str(connections), str(SECONDS), str(core)]
    done = subprocess.run(command, input=request, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def posted(path: str, body: bytes) -> bytes:
    """Return a request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    return head.encode() + b"\r\n" + body


def rate(name: str, process: int, port: int, request: bytes) -> None:
    """Print how often a question is answered."""
    before = processor(process)
    found = asked(port, request)
    used = processor(process) - before
    print(
        f"{name:<34}{found['answers'] / SECONDS:>10,.0f}/s{found['answers'] / used:>12,.0f}/s of processor"
        f"{found['p50'] * 1000:>10.2f} ms{found['p99'] * 1000:>10.2f} ms{found['wrong']:>8} wrong"
    )


def quantiles(seconds: Sequence[float]) -> str:
    """Return the median, the 99th percentile and the longest, in ms."""
    found = sorted(seconds)
    picked = (found[len(found) // 2], found[len(found) * 99 // 100], found[-1])
    return "".join(f"{each * 1000:>10.1f} ms" for each in picked)


def hung(served: Served) -> float:
    """Return how long one call of the stock client takes, with the time limit that it has by itself."""
    provider = OFREPProvider(served.url)
    started = time.perf_counter()
    with suppress(OpenFeatureError):
        provider.resolve_boolean_details("m-0.serve", default_value=True)
    return time.perf_counter() - started


async def propagation(served: Served, count: int, pulls: int) -> None:
    """Print how long after its commit a pull is told on each of the open streams."""
    started = time.perf_counter()
    listeners = await listening.opened(served.port, count)
    opening = time.perf_counter() - started
    waits: list[float] = []
    for number in range(pulls):
        seq = await asyncio.to_thread(switched, served, "m-1", "fallback" if number % 2 == 0 else "live")
        committed = time.perf_counter()
        instants = await listening.seen(listeners, seq)
        assert len(instants) == count, f"{count - len(instants)} streams were not told"
        waits.extend(max(each - committed, 0.0) for each in instants)
    memory = Path(f"/proc/{served.process.pid}/status").read_text().partition("VmRSS:")[2].split()[0]
    print(f"{f'told on {count:,} streams':<34}{quantiles(waits)}", end="")
    print(f"    opened in {opening:.1f} s, {int(memory) / 1024:.0f} MB")
    if count == STREAMS:
        request = posted(f"{FLAGS}/m-0.serve", b"{}")
        found = await asyncio.to_thread(asked, served.port, request)
        print(f"{'reads meanwhile':<34}{found['p50'] * 1000:>10.1f} ms{found['p99'] * 1000:>10.1f} ms", end="")
        print(f"{found['worst'] * 1000:>10.1f} ms    {found['answers'] / SECONDS:,.0f}/s, {found['wrong']} wrong")
    await listening.closed(listeners)


def main() -> None:
    """Print the tables."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cards = {f"m-{n}.yaml": CARD.format(f"m-{n}") for n in range(MODELS)}
    with tempfile.TemporaryDirectory() as folder:
        served = Served(prepared(Path(folder) / "own", {"org.yaml": FILES["org.yaml"], **cards}), cold=True)
        try:
            known(served, "m-0", switched(served, "m-0", "throttle", share=0.25))
            pinned(served.process.pid, 0)
            body = b'{"context":{"targetingKey":"user-1","version":"3","region":"eu"}}'
            print(f"{MODELS} models; {CONNECTIONS} connections ask one flag, or all{'median':>38}{'p99':>13}")
            for name, path in (
                ("one flag, throttled", f"{FLAGS}/m-0.serve"),
                ("one flag, live", f"{FLAGS}/m-2.serve"),
                ("the object of a switch", f"{FLAGS}/m-0.switch"),
                (f"all {3 * MODELS} flags", FLAGS),
            ):
                rate(name, served.process.pid, served.port, posted(path, body))
            served.process.send_signal(signal.SIGSTOP)
            print(f"\nthe client for Python that others wrote, the engine hung: {hung(served):.2f} s for one call")
            served.process.send_signal(signal.SIGCONT)
            print(f"\n{'commit of a pull → told':<34}{'median':>13}{'p99':>13}{'longest':>13}")
            for count, pulls in ((1, 100), (500, 10), (min(STREAMS, hard // 2), 3)):
                asyncio.run(propagation(served, count, pulls))
        finally:
            served.close()


if __name__ == "__main__":
    main()
