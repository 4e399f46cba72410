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
    "interfaces/test_ofrep_clients.py",
    "interfaces/test_provider.py",
    "interfaces/test_description.py",
    "contract/test_source_mlflow.py",
    "terminal/test_tmux.py",
    "terminal/test_snapshots.py",
    "terminal/test_switch.py",
    "terminal/test_web.py",
    "terminal/test_policies.py",
    "interfaces/test_figures.py",
    "interfaces/test_events.py",
    "scenarios/test_scenarios.py",
    "store/test_faults.py",
    "store/test_faulty_files.py",
    "test_switch_machine.py",
    "test_policy_tests.py",
    "transcripts/test_init.py",
    "transcripts/test_terminal.py",
    "interfaces/test_serve.py",
    "interfaces/test_attacks.py",
    "interfaces/test_take_over.py",
    "terminal/test_app.py",
    "terminal/test_acts.py",
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
