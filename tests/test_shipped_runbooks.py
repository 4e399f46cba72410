"""What holds of all shipped runbooks: who is woken by one can read it on a phone, and none waits for ever."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from governance.core.runbook import Runbook, Step

ROOT = Path(__file__).parents[1] / "runbooks"
SHIPPED = sorted(path for path in ROOT.glob("*.yaml") if not path.name.endswith(".test.yaml"))
WIDTH = 80
_HOLE = re.compile(r"\{[^{}]*(\{[^{}]*\})?[^{}]*\}", re.DOTALL)


def _read(path: Path) -> Runbook:
    text: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Runbook.model_validate({key: value for key, value in text.items() if key != "kind"})


def _texts(step: Step) -> list[str]:
    notice = step.notify.message if step.notify is not None else ""
    return [each for each in (step.instruct, step.text, notice) if each]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_is_called_as_its_file_and_reads_well(path: Path) -> None:
    runbook = _read(path)
    assert runbook.runbook == path.stem
    for step in runbook.steps:
        if step.kind in ("check", "approve", "act"):
            assert step.text, f"{step.step} is told in plain words too"
        for text in _texts(step):
            assert max(map(len, _HOLE.sub("12345678", text).splitlines())) <= WIDTH, f"{step.step} fits a phone"
    first = next(step.instruct for step in runbook.steps if step.instruct)
    assert "MEANS" in first
    assert "NORMAL" in "".join(text for step in runbook.steps for text in _texts(step))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_goes_on_where_nobody_answers(path: Path) -> None:
    for step in _read(path).steps:
        if step.kind in ("instruct", "approve") or (step.kind == "check" and step.timeout is not None):
            assert step.timeout is not None, f"{step.step} would wait for ever"
            assert step.on_timeout, f"{step.step} says what then"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_takes_a_model_out_of_service_can_be_taken_back(path: Path) -> None:
    for step in _read(path).steps:
        if step.act == "switch.pull":
            assert step.undo is not None
            assert step.undo.act == "switch.restore"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_people_are_told_however_it_ends(path: Path) -> None:
    steps = _read(path).steps
    names = [step.step for step in steps]
    ends = [step for step in steps if step.then == "end" or step is steps[-1]]
    assert {step.kind for step in ends} == {"notify"}, f"the last step of each way tells people: {names}"
