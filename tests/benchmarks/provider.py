"""Time what a serving process pays for its kill switches: a read, a pull, an engine that hangs, and a cold start.

The engine is a real `gov serve`. Absolute times vary with the machine and with what else runs on it, so the slowest
read is printed beside the slowest of hashes that take as long, computed in turn with them. Figures beside their targets
mean something on a machine that is otherwise idle.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from interfaces.serving import Served, prepared
from interfaces.switches import MODELS, switched
from model_governance_openfeature import GovernanceProvider, Switches
from model_governance_openfeature.switch import bucket
from openfeature import api
from openfeature.evaluation_context import EvaluationContext

PULLS = 100
SUBSCRIBERS = 500
HUNG = 6.0
COLD = 50
FLEET = 1000
MODEL = "fraud"
PAUSE = (0.08, 0.12)
"""Seconds between two pulls."""


def main() -> None:
    """Print each figure beside its target."""
    logging.disable(logging.WARNING)
    print(f"{os.cpu_count()} cores, of which others keep {os.getloadavg()[0]:.1f} busy", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        served = Served(prepared(Path(directory) / "own", MODELS), cold=True)
        try:
            reading(served)
            pulling(served, 1)
            pulling(served, SUBSCRIBERS)
            hanging(served)
        finally:
            served.process.send_signal(signal.SIGCONT)
            served.close()
        starting(Path(directory))


def reading(served: Served) -> None:
    """Time reads of a switch that is live and of one that is throttled."""
    switched(served, "churn", "throttle", share=0.25)
    switches = Switches(served.url)
    wait(lambda: switches.mode("churn") == "throttle")
    provider = GovernanceProvider(switches)
    api.set_provider_and_wait(provider)
    client = api.get_client()
    context = EvaluationContext("passenger-7", {"version": "3", "site": "JFK"})
    ways: dict[str, Callable[[], object]] = {
        "read of a live switch": lambda: switches.serve(MODEL, "passenger-7", "3"),
        "read of a throttled one": lambda: switches.serve("churn", "passenger-7", "3"),
        "the same by the provider": lambda: provider.resolve_boolean_details("churn.serve", True, context),
        "the same by the SDK's client": lambda: client.get_boolean_value("churn.serve", True, context),
    }
    for name, way in ways.items():
        times = timed(way, 20_000)
        target = "" if "SDK" in name else "20 µs"
        say(name, f"{statistics.median(times) * 1e6:.1f} µs", target, f"p99 {quantile(times, 0.99) * 1e6:.1f} µs")
    api.clear_providers()


def pulling(served: Served, count: int) -> None:
    """Time from the commit of a pull until clients have seen it: one of ours, and others that do as it does."""
    with Switches(served.url, models=[MODEL]) as switches, subscribers(served, count - 1) as others:
        seen: dict[int, float] = {}
        switches.listen(lambda *_: seen.setdefault(switches.seq, time.monotonic()))
        switches.serve(MODEL)
        time.sleep(1)
        committed = {}
        for number in range(PULLS):
            seq = switched(served, MODEL, "stopped" if number % 2 else "fallback")
            committed[seq] = time.monotonic()
            time.sleep(random.uniform(*PAUSE) * (5 if count > 1 else 1))  # noqa: S311 - out of step with the engine
        wait(lambda: seq in seen)
        ours = [seen[seq] - at for seq, at in committed.items() if seq in seen]
        theirs = [at - committed[seq] for seq, at in others if seq in committed]
    target = "50 ms" if count == 1 else "250 ms"
    say(
        f"pull → seen, {count} subscriber{'s' if count > 1 else ''}",
        ms(quantile(ours, 0.99)),
        target,
        f"p99; median {ms(quantile(ours, 0.5))}",
    )
    if theirs:
        missed = (count - 1) * len(committed) - len(theirs)
        said = f"p99; median {ms(quantile(theirs, 0.5))}; {missed} came with the next pull"
        say(f"  by the other {count - 1}", ms(quantile(theirs, 0.99)), target, said)


def hanging(served: Served) -> None:
    """Time reads while the engine is stopped, among them the moments when the client gives up and tries again."""
    switched(served, MODEL, "fallback")
    with Switches(served.url) as switches:
        wait(lambda: not switches.serve(MODEL))
        served.process.send_signal(signal.SIGSTOP)
        slowest, idle, wrong, reads = 0.0, 0.0, 0, 0
        bucket("warm", "up")
        gc.disable()
        end = time.perf_counter() + HUNG
        while time.perf_counter() < end:
            began = time.perf_counter()
            wrong += switches.serve(MODEL)
            between = time.perf_counter()
            bucket(MODEL, "passenger-7")
            ended = time.perf_counter()
            slowest, idle, reads = max(slowest, between - began), max(idle, ended - between), reads + 1
        gc.enable()
        served.process.send_signal(signal.SIGCONT)
    said = f"slowest of {reads:,}; of as many hashes {ms(idle)}; {wrong} wrong"
    say(f"read, engine hung for {HUNG:g} s", ms(slowest), "5 ms", said)


def starting(directory: Path) -> None:
    """Time starts while nothing listens where the engine was, with the snapshot of a fleet and without."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    path = directory / "switches"
    fleet(path, url)
    for name, snapshot in ((f"snapshot of {FLEET:,} models", path), ("no snapshot", None)):
        times = []
        for _ in range(COLD):
            began = time.perf_counter()
            switches = Switches(url, snapshot=snapshot)
            switches.serve("m7")
            times.append(time.perf_counter() - began)
            assert switches.known is (snapshot is not None)
            switches.close()
        said = f"median; p99 {ms(quantile(times, 0.99))}"
        say(f"cold start, {name}", ms(statistics.median(times)), "20 ms", said)


