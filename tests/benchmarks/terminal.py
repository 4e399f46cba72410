"""The terminal app over 10,000 models, 500 of which change each second: its share of a core, its keys, its first paint.

`gov tui` runs in a terminal of its own (a pty), as for a person, against answers that another process gives over HTTP.
A key counts from its press until the line of another model is drawn as the chosen one, at random moments between a
held key and a slow hand. Beside it stands the framework's DataTable with the same changes, which fetches nothing.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import re
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

MODELS, CHANGES = 10_000, 500
SIZE = (150, 44)
WARM, SECONDS, KEYS = 3.0, 6.0, 120
HERE = Path(__file__).parent
CHOSEN = re.compile("▌".encode() + rb"[^\n]{0,300}?(model-\d{5})")
Seen = Callable[[bytes], bool]


def run_table() -> None:
    """Open the framework's own table with the same rows and changes."""
    from textual.app import App, ComposeResult
    from textual.widgets import DataTable

    class Other(App[None]):
        def compose(self) -> ComposeResult:
            yield DataTable(cursor_type="row")

        def on_mount(self) -> None:
            table = self.query_one(DataTable)
            self.columns = table.add_columns(*(f"C{index}" for index in range(12)))
            for index in range(MODELS):
                table.add_row(*(f"{index}-{column}" for column in range(12)), key=str(index))
            self.step = 0
            self.set_interval(1, self.change)
            table.focus()

        def change(self) -> None:
            table, spread = self.query_one(DataTable), MODELS // CHANGES
            self.step += 1
            for index in range(CHANGES):
                for column in self.columns[5:8]:
                    table.update_cell(str(index * spread + self.step % spread), column, f"{self.step}")

    Other().run()


class Child:
    """A program in a terminal of its own."""

    def __init__(self, *command: str) -> None:
        """Start it."""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        for name in ("NO_COLOR", "GOV_TOKEN", "PYTHONDONTWRITEBYTECODE"):  # as one that is installed: it is compiled
            environment.pop(name, None)
        self.began, self.text = time.monotonic(), b""
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)

    def until(self, seen: Seen | None, seconds: float) -> float:
        """Read what it writes until something is seen in it, or for so long; return how long that took."""
        self.text, began = b"", time.monotonic()
        while (left := began + seconds - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                self.text += os.read(self.master, 1 << 16)
                if seen is not None and seen(self.text):
                    return time.monotonic() - began
        if seen is not None:
            raise SystemExit(f"not seen within {seconds} s; it wrote {self.text[-2000:]!r}")
        return seconds

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)

    @property
    def cpu(self) -> float:
        """CPU seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def memory(self) -> float:
        """Most memory so far, in MB."""
        told = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmHWM:\s+(\d+)", told)[0]) / 1024

    def share(self) -> float:
        """Return which share of a core it takes while nobody presses a key."""
        before, began = self.cpu, time.monotonic()
        self.until(None, SECONDS)
        return (self.cpu - before) / (time.monotonic() - began)

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        os.close(self.master)


class Cursor:
    """Which model's line is drawn as the chosen one."""

    def __init__(self) -> None:
        """Know of none yet."""
        self.at = b""

    def moved(self, text: bytes) -> bool:
        """Tell whether another line is drawn as chosen than before; a line that is only drawn anew does not count."""
        found = [each for each in CHOSEN.findall(text) if each != self.at]
        if found:
            self.at = found[-1]
        return bool(found)


def latencies(child: Child, key: bytes, seen: Seen, count: int = KEYS) -> list[float]:
    """Return how many milliseconds each of some keys took from the press until it is seen, the shortest first."""
    chance, found = random.Random(7), []  # noqa: S311 (the same moments each time)
    for _ in range(count):
        child.until(None, chance.uniform(0.03, 0.4))
        child.press(key)
        found.append(child.until(seen, 5) * 1000)
    return sorted(found)


