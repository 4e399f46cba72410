"""One house for all tests of a process, which each of them finds empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from running.house import House, house


@pytest.fixture(scope="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = house(tmp_path_factory.mktemp("running"))
    yield made
    made.api.engine.database.close()


@pytest.fixture
def home(built: House) -> House:
    """The house before anything happened."""
    return built.begin_anew()