def fleet(path: Path, url: str) -> None:
    """Write the snapshot of a fleet."""
    from model_governance_openfeature import snapshot
    from model_governance_openfeature.answer import held_of

    flags: list[dict[str, object]] = []
    for number in range(FLEET):
        whole = {"model": f"m{number}", "serving": "3", "mode": "live", "seq": number, "settings": []}
        for kind, value in (("serve", True), ("mode", "live"), ("switch", whole)):
            about = {"variant": "live", "reason": "STATIC", "metadata": {"seq": number, "fallback": "rules"}}
            flags.append({"key": f"m{number}.{kind}", "value": value, **about})
    snapshot.save(path, url, held_of(json.loads(json.dumps({"flags": flags}))))


@contextmanager
def subscribers(served: Served, count: int) -> Iterator[list[tuple[int, float]]]:
    """Have others listen meanwhile; what they saw, and when, comes into the list."""
    seen: list[tuple[int, float]] = []
    if count == 0:
        yield seen
        return
    command = [sys.executable, str(Path(__file__).with_name("subscribers.py")), str(served.port), str(count), MODEL]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    while next(lines) != "ready\n":
        pass

    def read() -> None:
        seen.extend((int(seq), float(at)) for seq, at in (line.split() for line in lines))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield seen
    finally:
        process.kill()
        reader.join()
        process.wait()


def timed(call: Callable[[], object], count: int) -> list[float]:
    """Return the seconds of each call."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times


def wait(holds: Callable[[], object]) -> None:
    """Wait until it holds."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it did not come to hold within 30 s"
        time.sleep(0.002)


def quantile(times: list[float], share: float) -> float:
    """Return the time that this share of them do not exceed."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def ms(seconds: float) -> str:
    """Return a time in milliseconds."""
    return f"{seconds * 1000:.1f} ms"


def say(what: str, figure: str, target: str, more: str) -> None:
    """Print a figure beside its target."""
    print(f"{what:<36}{figure:>10}   {'target ' + target if target else '':<15}{more}", flush=True)


if __name__ == "__main__":
    main()
