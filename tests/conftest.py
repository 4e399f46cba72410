"""The order of the files when several run at once: the longest first, so that no core idles at the end."""

from __future__ import annotations

import pytest

LONGEST = (
    "crash/test_sigkill.py",
    "test_demo.py",
    "test_demo_flights.py",
)
"""Those that take half a minute or more, the longest first; `make test` deals out files in the order of their tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files first; the others keep their order."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    path = item.path.as_posix()
    return next((place for place, name in enumerate(LONGEST) if path.endswith(f"tests/{name}")), len(LONGEST))
