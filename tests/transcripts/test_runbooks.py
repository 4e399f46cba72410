"""gov runbook: what people read and type while a run goes on."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from transcripts.workspace import Workspace, parsed, rows

from governance.bootstrap import engine
from governance.engine.running.driving import drive
from governance.settings import Settings

CAREFUL = """
kind: runbook
runbook: careful
description: Look, ask, go back.
parameters:
  version: {description: the version to go back to}
  ticket: {default: none}
steps:
  - {step: look, instruct: "Look at {card.model}: is it worse than {parameters.version}?"}
  - {step: consent, approve: {role: approver}, text: "May we go back to {parameters.version}?", timeout: 20m}
  - {step: settle-down, wait: 10m}
"""
RUN = ("runbook", "run", "careful", "--model", "loan-risk", "--because", "wrong since noon", "--as", "ana")


@pytest.fixture
def at(workspace: Workspace) -> Workspace:
    (workspace.directory / "policies" / "careful.yaml").write_text(CAREFUL, encoding="utf-8")
    return workspace


def driven(at: Workspace) -> None:
    """Let the engine go on once, as gov serve does."""
    settings = Settings(home=at.directory / ".gov", policies=at.directory / "policies")
    built = engine(settings, base=at.directory)
    drive(built, datetime.now(UTC))
    built.database.close()


def test_a_run_from_its_start_to_its_end(at: Workspace) -> None:
    done = at.ask(*RUN, "--parameter", "version=6")
    assert done.returncode == 0, done.stderr
    first, second, *_ = done.stdout.splitlines()
    assert re.fullmatch(r"RUN-1 \(careful of loan-risk\) is started; sealed as entry \d+ of the decision log", first)
    assert second == "you may, because org.yaml gives no roles, so that everybody in `people` may"
    driven(at)
    shown = at.ask("runbook", "status", "1").stdout
    assert shown.splitlines()[:2] == [
        "RUN-1  careful  loan-risk  waiting",
        "step 1 of 3: look – waits for somebody to do it and tick it (ana, bo)",
    ]
    assert "  ▶ 1. look  Look at loan-risk: is it worse than 6?\n" in shown
    assert "  ○ 2. consent  May we go back to 6?  (asks an approver, not the starter)\n" in shown
    assert "tick: gov runbook tick RUN-1 --as WHO\n" in shown
    assert "RUN-1 (careful of loan-risk) goes on" in at.ask("runbook", "tick", "RUN-1", "--as", "ana").stdout
    driven(at)
    own = at.ask("runbook", "approve", "run-1", "--as", "ana")
    assert (own.returncode, own.stdout) == (3, "")
    assert own.stderr == "gov: ana started RUN-1; somebody else must consent: bo\n"
    assert "refused: " not in at.ask("runbook", "approve", "apr-1", "--because", "shadow agrees", "--as", "bo").stdout
    driven(at)
    (row,) = rows(at.ask("runbook", "runs").stdout)
    assert (row[0], row[3], row[6][:35]) == ("RUN-1", "running", "step 3 of 3: settle-down – waits un")
    late = at.ask("runbook", "approve", "APR-1", "--as", "bo")
    assert late.returncode == 3
    assert re.match(r"gov: APR-1 was approved at .*: approved by bo; bo approved consent at ", late.stderr)
    ended = at.ask("runbook", "cancel", "1", "--because", "it mended itself", "--as", "bo", "--format", "json")
    assert parsed(ended.stdout)["state"] == "cancelled"
    assert at.ask("runbook", "runs").stdout == "no open runs\n"
    refused = parsed(at.ask("audit", "tail", "--kind", "act.refused", "--format", "json").stdout)
    assert [each["actor"] for each in refused if each["subject"].get("run") == "RUN-1"] == ["ana", "bo"]


def test_what_a_runbook_asks_for_is_named(at: Workspace) -> None:
    done = at.ask(*RUN)
    assert (done.returncode, done.stdout) == (1, "")
    assert "parameters.version" in done.stderr
    shown = at.ask("runbook", "show", "careful", "--model", "loan-risk").stdout
    assert "  parameter  version (string, needed): the version to go back to\n" in shown
    assert "  parameter  ticket (string, none by default)\n" in shown
    assert "start it: gov runbook run careful --model loan-risk --because WHY" in shown
    (row,) = [each for each in rows(at.ask("runbook", "list", "--model", "loan-risk").stdout) if each[0] == "careful"]
    assert row == ["careful", "yes", "Look, ask, go back."]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "carefull"), 2, "no runbook 'carefull'; did you mean 'careful'?"),
        (("status", "12"), 2, "no run 'RUN-12'; there are none yet"),
        (("status", "x"), 2, "'x' is no run; write 12 or RUN-12"),
        (("runs", "--state", "shut"), 2, "no state 'shut'; known: open, ended, all"),
        (("settle", "1", "--because", "x"), 2, "--took-effect"),
        (("run", "careful", "--model", "loan-risk", "--because", "x", "--parameter", "version"), 2, "NAME=VALUE"),
        (("approve", "APR-7"), 2, "no approval 'APR-7'"),
    ],
)
def test_what_cannot_be_understood_is_said(at: Workspace, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = at.ask("runbook", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
