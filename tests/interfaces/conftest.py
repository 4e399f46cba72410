"""Engines that serve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from interfaces.serving import Served, prepared


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """An engine of its own for a test that changes or ends it."""
    made = Served(prepared(tmp_path / "own"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An engine for tests whose pushes are refused, or harm no other."""
    made = Served(prepared(tmp_path_factory.mktemp("shared") / "own"))
    yield made
    made.close()
