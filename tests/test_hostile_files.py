"""Hostile and broken files: each a clear error at a place inside the file, at once, in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import hostile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.core.problem import Position
from governance.policies import policies

ROOT = Path(__file__).parent.parent
EXPECTED = {**{name: code for name, (_, code) in hostile.CASES.items()}, **hostile.UNREADABLE}
MEGABYTES = 300
SECONDS = 1.0  # of CPU, for one file
SHIPPED = [path.read_bytes() for path in sorted((ROOT / "policies").rglob("*.yaml"))]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What one process said of every file."""
    command = [sys.executable, str(ROOT / "tests" / "hostile.py"), str(tmp_path_factory.mktemp("hostile"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {str(each.get("name", "")): each for each in lines}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_clear_error_at_once(name: str, answers: dict[str, dict[str, Any]]) -> None:
    answer = answers[name]
    codes = [each["code"] for each in answer["problems"]]
    assert "internal-error" not in codes
    assert len(codes) <= 101
    if EXPECTED[name] != hostile.ANY:
        assert EXPECTED[name] in codes, codes
        assert answer["exit"] == 1
    assert all(len(each["message"]) <= 400 for each in answer["problems"])
    assert answer["seconds"] < SECONDS
    content = hostile.CASES[name][0] if name in hostile.CASES else b""
    positions = [Position("", each["line"], each["column"], each["length"]) for each in answer["problems"]]
    assert [each for each in positions if not inside(each, content)] == []


def test_memory_stays_small(answers: dict[str, dict[str, Any]]) -> None:
    assert answers[""]["peak"] < MEGABYTES


def inside(position: Position, content: bytes) -> bool:
    """Tell whether a position is on a line of a file, or just behind its end."""
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    return 1 <= position.line <= len(lines) and 1 <= position.column <= len(lines[position.line - 1]) + 1


PIECES = b" \n \t : { } [ ] ' \" # \x00 \xff \xe2\x80 | > % @ ? , \\ (( 1e999 &a *a !!x".split(b" ")
PIECES += [b": ", b"- ", b"<<: ", b"---\n"]
edits = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 6), st.sampled_from(PIECES) | st.binary(max_size=3)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.sampled_from(SHIPPED), edits=edits)
def test_whatever_is_done_to_our_files_is_sound_or_a_problem_inside_them(
    content: bytes, edits: list[tuple[float, int, bytes]], tmp_path: Path
) -> None:
    for where, removed, put in edits:
        at = int(where * len(content))
        content = content[:at] + put + content[at + removed :]
    path = tmp_path / "mutated.yaml"
    path.write_bytes(content)
    for problem in policies([path]).problems:
        assert problem.code != "internal-error", problem.render()
        assert inside(problem.position, content), problem.render()
        assert problem.render()
