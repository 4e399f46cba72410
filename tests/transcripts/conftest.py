"""The workspaces that the commands run in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from transcripts.lending import lend
from transcripts.shell import Shell
from transcripts.workspace import Workspace, prepared


@pytest.fixture(scope="session")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace that tests only look at: INC-1 is resolved, INC-2 a warning, INC-3 critical."""
    return prepared(tmp_path_factory.mktemp("seen") / "workspace")


@pytest.fixture
def workspace(seen: Workspace, tmp_path: Path) -> Workspace:
    """A copy that a test may change."""
    return seen.copy(tmp_path / "workspace")


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Runs commands in an empty directory, without the settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in [each for each in os.environ if each.startswith("GOV_")]:
        monkeypatch.delenv(name)
    return Shell(tmp_path, capsys)


@pytest.fixture
def lending(shell: Shell) -> Shell:
    """A directory with the policies and the data of a lender."""
    return lend(shell)
