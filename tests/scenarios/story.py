"""A story that is told in Python: a policy test as data, played with a database or a collector of the test's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from governance.core.story import Suite
from governance.loader import Loaded, load_text
from governance.policies import KINDS
from governance.store.database import Database
from governance.testing.collector import START, Collector, FixedClock
from governance.testing.library import Library
from governance.testing.play import Play
from governance.testing.scene import scene

__all__ = ["START", "Collector", "FixedClock", "Story"]


def Story(  # noqa: N802 (it stands for what it returns)
    document: Mapping[str, Any], *, database: Database | None = None, collector: Collector | None = None
) -> Play:
    """Arrange a story, ready to be played."""
    text = yaml.safe_dump({"kind": "test", "tests": [{"test": "a story", **document}]})
    loaded, problems = load_text(text, "story.test.yaml", KINDS)
    assert loaded is not None, [each.render() for each in problems]
    assert isinstance(loaded.document, Suite)
    found, wrong = scene(Loaded(loaded.document, loaded.source), 0, Library())
    assert found is not None, [each.render() for each in wrong]
    return Play(found, Library(), database=database, collector=collector or Collector())
