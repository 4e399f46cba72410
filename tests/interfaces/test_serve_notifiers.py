"""`gov serve` with a notifier that hangs: everybody else is told, cycles go on, and a killed engine tells it again."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

from contract.receiving import Reply, receiving
from interfaces.serving import FILES, Served, prepared, sample


def test_a_notifier_that_hangs_delays_nobody_and_is_told_again_after_a_kill(tmp_path: Path) -> None:
    go = threading.Event()
    with receiving() as hung, receiving() as sound:
        hung.script = [Reply(hangs=go)]
        hooks = {"a": hung.address, "b": sound.address}
        notifiers = ", ".join(f"{name}: {{kind: webhook, address: '{where}'}}" for name, where in hooks.items())
        org = f"{FILES['org.yaml']}notifiers: {{{notifiers}}}\n"
        home = prepared(tmp_path / "home", {**FILES, "org.yaml": org})
        first = Served(home)
        try:
            first.push(sample())
            first.until(lambda: hung.got and sound.got)
            before = first.figures()['gov_verdicts_total{outcome="fail"}']
            first.until(lambda: first.figures()['gov_verdicts_total{outcome="fail"}'] >= before + 2)
            assert first.figures()["gov_undelivered_effects"] == 1
            first.stop(signal.SIGKILL)
        finally:
            first.close()
        second = Served(home)
        try:
            second.until(lambda: len(hung.got) == 2)
            second.until(lambda: second.figures()["gov_undelivered_effects"] == 0)
            assert second.figures()['gov_notifier_up{notifier="a"}'] == 1
            assert second.stop() == 0
        finally:
            second.close()
            go.set()
    assert len({each.key for each in hung.got}) == 1
    assert len(sound.got) == 1
