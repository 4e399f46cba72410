"""Every story in this directory, told to a real engine on a real SQLite database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scenarios.story import Story, stories

STORIES = stories(Path(__file__).parent)


@pytest.mark.parametrize(("file", "document"), STORIES, ids=[f"{file}: {each['test']}" for file, each in STORIES])
def test_story(file: str, document: dict[str, Any]) -> None:
    story = Story(document)
    story.play()
    assert story.expectations, f"{file}: a story that expects nothing proves nothing"
