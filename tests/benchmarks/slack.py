"""How fast Slack is answered and told: clicks while the engine judges 1,000 models, and a breach until it is seen.

Needs local-slack (make tests/clients/node/node_modules/.ready). Run: make bench
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from workspace.live import Live, live
from workspace.server import Workspace, wait, workspace

MODELS, CLICKS, BREACHES = 1000, 200, 10


def main() -> None:
    """Print both figures beside what they should be."""
    with tempfile.TemporaryDirectory() as made, workspace(Path(made)) as slack:
        os.environ.update(slack.environment)
        names = [f"model-{number:04}" for number in range(MODELS)]
        with live(Path(made) / "engine", slack, *names) as desk:
            seen = sorted(_seen(desk, slack, name) for name in names[:BREACHES])
            print(
                f"breach to message, after its cycle: median {seen[len(seen) // 2]:.2f} s, worst {seen[-1]:.2f} s (2 s)"
            )
            over = threading.Event()
            cycles: list[float] = []
            judging = threading.Thread(target=_judge, args=(desk, names, over, cycles))
            judging.start()
            message = slack.messages()[0]
            acks = sorted(slack.click("ann", message, "incident.why") for _ in range(CLICKS))
            over.set()
            judging.join()
    p99 = acks[int(len(acks) * 0.99)]
    print(f"ack of {CLICKS} clicks: median {acks[len(acks) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms (200 ms),")
    print(f"  while {len(cycles)} cycles of {MODELS} models ran, each {sum(cycles) / len(cycles):.1f} s")


def _seen(desk: Live, slack: Workspace, model: str) -> float:
    before = len(slack.messages())
    desk.judge(0.9, model)
    begun = time.perf_counter()
    wait(lambda: slack.messages()[before:], "the message")
    return time.perf_counter() - begun


def _judge(desk: Live, names: list[str], over: threading.Event, cycles: list[float]) -> None:
    while not over.is_set():
        begun = time.perf_counter()
        desk.judge(0.3, *names)
        cycles.append(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
