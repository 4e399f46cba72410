"""The wheel that users install: it carries the policies, and works from where it lies."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GOV = (sys.executable, "-c", "from governance.cli.main import main; main()")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unzip it, as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("model_governance-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def _gov(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GOV_")}
    environment["PYTHONPATH"] = str(installed)
    return subprocess.run([*GOV, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_carries_every_policy_and_runbook(installed: Path) -> None:
    for kind in ("policies", "runbooks"):
        ours = {each.relative_to(ROOT / kind): each.read_bytes() for each in (ROOT / kind).rglob("*") if each.is_file()}
        theirs = installed / "governance" / "shipped" / kind
        found = {each.relative_to(theirs): each.read_bytes() for each in theirs.rglob("*") if each.is_file()}
        assert found == ours
    assert (installed / "governance" / "cli" / "web_page" / "page.js").exists()
    assert not (installed / "tests").exists()
    (metadata,) = installed.glob("*.dist-info")
    assert "gov = governance.cli.main:main" in (metadata / "entry_points.txt").read_text(encoding="utf-8")


def test_the_unzipped_wheel_checks_cards_with_its_own_packs(installed: Path, tmp_path: Path) -> None:
    where = "import governance; print(governance.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    found = subprocess.check_output([sys.executable, "-c", where], env=environment, cwd=tmp_path, text=True)
    assert found.startswith(str(installed)), "the wheel's code is what runs"
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "org.yaml").write_text("kind: org\nsources: {p: {kind: parquet, path: .}}\n")
    card = tmp_path / "policies" / "m.yaml"
    card.write_text(
        "kind: card\nmodel: m\nowners: {team: t}\nlog: {source: p, table: log, columns: {time: at, score: s}}\n"
        "rules: [{rule: data-quality/no-predictions, for: 2d}, {rule: high, when: metrics.score_mean > 0.5}]\n"
    )
    done = _gov(installed, tmp_path, "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 problems in 2 files\n", "")
    card.write_text(card.read_text().replace("score_mean", "score_maen"))
    done = _gov(installed, tmp_path, "check")
    assert done.returncode == 1
    assert "did you mean 'score_mean'?" in done.stdout
