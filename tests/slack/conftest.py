"""One Slack workspace and one strict Web API for all tests of a process; each test begins with empty channels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from workspace.emulate import Emulated, emulated
from workspace.server import Workspace, workspace

MANIFEST = Path(__file__).parents[2] / "docs" / "slack-manifest.yaml"
SCOPES: list[str] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["oauth_config"]["scopes"]["bot"]


@pytest.fixture(scope="session")
def _one_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with workspace(tmp_path_factory.mktemp("slack")) as running:
        yield running


@pytest.fixture
def slack(_one_workspace: Workspace) -> Iterator[Workspace]:
    """A Slack workspace where nothing has been said."""
    _one_workspace.reset()
    yield _one_workspace
    _one_workspace.faults.end()


@pytest.fixture(scope="session")
def strict_slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """A Web API that grants the scopes of our manifest and nothing more."""
    with emulated(tmp_path_factory.mktemp("emulate"), *SCOPES) as running:
        yield running
