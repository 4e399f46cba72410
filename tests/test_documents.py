"""The README and the documentation do what they say."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from governance.cli.main import run
from governance.core.measure import MEASURES
from governance.loader import load_text
from governance.policies import KINDS, policies

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    (path.name, index, text)
    for path in DOCUMENTS
    for index, (language, text) in enumerate(FENCE.findall(path.read_text(encoding="utf-8")))
    if language == "yaml"
]


@pytest.mark.parametrize(("file", "index", "text"), BLOCKS, ids=[f"{file}-{index}" for file, index, _ in BLOCKS])
def test_every_yaml_block_of_the_documentation_loads(file: str, index: int, text: str) -> None:
    _, problems = load_text(text, f"{file}-{index}.yaml", KINDS)
    assert not problems, "\n".join(each.render() for each in problems)


def test_the_shipped_policies_have_no_problems() -> None:
    assert policies([ROOT / "policies"]).problems == ()


def _section(title: str) -> str:
    return README.split(f"## {title}\n")[1].split("\n## ")[0]


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    bin_ = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    return subprocess.run(
        ["bash", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_first_card_comes_about_as_the_readme_says(tmp_path: Path, record_property: pytest.RecordProperty) -> None:
    started = time.perf_counter()
    section = _section("Your first card")
    seen: list[str] = []
    files = iter(re.findall(r"`(policies/[\w.-]+\.yaml)`", section))
    for language, text in FENCE.findall(section):
        if language == "sh":
            done = _run(text, tmp_path)
            assert done.returncode == 0, done.stderr
        elif language == "yaml":
            (tmp_path / next(files)).write_text(text, encoding="utf-8")
        elif language == "console":
            if "error[" in text:
                card = tmp_path / "policies/loan-risk.yaml"
                card.write_text(card.read_text().replace("metrics.score_mean >", "metrics.score_maen >"))
            seen += _played(text, tmp_path)
    assert seen == ["gov check", "gov eval loan-risk --at 2026-01-06", "gov test", "gov check"]
    record_property("seconds", round(time.perf_counter() - started, 2))


def _played(console: str, folder: Path) -> list[str]:
    """Run each `$ command` of a console block; the lines below it must appear in its output, in order."""
    commands = []
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, *expected = part.strip("\n").split("\n")
        done = _run(command, folder)
        rest = done.stdout + done.stderr
        for line in expected:
            if not line.strip():
                continue
            assert line.rstrip() in rest, f"{command}: {line!r} is not in\n{done.stdout}{done.stderr}"
            rest = rest.split(line.rstrip(), 1)[1]
        commands.append(shlex.join(shlex.split(command)))
    return commands


def test_the_card_of_the_readme_is_short() -> None:
    card = next(text for language, text in FENCE.findall(_section("Your first card")) if "kind: card" in text)
    assert len(card.splitlines()) <= 20


def test_every_command_that_is_shown_exists(capsys: pytest.CaptureFixture[str]) -> None:
    shown = set(re.findall(r"(?:^|\s|/)gov(?: -C \S+)? ([a-z]+(?: (?:list|show|ack|resolve|verify|tail))?)", README))
    assert shown, "the README shows commands"
    for command in sorted(shown):
        assert run([*command.split(), "--help"]) == 0, f"gov {command}: {capsys.readouterr().err}"


def test_the_generated_pages_are_up_to_date() -> None:
    specification = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    for path, text in module.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is old: run make docs"


def test_every_measure_of_the_standard_pack_exists() -> None:
    document, problems = load_text(
        (ROOT / "policies/packs/standard.yaml").read_text(encoding="utf-8"), "standard.yaml", KINDS
    )
    assert not problems
    assert document is not None
    assert {each.measure for each in document.document.metrics.values()} <= set(MEASURES)
