"""`gov test` on runbooks as its users see it: people and outcomes over time, wrong stories, what was tried."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from governance.cli.main import run

RUNBOOK = """\
kind: runbook
runbook: mend
description: Mend it.
parameters: {limit: {type: number, default: 0.1}}
steps:
  - step: look
    instruct: Errors are {metrics.errors}.
    timeout: 20m
    on_timeout: continue
  - step: deploy
    act: deployer.deploy
    with: {version: "{card.versions.rollback_to}"}
    retry: {times: 2, backoff: 1m}
    on_failure: stop-serving
    undo: {act: deployer.deploy, with: {version: "{card.versions.serving}"}}
  - step: better
    check: metrics.errors < parameters.limit
    timeout: 30m
    then: end
  - step: stop-serving
    when: card.tier == 1
    act: switch.pull
    with: {mode: stopped, reason: "{run.id}"}
"""
ORG = """\
kind: org
people: {ana: {}, bo: {}}
roles: [{role: responder, who: [ana]}]
sources: {s: {kind: prometheus, address: "http://localhost:9"}}
"""
HEAD = """\
kind: test
of: [runbooks/mend]
every: 10m
card:
  model: m
  tier: 1
  owners: {team: lending}
  versions: {serving: "2", rollback_to: "1"}
  metrics: {errors: {source: s, query: errors}}
tests:
"""
MENDED = """\
  - test: it is mended
    series: {errors: 0.5x2 0.01x3}
    outcomes: {deployer.deploy: [failed, done]}
    acts:
      - {at: 0m, run: mend, as: ana}
      - {at: 10m, tick: look, as: bo, refused: these people may}
      - {at: 10m, tick: look, as: ana, because: it is broken}
    expect:
      - {at: 0m, run: mend, step: look, state: waiting, detail: Errors are 0.5}
      - {at: 10m, run: mend, step: deploy, state: active}
      - {at: 20m, performed: deployer.deploy, with: {version: "1"}, times: 1}
      - {at: 30m, run: mend, state: done}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a runbook and an organisation, which is the current one."""
    monkeypatch.chdir(tmp_path)
    for name in ("GOV_POLICIES", "GOV_RUNBOOKS"):
        monkeypatch.delenv(name, raising=False)
    for folder in ("policies", "runbooks"):
        (tmp_path / folder).mkdir()
    (tmp_path / "policies" / "org.yaml").write_text(ORG, encoding="utf-8")
    (tmp_path / "runbooks" / "mend.yaml").write_text(RUNBOOK, encoding="utf-8")
    return tmp_path


def told(workspace: Path, tests: str, *arguments: str, head: str = HEAD) -> int:
    """Write the tests of the runbook and run all there are."""
    (workspace / "runbooks" / "mend.test.yaml").write_text(head + tests, encoding="utf-8")
    return run(["test", *arguments])


def test_runbooks_are_tested_with_the_policies(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(workspace, MENDED) == 0, capsys.readouterr().out
    assert capsys.readouterr().out.startswith("1 test passed in 1 file, ")


def test_a_failure_says_where_the_run_is_and_why(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    worse = MENDED.replace("[failed, done]", "failed").replace('version: "1"', 'version: "7"')
    assert told(workspace, worse) == 1
    said = capsys.readouterr().out
    assert "mend.test.yaml:21:" in said
    assert "deployer.deploy took effect 0 times: switch.pull {'mode': 'stopped', 'reason': 'RUN-1'}, expected 1" in said
    assert told(workspace, MENDED.replace("0.01x3", "0.5x3")) == 1
    assert (
        "at 30m RUN-1 is running, at better (active: metrics.errors 0.5 < parameters.limit 0.1 is false), expected done"
    ) in capsys.readouterr().out


def test_what_nobody_knows_is_settled_and_what_was_done_is_taken_back(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = """\
  - test: it is settled, and cancelled
    series: {errors: 0.5x4}
    outcomes: {deployer.deploy: [unknown, {state: done, detail: version 2 is there}]}
    acts:
      - {at: 0m, run: mend, as: ana}
      - {at: 0m, tick: look, as: ana}
      - {at: 10m, settle: deploy, as: ana, because: I saw it}
      - {at: 10m, pause: mend, as: ana}
      - {at: 20m, resume: RUN-1, as: ana}
      - {at: 20m, cancel: mend, as: ana}
      - {at: 30m, retry: deploy, in: RUN-1, as: ana, refused: it ended at}
    expect:
      - {at: 0m, run: mend, step: deploy, state: unknown}
      - {at: 10m, run: mend, state: paused}
      - {at: 20m, run: RUN-1, state: cancelled}
      - {at: 20m, performed: deployer.deploy, times: 2}
      - {at: 20m, performed: deployer.deploy, with: {version: "2"}, times: 1}
      - {at: 20m, run: mend, step: deploy, state: undone}
