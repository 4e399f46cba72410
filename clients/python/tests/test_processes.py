"""Real processes: an engine that hangs, dies and comes back; a serving process that forks, and one that ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from switch_server import SwitchServer, live, setting, switch
from waiting import Open, until

HERE = Path(__file__).parent


class Engine:
    """The small engine as a process of its own."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Start it, knowing nothing."""
        command = [sys.executable, str(HERE / "switch_server.py"), str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == self.url

    def set(self, **switches: dict[str, Any]) -> None:
        """Change all switches."""
        request = urllib.request.Request(f"{self.url}/switches", json.dumps(switches).encode(), method="PUT")  # noqa: S310
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310

    def kill(self) -> None:
        """Let it die as if by a power cut."""
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def engine() -> Iterator[Engine]:
    started = Engine()
    yield started
    started.process.send_signal(signal.SIGCONT)
    started.kill()


def test_an_engine_that_hangs_is_followed_when_it_goes_on(engine: Engine, opened: Open) -> None:
    engine.set(m=switch(1, setting("stopped")))
    held = opened(engine.url, stale_after=0.5, timeout=0.3, silence=0.5)
    engine.process.send_signal(signal.SIGSTOP)
    until(lambda: held.stale)
    assert held.decide("m")[:3] == (False, "stopped", "STALE")
    engine.process.send_signal(signal.SIGCONT)
    until(lambda: not held.stale)
    engine.set(m=live(2))
    until(lambda: held.serve("m"))


def test_an_engine_that_dies_and_comes_back_with_another_state_is_followed(engine: Engine, opened: Open) -> None:
    engine.set(m=switch(700, setting("stopped")), n=live(1))
    held = opened(engine.url)
    engine.kill()
    assert (held.serve("m"), held.serve("n")) == (False, True)
    engine.start()
    until(lambda: held.find("n") is not None)
    assert not held.serve("m"), "an engine that knows nothing yet restores nothing"
    engine.set(m=live(2), n=switch(3, setting("fallback")))
    until(lambda: held.seq == 3)
    assert (held.serve("m"), held.serve("n")) == (True, False)


FORK = """
import os, sys, time
from model_governance_openfeature import GovernanceProvider, Switches
from openfeature import api

def until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)

switches = Switches(sys.argv[1], wait=20, timeout=20, poll=3600, models=["m"])
api.set_provider_and_wait(GovernanceProvider(switches))
client = api.get_client()
assert client.get_boolean_value("m.serve", False)
parent = switches.instance
children, (ended, going) = [], os.pipe()
for number in range(3):
    if (child := os.fork()) == 0:
        assert switches.instance != parent
        os.close(going)
        until(lambda: not client.get_boolean_value("m.serve", True))
        os.read(ended, 1)
        os._exit(0)
    children.append(child)
print("forked", flush=True)
sys.stdin.readline()
until(lambda: not switches.serve("m"))
sys.stdin.readline()
os.close(going)
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
print("seen by all", flush=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork; run the tests on Linux or macOS")
def test_every_child_of_a_process_that_forks_sees_the_next_pull(server: SwitchServer) -> None:
    server.set(m=live(1))
    process = subprocess.Popen(
        [sys.executable, "-c", FORK, server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "forked\n"
    server.set(m=switch(2, setting("stopped")))
    process.stdin.write("\n")
    process.stdin.flush()
    until(lambda: len({each["instance"] for each in server.confirmed if each["seq"] == 2}) == 4)
    said, _ = process.communicate("\n", timeout=60)
    assert (said, process.returncode) == ("seen by all\n", 0)


END = """
import sys
from model_governance_openfeature import Switches
print(Switches(sys.argv[1], wait=0.05, timeout=3600, snapshot=sys.argv[2]).serve("m"))
"""


def test_a_process_ends_though_its_engine_hangs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        command = [sys.executable, "-c", END, url, str(tmp_path / "switches")]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (ended.stdout, ended.stderr) == ("True\n", "")
