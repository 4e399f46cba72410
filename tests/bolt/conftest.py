"""An office for each test, whose tokens lie in the environment as the settings name them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bolt.office import SECRET, Office, office


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An office of its own."""
    tokens(monkeypatch)
    made = office()
    yield made
    made.close()


def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the tokens."""
    monkeypatch.setenv("SLACK_SIGNING_SECRET", SECRET)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
