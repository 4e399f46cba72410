"""`gov check` as its users see it: every problem at its place, with what was meant, and an honest exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from check_cases import CASES, ORG, SIX, SIX_PROBLEMS, Case
from interfaces.serving import ask

from governance.cli.main import run

ROOT = Path(__file__).parent.parent
GOV = [sys.executable, "-c", "from governance.cli.main import main; main()"]


def gov(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command in a directory, without the settings of whoever runs the tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GOV_")}
    return subprocess.run(
        [*GOV, *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with an organisation, which is the current one."""
    monkeypatch.chdir(tmp_path)
    for name in ("GOV_POLICIES", "GOV_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "org.yaml").write_text(ORG, encoding="utf-8")
    return tmp_path


def test_our_own_policies_are_sound() -> None:
    done = gov(ROOT, "check", "policies")
    files = len(list((ROOT / "policies").rglob("*.yaml")))
    assert (done.stdout, done.stderr, done.returncode) == (f"0 problems in {files} files\n", "", 0)


def test_six_mistakes_are_six_problems(workspace: Path) -> None:
    (workspace / "policies" / "flight-delay.yaml").write_text(SIX, encoding="utf-8")
    done = ask(workspace, "check")
    assert done.stdout == SIX_PROBLEMS
    assert (done.stderr, done.returncode) == ("", 1)


def test_mistakes_of_form_and_of_meaning_are_found_together(workspace: Path) -> None:
    text = SIX.replace("kind: card\n", "kind: card\ndescripton: Late or not.\ntier: high\n")
    (workspace / "policies" / "flight-delay.yaml").write_text(text, encoding="utf-8")
    assert ask(workspace, "check").stdout.splitlines()[-1] == "8 problems in 2 files"


def test_json_says_the_same(workspace: Path) -> None:
    (workspace / "policies" / "flight-delay.yaml").write_text(SIX, encoding="utf-8")
    done = ask(workspace, "check", "--format", "json")
    found = json.loads(done.stdout)
    shown = [line for line in SIX_PROBLEMS.splitlines() if ": error[" in line]
    assert [
        f"{each['file']}:{each['line']}:{each['column']}: error[{each['code']}]: {each['message']}"
        for each in found["problems"]
    ] == shown
    suggestions = [each["suggestion"] for each in found["problems"] if each["suggestion"]]
    assert suggestions == [line.partition("^ ")[2] for line in SIX_PROBLEMS.splitlines() if "did you mean" in line]
    lengths = [line.count("^") for line in SIX_PROBLEMS.splitlines() if "^" in line]
    assert [each["length"] for each in found["problems"]] == lengths
    assert (found["files"], done.stderr, done.returncode) == (2, "", 1)


@pytest.mark.parametrize("case", CASES, ids=[each.id for each in CASES])
def test_problem(case: Case, workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in case.files.items():
        (workspace / "policies" / name).write_text(text, encoding="utf-8")
    code = run(["check"])
    said = capsys.readouterr()
    *shown, total = said.out.splitlines()
    assert shown == case.shown.splitlines()
    files = len(case.files) + ("org.yaml" not in case.files)
    problems = case.shown.count(": error[")
    assert total == f"{problems} problem{'s' * (problems != 1)} in {files} file{'s' * (files != 1)}"
    assert (said.err, code) == ("", 1)


def test_a_path_that_is_missing(workspace: Path) -> None:
    done = ask(workspace, "check", "nowhere")
    assert done.stdout.splitlines()[0] == "nowhere:1:1: error[missing-file]: no such file or directory"
    assert done.returncode == 1


def test_a_missing_directory_of_policies(tmp_path: Path) -> None:
    done = ask(tmp_path, "check")
    assert done.stdout.splitlines()[0] == "policies:1:1: error[missing-file]: no such file or directory"
    assert done.returncode == 1


@pytest.mark.parametrize("arguments", [(), ("--format", "json")], ids=["text", "json"])
def test_an_empty_directory_is_no_success(arguments: tuple[str, ...], workspace: Path) -> None:
    (workspace / "empty").mkdir()
    done = ask(workspace, "check", "empty", *arguments)
    assert done.stderr == "gov: nothing was checked: there is no YAML file in empty\n"
    assert done.returncode == 1


def test_a_broken_file_is_counted(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "policies" / "card.yaml").write_text("kind: card\nmodel: m\nowners: {team: travel-ml}\ntears: 1\n")
    assert run(["check", "policies/card.yaml"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 problems in 1 file"  # and it has nothing to judge


def test_hostile_text_in_a_file_commands_no_terminal(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = 'kind: card\nmodel: m\nowners: {team: "\\e[2Jtravel"}\nmetrics: {x: {source: predictions, query: x}}\n'
    (workspace / "policies" / "card.yaml").write_text(card, encoding="utf-8")
    assert run(["check"]) == 1
    shown = capsys.readouterr().out
    assert "no team '�[2Jtravel'" in shown
    assert "\x1b" not in shown


def test_usage(workspace: Path) -> None:
    done = ask(workspace, "check", "--formt", "json")
    assert (done.stdout, done.returncode) == ("", 2)
    assert "--formt" in done.stderr
