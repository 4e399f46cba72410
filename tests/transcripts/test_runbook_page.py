"""The page on runbooks does what it shows; `gov runbook simulate` for programs, and what it refuses."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from transcripts.page import FENCE, appear
from transcripts.page import run as shell

from governance.cli.main import run

PAGE = Path(__file__).parents[2] / "docs" / "runbooks.md"
WRITING = PAGE.read_text(encoding="utf-8").split("\n## Writing one\n")[1].split("\n## ")[0]
FILES = ["policies/org.yaml", "policies/loan-risk.yaml", "runbooks/degrade.yaml"]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page."""
    monkeypatch.chdir(tmp_path)
    blocks = [text for language, text in FENCE.findall(WRITING) if language == "yaml"]
    for name, text in zip(FILES, blocks, strict=True):
        assert f"`{name}`" in WRITING
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert len(blocks[-1].splitlines()) == 10
    return tmp_path


def test_the_page_does_what_it_shows(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = []
    for language, text in FENCE.findall(WRITING):
        if language == "sh":
            assert shell(text, workspace).returncode == 0
        elif language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, *shown = part.strip("\n").split("\n")
                run(shlex.split(command)[1:])
                appear(command, shown, subprocess.CompletedProcess(command, 0, *capsys.readouterr()))
                commands.append(command)
    assert len(commands) == 4


def test_a_simulation_for_programs(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runbook", "simulate", "degrade", "--model", "loan-risk", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["step"] for each in found["steps"]] == ["look", "pull", "tell"]
    pull = found["steps"][1]
    assert (pull["act"], pull["with"], pull["key"]) == (
        "switch.pull", {"mode": "fallback", "reason": "{incident.title}"}, "RUN-0/pull/1",
    )  # fmt: skip
    assert found["ending"]["state"] == "done"
    assert [(each["state"], each["where"]) for each in found["ways"]] == [
        ("done", {}),
        ("stopped", {"pull": "fails"}),
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["degrad", "--model", "loan-risk"], 2, "no runbook 'degrad'; did you mean 'degrade'?"),
        (["degrade", "--model", "loan-rsk"], 2, "no card declares the model 'loan-rsk'; did you mean 'loan-risk'?"),
        (["degrade", "--model", "loan-risk", "--assume", "pull=fials"], 2, "nothing is assumed by 'fials'"),
        (["degrade", "--model", "loan-risk", "--assume", "pul=fails"], 1, "no step 'pul'; did you mean 'pull'?"),
        (["degrade", "--model", "loan-risk", "--assume", "pull"], 2, "write --assume name=value"),
        (["degrade", "--model", "loan-risk", "--parameter", "x=1"], 1, "no parameter 'x'; the runbook takes none"),
        (
            ["canary-comparison", "--model", "loan-risk"],
            1,
            "'canary-comparison' is not for this model: its card has no ",
        ),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    found = run(["runbook", "simulate", *arguments])
    shown = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert said in shown
    assert found == code
