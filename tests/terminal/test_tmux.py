"""The terminal app in a real terminal: keys as a person presses them, and what the screen then says."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.sources.programs import program
from interfaces.serving import GOV
from model_governance_openfeature import Switches
from terminal.world import World, world


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


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """A running engine with a critical incident."""
    made = world(tmp_path / "engine")
    yield made
    made.close()


def opened(here: World, who: str, folder: Path) -> Terminal:
    """Open the terminal app of somebody, whose token lies in a file."""
    folder.mkdir()
    token = folder / "token"
    token.write_text(here.tokens[who], encoding="ascii")
    return Terminal(folder, [*GOV, "tui", "--url", here.served.url, "--token-file", str(token)])


def test_a_switch_is_pulled_confirmed_and_restored_by_two_people(here: World, tmp_path: Path) -> None:
    service = here.token("serving", "switches")
    ana, bo = opened(here, "ana", tmp_path / "ana"), opened(here, "bo", tmp_path / "bo")
    try:
        with Switches(here.served.url, token=service, models=["loans"], instance="pod-1") as switches:
            assert switches.serve("loans", key="a")
            ana.until("▲ critical", "loans", "● live")
            ana.press("K")
            ana.until("Pull kill switch", "rules-of-thumb", "1 of 1 instances", "✓ ready")
            ana.press("C-j")
            ana.until("◩ fallback", "1 of 1 instances confirmed", "entry")
            assert not switches.serve("loans", key="a")
            ana.press("Escape")
            ana.without("Pull kill switch")  # a key right after Escape would be one with Alt
            ana.until("1 not live")
            ana.press("U")
            ana.until("a reason is needed")
            ana.type("feed mended")
            ana.press("Enter")
            time.sleep(0.5)  # as a person looks where the cursor went
            ana.type("loans")
            ana.until("✓ ready")
            ana.press("Enter")
            ana.until("a second person must approve: bo")
            bo.until("1 to approve")
            bo.press("4")
            bo.until("asked by", "restore loans to live")
            bo.press("Y")
            bo.until("nothing waits for a second person")
            here.served.until(lambda: switches.serve("loans", key="a"))
    finally:
        ana.close()
        bo.close()
    kinds = [each["kind"] for each in here.log("switch.")]
    assert kinds == ["switch.pulled", "switch.restore_requested", "switch.approved", "switch.restored"]
