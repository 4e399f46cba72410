"""A runbook from the first key to its end: started on an incident, ticked, consented to by another, then cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from contract.sources.fault_server import FaultServer
from terminal.world import FILES, World, hint, played, screen, shows, until, world
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from tui.app import GovApp
from tui.screens.form import Form
from tui.screens.pick import Pick
from tui.screens.run import RunScreen

SIZE = (130, 50)
UNSURE = """
kind: runbook
runbook: unsure
description: Ask, then have a job done elsewhere.
steps:
  - {{step: consent, approve: {{role: responder}}, text: "Shall the job be done?", timeout: 1h}}
  - {{step: job, act: jobs.request, with: {{url: "{address}/jobs", json: {{model: "{{card.model}}"}}}}}}
"""
CAREFUL = """
kind: runbook
runbook: careful
description: Look, ask, pull, wait.
parameters: {ticket: {default: none, description: where it is written down}}
steps:
  - step: look
    instruct: |
      MEANS   {card.model} errs.
      LOOK    gov eval {card.model}
  - {step: consent, approve: {role: responder}, text: "Shall the fallback answer for {card.model}?", timeout: 1h}
  - {step: pull, act: switch.pull, with: {mode: fallback, reason: "{parameters.ticket}"},
     undo: {act: switch.restore, with: {reason: it is over}}}
  - {step: settle-down, wait: 1h}