def in_turn(child: Child, turns: dict[bytes, bytes], times: int = 10) -> dict[bytes, list[float]]:
    """Return how many milliseconds keys took that are pressed in turn, from the press until a text of each is seen."""
    found: dict[bytes, list[float]] = {key: [] for key in turns}
    for _ in range(times):
        for key, text in turns.items():
            found[key] += latencies(child, key, lambda seen, text=text: text in seen, 1)  # type: ignore[misc]
    return {key: sorted(each) for key, each in found.items()}


def words(found: list[float]) -> str:
    """Return the median, the 95th percentile and the longest."""
    return f"median {statistics.median(found):5.1f}, p95 {found[int(len(found) * 0.95)]:5.1f}, max {found[-1]:5.1f} ms"


@contextmanager
def engine() -> Iterator[str]:
    """Answer in another process, and give the address."""
    command = [sys.executable, str(HERE / "played.py"), str(MODELS), str(CHANGES)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def app(url: str) -> Iterator[Child]:
    """Start the terminal app as a person does."""
    child = Child(str(Path(sys.executable).with_name("gov")), "tui", "--url", url)
    try:
        yield child
    finally:
        child.close()


def measure_app(url: str) -> tuple[float, list[float]]:
    """Print the figures of the app, and return its share of a core and its keys."""
    with app(url) as child:  # the first start compiles
        child.until(lambda text: b"Fleet" in text, 60)
    with app(url) as child:
        cursor = Cursor()
        child.until(lambda text: b"Fleet" in text, 60)
        paint = time.monotonic() - child.began
        child.until(cursor.moved, 60)
        rows = time.monotonic() - child.began
        child.until(None, WARM)
        took = child.share()
        keys = latencies(child, b"j", cursor.moved)
        print(f"  first paint {paint:.2f} s [1 s]   the fleet {rows:.2f} s   CPU {took:.1%} of a core [8 %]")
        print(f"  key to line            {words(keys)} [p95 25 ms]")
        child.press(b"/tier:1\r")
        child.until(lambda text: b"3334 of 10000" in text, 10)
        print(f"  with a filter          {words(latencies(child, b'j', cursor.moved))}")
        child.press(b"\x1b")
        child.until(None, 1)
        turns = {b"2": b"114 open", b"1": b"10000 models"}
        print(f"  to another view        {words(sorted(chain(*in_turn(child, turns).values())))} [50 ms]")
        child.press(b"2")
        child.until(None, 1)
        turns = {b"\r": b"esc goes back", b"\x1b": b"114 open"}
        opening, closing = in_turn(child, turns).values()
        print(f"  opening an incident    {words(opening)} [50 ms]")
        print(f"  escape back            {words(closing)}, 100 of them to tell it from other keys")
        print(f"  most memory {child.memory:.0f} MB")
        return took, keys


def measure_table() -> tuple[float, list[float]]:
    """Print the figures of the framework's table, and return its share of a core and its keys."""
    child = Child(sys.executable, __file__, "table")
    try:
        child.until(lambda text: b"C0" in text, 60)
        paint = time.monotonic() - child.began
        child.until(None, WARM)
        took = child.share()
        keys = latencies(child, b"\x1b[B", lambda text: b"\x1b[" in text)
        print(f"  DataTable: first paint {paint:.2f} s   CPU {took:.1%} of a core   most memory {child.memory:.0f} MB")
        print(f"  key to anything at all {words(keys)}")
        return took, keys
    finally:
        child.close()


def main() -> None:
    """Measure the app and the table, and print them side by side, with the limits in brackets."""
    print(f"terminal app, {MODELS:,} models, {CHANGES} changes a second, {SIZE[0]}×{SIZE[1]}:")
    with engine() as url:
        took, keys = measure_app(url)
    other, others = measure_table()
    slow = others[int(len(others) * 0.95)] / keys[int(len(keys) * 0.95)]
    print(f"  the table takes {other / took:.1f} times the CPU, its p95 is {slow:.1f} times as long")


if __name__ == "__main__":
    {"table": run_table}.get(sys.argv[1] if len(sys.argv) > 1 else "", main)()
