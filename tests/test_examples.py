"""The worked examples of the documentation load without problems, and their stories come about."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.cli.main import run
from governance.policies import policies

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
FOLDERS = sorted(each for each in EXAMPLES.iterdir() if each.is_dir())
PAGE = (EXAMPLES.parent / "examples.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda each: each.name)
def test_an_example_does_what_its_stories_say(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert run(["check", "."]) == 0, capsys.readouterr().out
    assert run(["test", "."]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda each: each.name)
def test_the_page_names_every_rule_and_metric_of_an_example(folder: Path) -> None:
    (policy,) = [each for each in policies([folder]).plan.policies if each.model == folder.name]
    card = policy.policy.card
    section = PAGE.partition(f"\n## {folder.name}")[2].partition("\n## ")[0]
    unsaid = [name for name in [*card.metrics, *(each.rule for each in card.rules)] if f"`{name}`" not in section]
    assert unsaid == []