"""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[FaultServer]:
    """A system that takes jobs, and may hang up before it answers."""
    made = FaultServer()
    made.told["/jobs"] = {"id": 7}
    yield made
    made.close()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, elsewhere: FaultServer) -> Iterator[World]:
    """A running engine with runbooks, one of which has an act on `elsewhere`, and a critical incident."""
    acts = f'acts: {{jobs: {{kind: http, hosts: ["127.0.0.1:{elsewhere.port}"]}}}}\n'
    files = {
        "careful.yaml": CAREFUL,
        "unsure.yaml": UNSURE.format(address=elsewhere.address),
        "org.yaml": FILES["org.yaml"] + acts,
    }
    made = world(tmp_path_factory.mktemp("runs") / "engine", files)
    yield made
    made.close()


async def _form(app: GovApp, pilot: Pilot[Any], key: str, title: str) -> None:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, Form) and shows(app, title))


async def _sent(app: GovApp, pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: "ready" in hint(app))
    await pilot.press("ctrl+j", "ctrl+j")
    await until(pilot, lambda: not isinstance(app.screen, Form))


def test_two_people_take_a_run_from_the_incident_to_its_wait(here: World) -> None:
    async def starts() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("b")
            await until(pilot, lambda: isinstance(app.screen, Pick) and shows(app, "careful"))
            _choose(app, "careful")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, Form) and shows(app, "Start careful", "INC-1: Errors"))
            app.screen.query_one("#field-p-0", Input).value = "OPS-7"
            await _sent(app, pilot)
            await pilot.press("3")
            await until(pilot, lambda: shows(app, "RUN-1", "careful", "1/4", "waits"))
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, RunScreen) and shows(app, "MEANS loans errs.", "▶"))
            await _form(app, pilot, "n", "Done · RUN-1")
            await _sent(app, pilot)
            await until(pilot, lambda: shows(app, "Shall the fallback answer for loans?", "refuse by bo"))
            await pilot.press("Y", "question_mark")
            await until(pilot, lambda: shows(app, "off: you may not; these people may: bo"))
            await pilot.press("escape", "4")
            await until(pilot, lambda: shows(app, "✗ ana started RUN-1; a second person must consent: bo"))

    async def consents() -> None:
        app = here.app("bo")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("4")
            await until(pilot, lambda: shows(app, "APR-1", "Shall the fallback answer for loans?"))
            await pilot.press("2")
            await until(pilot, lambda: shows(app, "Incidents 1 open", "INC-1"))
            await pilot.press("n")
            await until(pilot, lambda: isinstance(app.screen, RunScreen) and shows(app, "consent"))
            await _form(app, pilot, "Y", "Approve · RUN-1")
            await _sent(app, pilot)
            await until(pilot, lambda: shows(app, "✓ 3", "settle-down") or shows(app, "step 4 of 4"))

    played(starts)
    played(consents)
    run = here.client().run("RUN-1")
    assert (run.state, run.number, run.parameters["ticket"], run.incident) == ("running", 4, "OPS-7", 1)
    assert here.client().switch("loans").mode == "fallback"
    kinds = [(each["kind"], each["actor"], each["body"].get("channel")) for each in here.log("runbook.")]
    assert ("runbook.started", "ana", "tui") in kinds
    assert ("runbook.approved", "bo", "tui") in kinds


def test_it_is_paused_and_cancelled_and_what_it_did_is_taken_back(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("3")
            await until(pilot, lambda: shows(app, "RUN-1", "4/4"))
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, RunScreen) and shows(app, "settle-down"))
            await _form(app, pilot, "P", "Pause · RUN-1")
            await _sent(app, pilot)
            await until(pilot, lambda: here.client().run("RUN-1").state == "paused")
            await pilot.press("question_mark")
            await until(pilot, lambda: shows(app, "no step of RUN-1 waits for that"))
            await pilot.press("escape")
            await _form(app, pilot, "C", "Cancel run · RUN-1")
            assert "reason" in hint(app)
            app.screen.query_one("#field-because", Input).value = "false alarm"
            await _sent(app, pilot)
            await until(pilot, lambda: shows(app, "cancelled", "false alarm"))

    played(story)
    assert here.client().run("RUN-1").state == "cancelled"
    assert here.client().switch("loans").mode == "live", "the kill switch was given back, as its step says"


def test_who_only_looks_is_told_so_and_starts_nothing(here: World) -> None:
    async def story() -> None:
        app = here.app("vic")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("b")
            await until(pilot, lambda: isinstance(app.screen, Pick) and shows(app, "careful"))
            await until(
                pilot, lambda: "✗ 'vic' may not start runbooks" in screen(app) and "may: ana, bo" in screen(app)
            )
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(app.screen, Pick), "what is refused cannot be chosen"

    played(story)
    assert len(here.client().runs(state="all")) == 1


def test_a_step_is_refused_tried_again_skipped_and_what_nobody_knows_is_settled(
    here: World, elsewhere: FaultServer
) -> None:
    begun = here.client().start_run("loans", {"runbook": "unsure", "because": "a try"}, key="unsure").run.id

    async def said(app: GovApp, pilot: Pilot[Any], because: str) -> None:
        if because:
            await until(pilot, lambda: "reason is needed" in hint(app))
            app.screen.query_one("#field-because", Input).value = because
        await _sent(app, pilot)

    async def story() -> None:
        app = here.app("bo")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("colon", *begun, "enter")
            await until(pilot, lambda: isinstance(app.screen, RunScreen) and shows(app, "Shall the job be done?"))
            await _form(app, pilot, "N", f"Refuse · {begun}")
            await said(app, pilot, "not now")
            await until(pilot, lambda: shows(app, "✗ stopped", "refused by bo: not now", "T retry"))
            assert screen(app).count("not now") == 2, "once of the run, once of its step"
            await _form(app, pilot, "T", f"Retry · {begun}")
            await said(app, pilot, "")
            await until(pilot, lambda: shows(app, "▶ waits", "Y approve", "N refuse"))
            await _form(app, pilot, "Y", f"Approve · {begun}")
            await said(app, pilot, "")
            await until(pilot, lambda: shows(app, "? unknown", "V settle"))
            elsewhere.fault, elsewhere.told["/jobs"] = None, (400, {"error": "no room"})
            await _form(app, pilot, "V", f"Settle · {begun}")
            await until(pilot, lambda: "needed" in hint(app))
            await pilot.click("#took_effect-1")
            await said(app, pilot, "there is no such job")
            await until(pilot, lambda: shows(app, "✗ stopped", "X skip"))
            await _form(app, pilot, "X", f"Skip · {begun}")
            await said(app, pilot, "it was done by hand")
            await until(pilot, lambda: shows(app, "✓ done", "skipped by bo: it was done by hand"))

    elsewhere.fault = "reset"
    played(story)
    assert here.client().run(begun).state == "done"
    told = {each["kind"]: each["body"].get("because") for each in here.log("runbook.") if each["actor"] == "bo"}
    assert told["runbook.settled"] == "there is no such job"
    assert "runbook.skipped" in told
    keys = [each.headers.get("idempotency-key") for each in elsewhere.asked if each.path == "/jobs"]
    assert len(keys) == 2
    assert len(set(keys)) == 1, "what is tried again is asked with the same key"


def _may(app: GovApp) -> str:
    return " ".join(str(app.screen.query_one("#may").render()).split())


def _choose(app: GovApp, name: str) -> None:
    offered = app.screen.query_one(OptionList)
    offered.highlighted = next(
        place for place in range(offered.option_count) if name in str(offered.get_option_at_index(place).prompt)
    )
