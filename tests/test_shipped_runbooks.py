"""What holds of all shipped runbooks: who is woken by one can read it on a phone, and none waits for ever."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from governance.cli.main import run
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


CARD = """\
kind: card
model: m
owners: {team: lending}
versions: {serving: "2", rollback_to: "1", fallback: rules, canary: {version: "3", share: 5%}, prompt: "7"}
log:
  source: warehouse
  table: m
  reference: m_training
  columns: {time: at, version: v, score: p, latency: s, cost: c, override: o, label: y, label_time: known_at}
truth: {delay: 12h, complete_after: 48h}
slices: [region]
data: {features: {income: {type: number, range: [0, 1]}}, retention: {predictions: {at_most: 30d}}, depends_on: [feed]}
cost: {per_day: 100}
retraining: {every: 30d}
rules:
"""
ORG = """\
kind: org
people: {ana: {}}
sources: {warehouse: {kind: parquet, path: data}}
acts: {mlflow: {kind: mlflow, address: "http://127.0.0.1:5000"}}
"""


def test_they_are_for_the_models_that_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every expression, act and way of each, on a card that has what each asks for, and names them all."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOV_POLICIES", raising=False)
    (tmp_path / "policies").mkdir()
    named = "".join(
        f"  - {{rule: r-{path.stem}, when: metrics.latency_p95 > 9.0, then: {{runbook: {path.stem}}}}}\n"
        for path in SHIPPED
    )
    (tmp_path / "policies" / "m.yaml").write_text(CARD + named, encoding="utf-8")
    (tmp_path / "policies" / "org.yaml").write_text(ORG, encoding="utf-8")
    shutil.copytree(ROOT, tmp_path / "runbooks", ignore=shutil.ignore_patterns("*.test.yaml", "*.md"))
    assert run(["check"]) == 0, capsys.readouterr().out


def test_each_is_played_at_its_best_at_its_worst_and_at_night(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stories beside them; what none of them tries is named by --coverage."""
    monkeypatch.chdir(ROOT.parent)
    monkeypatch.delenv("GOV_POLICIES", raising=False)
    assert run(["test", "runbooks", "--coverage-min", "88"]) == 0, capsys.readouterr().out
    assert {path.stem for path in SHIPPED} == {
        path.name.removesuffix(".test.yaml") for path in ROOT.glob("*.test.yaml")
    }
