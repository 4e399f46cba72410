"""A small serving process that obeys its kill switch: it asks before every answer, from memory.

Run by the demo, as a process of its own: GOV_URL and GOV_TOKEN say where the engine is. The whole of what a service
needs is the two lines around `serve`.
"""

from __future__ import annotations

import itertools
import signal
import sys
import threading
from collections import Counter
from pathlib import Path

from model_governance_openfeature import Switches

MODEL = "flight-delay"
VERSION = "2013.02"
PER_SECOND = 10


def main(log: Path) -> None:
    """Answer requests until SIGTERM; write a line to `log` whenever who answers changes, and the counts at the end."""
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the app
    counts: Counter[str] = Counter()
    last = ""
    with log.open("a", encoding="utf-8") as lines, Switches(models=[MODEL], on_unknown="fallback") as switches:
        for request in itertools.count():
            decision = switches.decide(MODEL, key=f"flight-{request}", version=VERSION)
            who = "model" if decision.serve else f"fallback ({decision.mode})"
            counts["model" if decision.serve else "fallback"] += 1
            if who != last:
                lines.write(f"request {request}: answered by the {who}\n")
                lines.flush()
                last = who
            if done.wait(1 / PER_SECOND):
                break
        lines.write(f"answered {counts['model']} requests by the model and {counts['fallback']} by the fallback\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
