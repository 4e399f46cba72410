from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from governance.scheduler import Ticker

BEAT = timedelta(milliseconds=5)


def test_steps_follow_one_another_until_one_says_stop() -> None:
    inside = threading.Lock()
    overlaps, steps = [], []

    def step() -> bool:
        overlaps.append(not inside.acquire(blocking=False))
        time.sleep(0.02)  # longer than a beat: the beats in between must be skipped, not queued or run beside it
        steps.append(len(steps))
        inside.release()
        return len(steps) < 5

    Ticker(step, BEAT).run(timedelta(seconds=20))
    assert steps == [0, 1, 2, 3, 4]
    assert not any(overlaps)


def test_what_a_step_raises_reaches_the_caller() -> None:
    def step() -> bool:
        raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="the disk is full"):
        Ticker(step, BEAT).run(timedelta(seconds=20))


def test_the_time_limit_stops_after_the_step_under_way() -> None:
    done = []

    def step() -> bool:
        time.sleep(0.05)
        done.append(1)
        return True

    Ticker(step, BEAT).run(timedelta(seconds=0.2))
    count = len(done)
    time.sleep(0.1)
    assert 1 <= count == len(done)
