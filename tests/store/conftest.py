"""A database of each kind, for tests of the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store.databases import KINDS, laid_out_url

from governance.store.database import Database


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the tables of this version."""
    database = Database(laid_out_url(request.param, tmp_path))
    database.create_tables()
    yield database
    database.close()
