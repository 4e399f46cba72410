"""The order of the files when several run at once, the longest first, and what makes each of the processes cheaper."""

from __future__ import annotations

import gc
import os
import sys

import pytest

# What is imported and collected here stays: looking through it for garbage takes a third of the time of collecting.
gc.set_threshold(20_000, 20, 50)

# Where nothing compiled is kept, as in many containers, each of the hundreds of programs that the tests start would
# compile all of ours anew, which takes as long as what it is asked to do.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

LONGEST = (
    "test_demo.py",
    "crash/test_sigkill.py",
    "contract/test_demo_in_prometheus.py",
    "test_demo_flights.py",
    "test_policy_tests.py",
    "test_plan.py",
    "interfaces/test_description.py",
    "interfaces/test_attacks.py",
    "interfaces/test_ofrep.py",
    "interfaces/test_figures.py",
    "interfaces/test_take_over.py",
    "transcripts/test_init.py",
)
"""Those that take more than a quarter of a minute, the longest first; the order of tests is that of their files."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first; the others keep their order."""
    items.sort(key=_place)


def pytest_collection_finish() -> None:
    """Look no more for garbage in what was collected."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let the end of the process find it again, as some libraries miss what they made otherwise."""
    gc.unfreeze()


def _place(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((place for place, name in enumerate(LONGEST) if path.endswith(f"tests/{name}")), len(LONGEST))
