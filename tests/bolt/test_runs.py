"""Runs of runbooks from Slack: started, ticked, consented to and ended by signed requests, each as the person it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from bolt.office import Office, value
from bolt.web import until

from governance.core.decision import Decision
from governance.core.run import Run
from governance.core.runbook import Runbook
from governance.engine.running import showing
from governance.engine.running.driving import drive
from governance.loader import load_text
from governance.slack.run_card import RUN_ACTS, card

CAREFUL = """
kind: runbook
runbook: careful
description: Look, ask, tell.
parameters: {ticket: {default: none}}
steps:
  - step: look
    instruct: |
      MEANS  {card.model} errs, see {parameters.ticket}.
      LOOK   <!channel> *bold*
  - {step: consent, approve: {role: responder}, text: "Shall we tell the owners?"}
  - {step: tell, notify: {message: "told"}}
"""


@pytest.fixture
def ready(at: Office) -> Office:
    """An office whose engine has a runbook, and an open incident."""
    document, problems = load_text(CAREFUL, "careful.yaml", {"runbook": Runbook})
    assert not problems
    engine = at.inbound.desk.engine
    engine.plan = replace(engine.plan, runbooks={"careful": document})  # type: ignore[dict-item]
    at.breach()
    return at


def _runs(at: Office) -> list[Run]:
    drive(at.inbound.desk.engine, at.desk.now)
    return showing.listed(at.inbound.desk.engine, state="all")


def _entry(at: Office, kind: str) -> Decision:
    """Return the last entry of a kind, once it is sealed."""
    until(lambda: bool(at.desk.entries(kind)))
    return at.desk.entries(kind)[-1].decision


def _on(step: str, run: str = "RUN-1") -> str:
    return json.dumps({"run": run, "step": step})


def _start(at: Office, user: str = "U0ANA", **said: str) -> None:
    incident = at.desk.incidents()[0]
    at.click(user, "runbook.run", value(incident))
    view = at.web.wait("views.open", "Run a runbook").said["view"]
    at.submit(user, view, **said)
    until(lambda: bool(_runs(at)))


def test_a_runbook_is_started_for_the_incident_with_its_reason_preset(ready: Office) -> None:
    _start(ready, parameters="ticket = OPS-7")
    (run,) = _runs(ready)
    assert (run.started_by, run.incident, run.model, run.mode) == ("ana", 1, "delay", "live")
    assert run.parameters["ticket"] == "OPS-7"
    assert run.because == ready.desk.incidents()[0].title
    told = ready.web.wait("views.update", "RUN-1 has begun")
    assert "decision log" in str(told.said)
    assert _entry(ready, "runbook.started").body["channel"] == "slack"


def test_what_a_runbook_does_not_take_is_said_and_nothing_begins(ready: Office) -> None:
    incident = ready.desk.incidents()[0]
    ready.click("U0ANA", "runbook.run", value(incident))
    view = ready.web.wait("views.open", "Run a runbook").said["view"]
    ready.submit("U0ANA", view, parameters="tickit = 7")
    assert "tickit" in str(ready.web.wait("views.update", "tickit").said)
    assert _runs(ready) == []


def test_the_card_of_a_step_is_ticked_by_one_click_and_drawn_as_it_is_then(ready: Office) -> None:
    _start(ready)
    ready.click("U0ANA", "runbook.tick", _on("look"))
    until(lambda: (step := _runs(ready)[0].step) is not None and step.step == "consent")
    drawn = ready.web.wait("chat.update", "careful")
    assert "✓ look" in str(drawn.said["blocks"])


def test_who_started_it_does_not_consent_and_is_told_who_may(ready: Office) -> None:
    _start(ready)
    ready.click("U0ANA", "runbook.tick", _on("look"))
    until(lambda: (step := _runs(ready)[0].step) is not None and step.step == "consent")
    ready.click("U0ANA", "runbook.approve", _on("consent"))
    refused = ready.web.wait("views.open", "started RUN-1")
    assert "Who may" in str(refused.said)
    assert "U0BO" in str(refused.said)
    assert _runs(ready)[0].is_open
    ready.click("U0BO", "runbook.approve", _on("consent"))
    until(lambda: _runs(ready)[0].state == "done")
    entry = _entry(ready, "runbook.approved")
    assert (entry.actor, entry.body["channel"]) == ("bo", "slack")


def test_a_second_click_on_the_same_step_does_nothing_and_says_so(ready: Office) -> None:
    _start(ready)
    ready.click("U0ANA", "runbook.tick", _on("look"))
    until(lambda: (step := _runs(ready)[0].step) is not None and step.step == "consent")
    ready.click("U0BO", "runbook.tick", _on("look"))
    assert "step 'look' of RUN-1 cannot be ticked now" in str(ready.web.wait("views.open", "cannot be ticked").said)
    assert len(ready.desk.entries("runbook.step_done")) == 1


def test_a_run_is_cancelled_with_a_reason_that_the_log_keeps(ready: Office) -> None:
    _start(ready)
    ready.click("U0BO", "runbook.cancel", _on("look"))
    view = ready.web.wait("views.open", "Cancel the run").said["view"]
    assert ready.submit("U0BO", view).body != "", "without a reason nothing is sent"
    ready.submit("U0BO", view, because="false alarm")
    until(lambda: _runs(ready)[0].state == "cancelled")
    assert _entry(ready, "runbook.cancelled").body["because"] == "false alarm"


def test_the_command_opens_the_runbook_that_it_names(ready: Office) -> None:
    ready.type("U0ANA", "runbook delay careful")
    view = ready.web.wait("views.open", "Run a runbook").said["view"]
    ready.submit("U0ANA", view, because="looks odd", mode="dry_run")
    until(lambda: bool(_runs(ready)))
    (run,) = _runs(ready)
    assert (run.mode, run.incident) == ("dry_run", 1)


def test_nothing_that_a_runbook_says_is_markup_and_its_lines_stay_lines(ready: Office) -> None:
    _start(ready)
    engine = ready.inbound.desk.engine
    drawn = card(showing.run_view(engine, _runs(ready)[0], ready.desk.now))
    texts = [_text(each) for each in drawn.blocks]
    said = next(each for each in texts if each.startswith("MEANS"))
    assert said.splitlines()[0].startswith("MEANS")
    assert "&lt;!channel&gt;" in said
    assert "*bold*" not in said
    assert len(said.splitlines()) == 2


def test_every_button_of_a_card_is_handled_and_asks_for_what_it_needs() -> None:
    from governance.slack.app import CLICKS
    from governance.slack.submits import SUBMITS

    assert {each.id for each in RUN_ACTS.values()} <= set(CLICKS)
    assert {each.id for each in RUN_ACTS.values() if each.modal} <= set(SUBMITS)


def _text(block: Mapping[str, Any]) -> str:
    said = block.get("text")
    return str(said["text"]) if isinstance(said, Mapping) else ""
