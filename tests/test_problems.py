"""Every problem that can be found has a page whose example makes it; programs read problems in three formats."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import problem_pages
import pytest

from governance.cli.main import run
from governance.loader import messages

ROOT = Path(__file__).parent.parent
PAGES = {path.stem: path for path in problem_pages.paths()}
CALLS = {"placed", "problem", "problem_at", "report", "_report", "Problem", "ExpressionProblem", "unknown"}
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")
WITHOUT_EXAMPLE = {
    "internal-error"
}  # any that we knew, we would mend; test_loader.py makes one with a class of its own


def modules() -> Iterator[Path]:
    """Yield the modules that say what is wrong with files."""
    for folder in ("core", "loader"):
        yield from (ROOT / "governance" / folder).rglob("*.py")
    for name in ("policies.py", "testing/finding.py", "testing/scene.py"):  # the rest says how tests went
        yield ROOT / "governance" / name


def reported(module: Path) -> Iterator[str]:
    """Yield the codes in the calls of a module that report a problem."""
    for call in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        texts = [each.value for each in call.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        codes = [text for text in texts if CODE.fullmatch(text)]
        if name in CALLS and codes:
            yield f"unknown-{codes[0]}" if name == "unknown" else codes[0]


# Codes that no call names: of pydantic's errors, of YAML's tabs, and of literals that are computed when loading.
OTHERS = {*messages._CODES.values(), "wrong-type", "out-of-range", "tab", "bad-timestamp"}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    codes = {code for module in modules() for code in reported(module)} | OTHERS
    assert len(codes) > 60, "the codes were not found in the source"
    assert sorted(codes) == sorted(PAGES), "write docs/problems/<code>.md, then make docs"


@pytest.mark.parametrize("code", PAGES)
def test_a_page_shows_what_is_found(code: str) -> None:
    page = PAGES[code].read_text(encoding="utf-8")
    assert page.startswith(f"# {code}\n\n")
    shown = re.findall(r"error\[([a-z0-9-]+)\]", page)
    assert code in shown or code in WITHOUT_EXAMPLE
    assert problem_pages.filled(page) == page, "run make docs"


def test_a_page_is_printed_without_the_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--explain", "unknown-metric"]) == 0
    assert capsys.readouterr().out == PAGES["unknown-metric"].read_text(encoding="utf-8")
    assert run(["check", "--explain", "unknwn-metric"]) == 2
    assert "did you mean 'unknown-metric'?" in " ".join(capsys.readouterr().err.replace("│", " ").split())


HOSTILE = """\
kind: card
model: m
owners: {team: "50%\\n::error::x", accountable: zoe}
metrics: {x: {source: predictions, query: x}}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a card whose values mean something to those who read the answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOV_POLICIES", raising=False)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "org.yaml").write_bytes((problem_pages.PAGES / "org.yaml").read_bytes())
    (tmp_path / "policies" / "a, b: ä.yaml").write_text(HOSTILE, encoding="utf-8")
    return tmp_path


def test_annotations_of_github(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--format", "github"]) == 1
    at = "file=policies/a%2C b%3A ä.yaml,line=3,endLine=3"
    assert capsys.readouterr().out.splitlines() == [
        f"::error {at},col=16,endColumn=32,title=unknown-team::no team '50%25�::error::x'; known: lending",
        f"::error {at},col=48,endColumn=50,title=unknown-person::no person 'zoe'; known: ana, bo",
        "2 problems in 2 files",
    ]


TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
COUNT = {"type": "integer", "minimum": 1}
# What SARIF 2.1.0 (OASIS Standard, sections 3.13 to 3.30) requires of the objects that we write.
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/run"}},
    },
    "$defs": {
        "run": {
            "required": ["tool", "results"],
            "additionalProperties": False,
            "properties": {
                "tool": {"required": ["driver"], "properties": {"driver": {"$ref": "#/$defs/driver"}}},
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
            },
        },
        "driver": {
            "required": ["name"],
            "properties": {"rules": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/rule"}}},
        },
        "rule": {
            "required": ["id"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string"},
                "shortDescription": TEXT,
                "help": {**TEXT, "properties": {**TEXT["properties"], "markdown": {"type": "string"}}},
                "properties": {"type": "object"},
            },
        },
        "result": {
            "required": ["message"],
            "additionalProperties": False,
            "properties": {
                "ruleId": {"type": "string"},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "level": {"enum": ["none", "note", "warning", "error"]},
                "message": TEXT,
                "locations": {"type": "array", "items": {"$ref": "#/$defs/location"}},
            },
        },
        "location": {
            "additionalProperties": False,
            "properties": {
                "physicalLocation": {
                    "required": ["artifactLocation"],
                    "additionalProperties": False,
                    "properties": {
                        "artifactLocation": {
                            "properties": {"uri": {"type": "string", "pattern": r"^[!-~]+$"}},
                        },
                        "region": {"properties": dict.fromkeys(("startLine", "startColumn", "endColumn"), COUNT)},
                    },
                }
            },
        },
    },
}


def test_sarif(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--format", "sarif"]) == 1
    log = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(SARIF).validate(log)
    (ran,) = log["runs"]
    rules = ran["tool"]["driver"]["rules"]
    for result in ran["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["help"]["markdown"] == PAGES[rule["id"]].read_text(encoding="utf-8")
    place = ran["results"][1]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "policies/a%2C%20b%3A%20%C3%A4.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 3, "startColumn": 48, "endLine": 3, "endColumn": 51}


def test_sarif_of_sound_policies_has_no_results(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "policies" / "a, b: ä.yaml").unlink()
    assert run(["check", "--format", "sarif"]) == 0
    log = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(SARIF).validate(log)
    assert log["runs"][0]["results"] == []


def test_json_names_the_page(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)["problems"]
    assert [each["help"] for each in found] == [
        "docs/problems/unknown-team.md",
        "docs/problems/unknown-person.md",
    ]
    assert all((ROOT / each["help"]).is_file() for each in found)


def test_people_at_a_terminal_are_told_of_the_pages(workspace: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-c", "from governance.cli.main import main; main()", "check"]
    done = subprocess.run(command, stdout=follower, check=False)
    os.close(follower)
    assert done.returncode == 1
    assert b"gov check --explain unknown-team says more" in os.read(leader, 10_000)
