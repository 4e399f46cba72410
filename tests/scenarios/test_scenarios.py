"""Every story in this directory, told to a real engine as `gov test` tells those of users."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.loader.files import test_files as yaml_tests
from governance.testing.run import run

HERE = Path(__file__).parent
FILES = yaml_tests([HERE])


@pytest.mark.parametrize("file", FILES, ids=[each.stem for each in FILES])
def test_stories(file: Path) -> None:
    report = run([file], HERE)
    assert report.problems == (), "\n".join(each.render() for each in report.problems)
    failures = [each.render() for played in report.failed for each in played.failures]
    assert failures == [], "\n".join(failures)
    assert len(report.played) >= 7
    for each in report.played:
        assert each.scene.test.expect, "a story that expects nothing proves nothing"
