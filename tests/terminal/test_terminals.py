"""The app as terminals get it: the bytes it writes have the colours that a terminal has; what is none is told so."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from interfaces.serving import GOV, gov
from rich.cells import cell_len
from rich.color import Color
from rich.console import Console
from terminal.drawing import LOOKS, turned
from terminal.picture import picture, words
from terminal.stages import STAGES, Seat, Stage, each_stage, wires

_STYLE = re.compile(rb"\x1b\[([\d;]*)m")
_ESCAPE = re.compile(rb"\x1b(?:\[[?>=<]?[\d;]*[ $]?[@-~]|[PX^_\]].*?(?:\x1b\\|\x07)|[()].|[=>78cM])", re.DOTALL)
OWN = ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES")
"""What the terminal of the tests says of itself, and not that which is opened here."""
NOBODY = ("--url", "http://127.0.0.1:9")
"""Where no engine is: what the app draws of that has every kind of colour."""


def written(folder: Path, *, columns: int, lines: int, **environment: str) -> bytes:
    """Return what `gov tui` writes to a terminal until it has said that no engine is reached, and after `q`."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    kept = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES")
    }
    with subprocess.Popen(
        [*GOV, "tui", *NOBODY], cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**kept, "LC_ALL": "C.UTF-8", **environment},
    ) as process:  # fmt: skip
        os.close(theirs)
        try:
            found = b"".join(_until(ours, process))
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            os.close(ours)
    return found


def _until(ours: int, process: subprocess.Popen[bytes], seconds: float = 40) -> Iterator[bytes]:
    end, seen, left = time.monotonic() + seconds, b"", False
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        assert time.monotonic() < end, _ESCAPE.sub(b" ", seen).decode(errors="replace")
        if select.select([ours], [], [], 0.1)[0]:
            try:
                more = os.read(ours, 65_536)
            except OSError:  # the other end is closed
                return
            seen += more
            yield more
        if not left and "✗ offline".encode() in _ESCAPE.sub(b"", seen):
            os.write(ours, b"q")
            left = True


def colors(found: bytes) -> set[str]:
    """Return the colours that styles ask for, as they are written: "31", "38;5;9", "48;2;1;2;3"."""
    seen = set()
    for style in _STYLE.findall(found):
        codes = style.decode().split(";")
        while codes:
            code = codes.pop(0)
            if code in ("38", "48"):
                rest = [codes.pop(0) for _ in range(2 if codes[0] == "5" else 4)]
                seen.add(";".join((code, *rest)))
            elif code and int(code) >= 30:
                seen.add(code)
    return seen


@pytest.mark.parametrize(
    ("environment", "size", "has"),
    [
        ({"TERM": "linux"}, (80, 24), r"3[0-79]|4[0-79]|9[0-7]|10[0-7]"),
        ({"TERM": "xterm-256color"}, (60, 20), r"[34]8;5;\d+|[34]9"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, (40, 12), r"[34]8;5;\d+|[34]9"),
    ],
    ids=["16", "256", "none"],
)
def test_the_bytes_have_the_colours_of_the_terminal(
    environment: dict[str, str], size: tuple[int, int], has: str, tmp_path: Path
) -> None:
    found = written(tmp_path, columns=size[0], lines=size[1], **environment)
    seen = colors(found)
    assert len(seen) > 3, seen
    assert not [each for each in seen if not re.fullmatch(has, each)], seen
    text = _ESCAPE.sub(b"", found).decode()
    assert "◆ gov" in text
    assert "✗ offline" in text
    assert "Traceback" not in text
    if "NO_COLOR" in environment:
        shades = [Color.from_ansi(int(each.split(";")[2])).get_truecolor() for each in seen if ";" in each]
        assert [each for each in shades if len(set(each)) > 1] == [], "greys alone"