"""
    assert told(workspace, story) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("was", "becomes", "problem"),
    [
        ("run: mend, as", "run: mand, as", "error[unknown-runbook]: no runbook 'mand'"),
        ("tick: look, as: ana", "tick: lock, as: ana", "error[unknown-step]: no step 'lock'"),
        ("step: deploy", "step: deplay", "error[unknown-step]: no step 'deplay'"),
        ("performed: deployer.deploy", "performed: deployer.do", "error[unknown-act]: no act 'deployer.do'"),
        ("{deployer.deploy:", "{deployer.deplay:", "error[unknown-act]: no act 'deployer.deplay'"),
        ("{deployer.deploy:", "{switch.pull:", "error[no-effect]: 'switch.pull' is done on the engine itself"),
        ("state: waiting", "state: firing", "`state` is one of active, acting, waiting"),
        ("step: look, state", "state: done, alert: x, state", "duplicate"),
        ("run: mend, step: deploy", "step: deploy", "`step` is of a run; name it: run: RUNBOOK"),
    ],
)
def test_what_is_wrong_with_a_story(
    was: str, becomes: str, problem: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(workspace, MENDED.replace(was, becomes, 1)) == 1
    assert problem in capsys.readouterr().out


def test_a_story_without_a_run_proves_nothing(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(workspace, "  - test: nothing\n    series: {errors: 0.5x1}\n") == 1
    assert "error[nothing-judged]: no run of a runbook was begun, so nothing is proved" in capsys.readouterr().out


def test_coverage_names_the_ways_that_no_run_went(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(workspace, MENDED, "--coverage", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)["coverage"]
    assert (found["branches"], found["percent"]) == (8, 37.5)
    assert [(each["condition"], each["missing"]) for each in found["gaps"]] == [
        ("look", "never timed out"),
        ("deploy", "never failed"),
        ("better", "never timed out"),
        ("stop-serving", "never done"),
        ("stop-serving", "never skipped"),
    ]


def test_a_rule_of_a_card_begins_a_runbook(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = HEAD[HEAD.index("  model") : HEAD.index("tests:")].replace("  ", "", 1).replace("\n  ", "\n")
    rule = "{rule: broken, when: metrics.errors > 0.2, enforcement: act, then: {runbook: mend}}"
    (workspace / "policies" / "m.yaml").write_text(f"kind: card\n{card}rules: [{rule}]\n", encoding="utf-8")
    story = """\
  - test: the rule begins it, nobody comes, and it goes on
    series: {errors: 0.0x1 0.5x3 0.0x1}
    expect:
      - {at: 0m, run: mend, runs: 0}
      - {at: 20m, alert: broken, state: firing}
      - {at: 20m, run: mend, step: look, state: waiting}
      - {at: 40m, run: mend, step: look, state: timed_out}
      - {at: 1h, run: mend, state: done}
"""
    assert told(workspace, story, head="kind: test\nof: [m]\nevery: 10m\ntests:\n") == 0, capsys.readouterr().out
