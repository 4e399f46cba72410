"""The machine's clock is set while the engine ticks: beats go on, once per interval, and the jump is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from governance.scheduler import Clocks, Ticker, _Interval

BEAT = timedelta(milliseconds=5)
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)
LIBRARIES = [Path(f"/usr/lib/{name}/faketime/libfaketimeMT.so.1") for name in ("x86_64-linux-gnu", "aarch64-linux-gnu")]


class Settable:
    """Clocks of which the wall clock can be set."""

    def __init__(self) -> None:
        self.set_by = timedelta()
        self.clocks = Clocks(wall=lambda: time.monotonic() + self.set_by.total_seconds())


@pytest.mark.parametrize("by", [HOUR, -HOUR, YEAR, -YEAR, timedelta(seconds=6)])
def test_a_jump_is_told_once_before_the_next_step(by: timedelta) -> None:
    machine, story = Settable(), list[object]()

    def step() -> bool:
        story.append("step")
        if len(story) == 3:
            machine.set_by = by
        return len(story) < 8

    Ticker(step, BEAT, on_step=story.append, clocks=machine.clocks).run(timedelta(seconds=20))
    told = story.pop(3)
    assert isinstance(told, timedelta)
    assert abs(told - by) < timedelta(seconds=0.5)
    assert story == ["step"] * 7


def test_what_time_servers_do_every_day_is_not_told() -> None:
    machine, told, steps = Settable(), [], []

    def step() -> bool:
        steps.append(1)
        machine.set_by += timedelta(seconds=-3 if len(steps) % 2 else 3)
        return len(steps) < 5

    Ticker(step, BEAT, on_step=told.append, clocks=machine.clocks).run(timedelta(seconds=20))
    assert told == []


def test_without_a_listener_a_jump_changes_nothing() -> None:
    machine, steps = Settable(), []

    def step() -> bool:
        steps.append(1)
        machine.set_by = HOUR
        return len(steps) < 3

    Ticker(step, BEAT, clocks=machine.clocks).run(timedelta(seconds=20))
    assert len(steps) == 3


def test_the_watchdog_tells_between_beats_that_are_far_apart() -> None:
    machine, told = Settable(), threading.Event()

    def on_step(by: timedelta) -> None:
        told.set()
        ticker.stop()

    ticker = Ticker(lambda: True, HOUR, on_step=on_step, clocks=machine.clocks)
    running = threading.Thread(target=ticker.run)
    running.start()
    machine.set_by = -HOUR
    running.join(20)
    assert told.is_set()


def test_what_the_listener_raises_reaches_the_caller() -> None:
    machine = Settable()

    def step() -> bool:
        machine.set_by = HOUR
        return True

    def on_step(by: timedelta) -> None:
        raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="the disk is full"):
        Ticker(step, BEAT, on_step=on_step, clocks=machine.clocks).run(timedelta(seconds=20))


@pytest.mark.parametrize("leap", [timedelta(0), HOUR, YEAR, 30 * YEAR])
def test_one_beat_stands_for_all_that_a_leap_skipped(leap: timedelta) -> None:
    interval, last = _Interval(BEAT, aligned=False), datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)
    now = last + leap + timedelta(milliseconds=3)
    following = interval.get_next_fire_time(last, now)
    assert now < following <= now + BEAT
    assert (following - last) % BEAT == timedelta(0)


def test_aligned_beats_fall_on_full_minutes() -> None:
    interval = _Interval(timedelta(minutes=1), aligned=True)
    full = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert interval.get_next_fire_time(None, full - timedelta(seconds=17)) == full
    assert interval.get_next_fire_time(full, full) == full + timedelta(minutes=1)
    late = full + timedelta(minutes=5, seconds=2)
    assert interval.get_next_fire_time(full, late) == full + timedelta(minutes=6)


PROGRAM = """
import json, sys, time
from datetime import timedelta
from governance.scheduler import Ticker

def step():
    print(json.dumps(["step", time.monotonic(), time.time()]), flush=True)
    return True

def on_step(by):
    print(json.dumps(["jump", time.monotonic(), by.total_seconds()]), flush=True)

Ticker(step, timedelta(seconds=0.1), on_step=on_step).run(timedelta(seconds=30))
"""


def faketime() -> Path:
    """Return the library that sets the clock of one process."""
    library = next((path for path in LIBRARIES if path.exists()), None)
    if library is None:
        sentence = "setting a process's clock needs libfaketime: apt-get install faketime"
        if os.environ.get("CI") == "true":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return library


def test_the_clock_of_a_running_process_is_set(tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    offset.write_text("+0s\n")
    settings = {
        "LD_PRELOAD": str(faketime()),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = (json.loads(line) for line in process.stdout)
            at = timedelta()
            for by in (HOUR, -HOUR, YEAR, -YEAR, -HOUR):
                steps = [next(lines) for _ in range(3)]
                assert [line[0] for line in steps] == ["step"] * 3, "a jump that was told twice, or never was"
                at += by
                staged = tmp_path / "next"
                staged.write_text(f"{at.total_seconds():+.0f}s\n")
                staged.rename(offset)
                set_at = time.monotonic()
                before = []
                while (line := next(lines))[0] == "step":
                    before.append(line)
                assert line[2] == pytest.approx(by.total_seconds(), abs=2)
                after = next(lines)
                assert after[0] == "step"
                stall = after[1] - (before[-1][1] if before else set_at)
                assert stall < 5, "beats stood still"
                assert len(before) <= 10 * (line[1] - set_at) + 3, "beats came in a burst"
        finally:
            process.kill()