@pytest.mark.parametrize(
    ("term", "more", "system"),
    [
        ("screen", {}, "standard"), ("linux", {}, "standard"), ("xterm-16color", {}, "standard"),
        ("screen-256color", {}, "256"), ("tmux-256color", {}, "256"),
        ("xterm", {"COLORTERM": "truecolor"}, "truecolor"),
    ],
)  # fmt: skip
def test_how_many_colours_a_terminal_is_known_to_have(term: str, more: dict[str, str], system: str) -> None:
    assert Console(force_terminal=True, _environ={"TERM": term, **more}).color_system == system


def test_what_is_no_terminal_gets_a_sentence(tmp_path: Path) -> None:
    done = gov(tmp_path, "tui", *NOBODY)
    assert done.returncode == 4
    assert "the terminal app needs a terminal, and its input or output is none" in done.stderr
    assert "gov incidents list" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_a_terminal_that_cannot_be_drawn_on_gets_a_sentence(tmp_path: Path) -> None:
    found = written(tmp_path, columns=80, lines=24, TERM="dumb")
    assert b"TERM says that this terminal cannot be drawn on" in found
    assert b"\x1b" not in found


SMALL = ("40x12", "20x6")
PLAYED = ("fleet", "incident", "log", "on-call", "model", "approvals", "help", "pull", "form", "offline")


def test_every_screen_fits_into_a_terminal_smaller_than_it_is_made_for() -> None:
    seen: dict[str, list[str]] = {}

    async def small(stage: Stage, seat: Seat) -> None:
        for look in SMALL:
            system = await turned(seat, look)
            seen[f"{stage.name}.{look}"] = words(picture(seat.app, system))
        await turned(seat, LOOKS[0])

    asyncio.run(each_stage([each for each in STAGES if each.name in PLAYED], (120, 40), wires(), small))
    assert len(seen) == len(PLAYED) * len(SMALL)
    for name, lines in seen.items():
        columns, rows = map(int, name.rpartition(".")[2].split("x"))
        assert len(lines) == rows, name
        assert max(map(cell_len, lines)) <= columns, name
    for stage in ("fleet", "incident", "log", "on-call"):
        assert "● live 31 s" in seen[f"{stage}.40x12"][0], stage
        assert "? Help" in seen[f"{stage}.40x12"][-1], stage
        assert "live" in seen[f"{stage}.20x6"][0], stage
    assert "7 On-call" in seen["on-call.40x12"][1], "the view one is in has its name"
    lost = "\n".join(seen["offline.40x12"])
    assert "✗ offline 2 m" in lost
    assert "actions are off" in lost
    assert "card-auth-risk" in lost, "what it is about has room"


NAMES = {
    "card-auth-risk": "日本語のモデル" * 4, "fraud-scorer": "مراقبة-الاحتيال", "credit-limit": "👩‍🔬-risk",
    "geo-risk": "e\u0301te\u0301", "churn-ranker": "a" * 300,
}  # fmt: skip


def test_names_of_any_script_break_no_line() -> None:
    wired, seen = wires(), list[str]()

    def renamed(who: str) -> Any:
        wire = wired(who)
        text = json.dumps(wire.answers)
        for model, name in NAMES.items():
            text = text.replace(model, json.dumps(name)[1:-1])
        wire.answers = json.loads(text)
        return wire

    async def drawn(stage: Stage, seat: Seat) -> None:
        for look in ("80x24", "120x40"):
            await turned(seat, look)
            lines = words(picture(seat.app))
            seen.extend(lines)
            columns = int(look.partition("x")[0])
            edges = [line for line in lines[3:-2] if line.startswith("│")]
            assert len(edges) >= 15, stage.name
            assert {cell_len(line) for line in edges} == {columns}, "each border stands where the others do"

    stages = [stage for stage in STAGES if stage.name in ("fleet", "incidents")]
    asyncio.run(each_stage(stages, (120, 40), renamed, drawn))
    for name in NAMES.values():
        assert "".join(each if each.isprintable() else " " for each in name)[:6] in "\n".join(seen), name
