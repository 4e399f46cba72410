"""The world that the report is about, made once: tests only look at it."""

from __future__ import annotations

import pytest
from report.world import World, world


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A fleet of three models that an engine has governed for some hours."""
    return world(tmp_path_factory.mktemp("audited") / "work")
