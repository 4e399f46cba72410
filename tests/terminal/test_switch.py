"""The kill-switch modal: what it knows before the act, an answer that is lost, and what instances confirm."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from terminal.losing import losing
from terminal.world import World, hint, main_of, played, screen, shows, until, world
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from tui.app import GovApp
from tui.screens.batch import BatchModal
from tui.screens.fleet import FleetScreen
from tui.screens.form import Form
from tui.screens.switch import SwitchModal

SIZE = (130, 50)
DRILL = """
kind: runbook
runbook: switch-exercise
description: See whether the kill switch could be pulled and given back.
applies_to: has(card.versions) && has(card.versions.fallback)
proves: switch_drilled
dry_run: true
steps:
  - {step: pull, act: switch.pull, with: {mode: fallback, reason: an exercise}}
  - {step: give-back, act: switch.restore, with: {reason: the exercise is over}}
"""
WALK = """
kind: runbook
runbook: switch-walk
description: Have somebody pull the kill switch by hand.
proves: switch_drilled
steps: [{step: pull, instruct: "Pull it, and give it back."}]
"""
RULES = """
kind: card
model: rules-of-thumb
tier: 3
owners: {team: lending, accountable: ana}
metrics:
  errors: {source: pushed, query: error_rate, every: 1s, stale_after: 1h}
rules: [{rule: errors-high, when: metrics.errors > 0.5}]
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running engine with a critical incident, for all tests of this file, in their order."""
    made = world(
        tmp_path_factory.mktemp("switch") / "engine", {"exercise.yaml": DRILL, "walk.yaml": WALK, "rules.yaml": RULES}
    )
    yield made
    made.close()


async def _open(app: GovApp, pilot: Pilot[Any], key: str = "K") -> None:
    await until(pilot, lambda: shows(app, "INC-1"))
    await pilot.press(key)
    await until(
        pilot, lambda: isinstance(app.screen, SwitchModal) and app.screen.query("#then") and app.screen.query("#yes")
    )


@asynccontextmanager
async def _opened(here: World, who: str = "ana") -> AsyncIterator[tuple[GovApp, Pilot[Any]]]:
    """Open the kill switch of `loans`."""
    app = here.app(who)
    async with app.run_test(size=SIZE) as pilot:
        await _open(app, pilot)
        yield app, pilot


def _fact(app: GovApp, name: str) -> str:
    return " ".join(str(app.screen.query_one(f".fact-{name}, #{name}", Static).render()).split())


def test_what_is_not_known_is_said_and_what_happens_next_follows_the_choice(here: World) -> None:
    async def story() -> None:
        async with _opened(here) as (app, pilot):
            assert _fact(app, "effect").startswith("no drill yet")
            assert _fact(app, "traffic").startswith("unknown → rules-of-thumb (")
            assert _fact(app, "also") == "quiet reads this score – 1 dependent model"
            assert _fact(app, "undo") == ("U restores at any time: ana, bo, then a second: ana, bo")
            assert _fact(app, "allowed") == "✓ ana is admin of loans"
            assert "stays until people give it back" in _fact(app, "then")
            app.screen.query_one("#expires", Input).value = "4h"
            await until(pilot, lambda: "after 4h the engine gives it back if" in _fact(app, "then"))
            app.screen.query_one("#expires", Input).value = "soon"
            await until(pilot, lambda: "as 30m, 4h or 1d" in hint(app))

    played(story)


def test_what_was_practised_is_told_with_its_entry(here: World) -> None:
    async def story() -> None:
        async with _opened(here) as (app, _):
            assert "pull: " in _fact(app, "effect")
            assert "last drill, dry: nothing acted: switch-exercise RUN-1" in _fact(app, "effect")
            assert f"entry {here.log('evidence.switch_drilled')[0]['seq']}" in _fact(app, "effect")
            assert "(healthy, judged" in _fact(app, "traffic")

    _exercised(here, "RUN-1", "a try")
    here.push("rules-of-thumb", 0.1)
    here.served.until(lambda: (found := here.client().switch("loans").fallback_health) and found.state == "healthy")
    played(story)


def test_a_drill_that_failed_is_told_until_another_comes_through(here: World) -> None:
    async def story() -> None:
        async with _opened(here) as (app, _):
            assert "switch-exercise RUN-1" in _fact(app, "effect"), "what the last good one showed is told all the same"
            since = _fact(app, "since")
            assert since.startswith("✗ a drill FAILED ")
            assert "pull was skipped by ana" in since
            assert "(switch-walk RUN-2, by ana)" in since

    ana = here.client()
    ana.start_run("loans", {"runbook": "switch-walk", "because": "another try"}, key="d2")
    here.served.until(lambda: ana.run("RUN-2").state == "waiting")
    assert ana.switch("loans").drill_failed is None, "it is under way"
    ana.on_run("RUN-2", "skip", {"because": "no time", "version": ana.run("RUN-2").version, "step": "pull"}, key="s2")
    here.served.until(lambda: ana.run("RUN-2").state == "done")
    played(story)
    _exercised(here, "RUN-3", "once more")
    assert ana.switch("loans").drill_failed is None, "one that came through since makes it good"


def _exercised(here: World, run: str, because: str) -> None:
    """Take the switch through the exercise, as the run of that number."""
    asked = {"runbook": "switch-exercise", "because": because, "dry_run": True}
    assert here.client().start_run("loans", asked, key=run).run.id == run
    here.served.until(lambda: here.client().run(run).state == "done")


def test_an_answer_that_is_lost_is_asked_for_with_the_same_key(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        lost = losing(app.client)
        async with app.run_test(size=SIZE) as pilot:
            await _open(app, pilot)
            preset = app.screen.query_one("#reason", Input).value
            lost.unreached = True
            await pilot.press("ctrl+j")
            await until(pilot, lambda: "nothing was sent" in hint(app))
            assert "nothing has changed yet" in str(app.screen.query_one("#box").border_subtitle)
            lost.unreached, lost.left = False, 1
            await pilot.press("ctrl+j")
            await until(pilot, lambda: "it may have happened; enter again asks with the same key" in _hint(app))
            assert "nothing has changed" not in str(app.screen.query_one("#box").border_subtitle)
            app.screen.query_one("#reason", Input).value = "another reason"
            await until(pilot, lambda: "this would be another act" in _hint(app))
            app.screen.query_one("#reason", Input).value = preset
            await until(pilot, lambda: "another act" not in _hint(app))
            await pilot.press("ctrl+j", "ctrl+j")
            await until(pilot, lambda: "since entry" in hint(app))
        assert len(lost.keys) == 2
        assert len(set(lost.keys)) == 1, "the same words are sent under the same key"

    played(story)
    pulled = here.log("switch.pulled")
    assert len(pulled) == 1, "it was done once"
    assert here.client().switch("loans").seq == pulled[0]["body"]["seq"]
    assert pulled[0]["body"]["channel"] == "tui"


def test_a_form_asks_again_with_the_same_key_and_the_same_instant(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        lost = losing(app.client)
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("z")
            await until(pilot, lambda: isinstance(app.screen, Form))
            app.screen.query_one("#field-because", Input).value = "it is being mended"
            await until(pilot, lambda: "ready" in hint(app))
            lost.left = 1
            await pilot.press("ctrl+j")
            await until(pilot, lambda: "enter again asks with the same key" in _hint(app))
            await pilot.press("ctrl+j")
            await until(pilot, lambda: not isinstance(app.screen, Form))
        assert len(lost.keys) == 2
        assert len(set(lost.keys)) == 1

    played(story)
    assert len(here.log("incident.snoozed")) == 1, "an hour from now is the same hour when it is asked again"


def test_what_became_of_an_act_is_told_though_its_modal_was_closed(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        lost = losing(app.client)
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("c")
            await until(pilot, lambda: isinstance(app.screen, Form))
            app.screen.query_one("#field-text", Input).value = "seen"
            await until(pilot, lambda: "ready" in hint(app))
            lost.left = 1
            lost.through.clear()
            await pilot.press("ctrl+j", "escape")
            await until(pilot, lambda: not isinstance(app.screen, Form))
            lost.through.set()
            await until(pilot, lambda: shows(app, "Note on INC-1: no answer: it may have happened"), 5)

    played(story)


def test_instances_confirm_before_ones_eyes(here: World) -> None:
    held: dict[str, Any] = {"instance": "pod-1", "models": ["loans"]}
    serving = here.token("pods", "switches")

    def confirm(seq: int) -> None:
        headers = {"Authorization": f"Bearer {serving}"}
        body = {**held, "seq": seq}
        assert here.served.http.post("/v1/confirmations", json=body, headers=headers).is_success

    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await _open(app, pilot)
            await pilot.click("#mode-stopped")
            app.screen.query_one("#typed", Input).value = "loans"
            await until(pilot, lambda: "ready" in hint(app))
            await pilot.press("ctrl+j")
            await until(pilot, lambda: "0 of 1 instances confirmed" in _hint(app) and "waits for: pod-1" in _hint(app))
            confirm(here.client().switch("loans").seq)
            await until(pilot, lambda: "1 of 1 instances confirmed" in _hint(app))

    confirm(here.client().switch("loans").seq)
    played(story)


def test_one_of_several_settings_is_given_back_or_the_glass_is_broken(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await _open(app, pilot)
            app.screen.query_one("#only", Input).value = "every third"
            await until(pilot, lambda: "as version 7 or country=DE" in hint(app))
            app.screen.query_one("#only", Input).value = "country=DE"
            await until(pilot, lambda: "ready" in hint(app) and shows(app, "loans country=DE in test"))
            await pilot.press("ctrl+j")
            await until(pilot, lambda: "since entry" in hint(app))
            await pilot.press("escape", "U")
            await until(
                pilot, lambda: isinstance(app.screen, SwitchModal) and shows(app, "country=DE:", "break the glass")
            )
            await pilot.click("#setting-1")
            await pilot.click("#way-glass")
            app.screen.query_one("#reason", Input).value = "nobody else is awake"
            await until(pilot, lambda: "pages everybody" in _fact(app, "then") and "5 more characters" in hint(app))
            assert app.screen.query_one("#yes", Button).disabled
            app.screen.query_one("#typed", Input).value = "loans"
            await until(pilot, lambda: "ready" in hint(app))
            await pilot.click("#yes")
            await until(pilot, lambda: "since entry" in hint(app))

    played(story)
    assert [each.scope.labels for each in here.client().switch("loans").settings] == [{}]
    assert len(here.log("switch.glass_broken")) == 1


def test_who_may_not_pull_is_told_why_once(here: World) -> None:
    async def story() -> None:
        async with _opened(here, "vic") as (app, _):
            assert _fact(app, "allowed").startswith("✗ 'vic' may not pull kill switches: it needs the role responder")
            assert screen(app).count("may not pull kill switches") == 1
            assert hint(app) == "esc goes back"
            assert app.screen.query_one("#yes", Button).disabled

    played(story)


def test_models_stay_marked_while_a_filter_hides_them(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("asterisk")
            await until(pilot, lambda: shows(app, "3 marked"))  # the engine itself has no switch
            await pilot.press("asterisk", "space")
            await until(pilot, lambda: shows(app, "1 marked", "+▲ critical loans"))
            await pilot.press("slash", *"quiet", "enter", "asterisk")
            await until(pilot, lambda: shows(app, "2 marked", "1 of 4 models"))
            await pilot.press("escape")
            await until(pilot, lambda: shows(app, "2 marked", "Fleet 4 models"))  # what the filter hid is still marked

    played(story)


def test_of_each_marked_model_is_shown_what_would_become_of_it(here: World) -> None:
    async def story() -> None:
        async with _several(here) as (app, pilot):
            counted = "models 1 pulled, 0 of tier 1, 1 unchanged"
            await until(pilot, lambda: shows(app, counted, "you may pull it: ana is admin of quiet"))
            assert shows(app, "· unchanged loans", "stopped already since", "■ pull quiet", "live → fallback none")
            await pilot.click("#mode-throttle")
            await until(pilot, lambda: shows(app, "live → throttle 50 %", "Type throttle 1 to confirm"))
            await pilot.click("#mode-stopped")
            await until(
                pilot, lambda: shows(app, "1 model in test: stop: nothing answers", "Type stopped 1 to confirm")
            )
            assert "a reason is needed" in hint(app)
            app.screen.query_one("#reason", Input).value = "clicks are corrupt"
            app.screen.query_one("#typed", Input).value = "stopped 2"
            await until(pilot, lambda: "does not match" in hint(app))
            await pilot.press("ctrl+j")

    played(story)
    assert here.log("switch.batch_pulled") == []


def test_marked_models_are_pulled_by_one_act_though_its_answer_is_lost(here: World) -> None:
    headers = {"Authorization": f"Bearer {here.token('batch-pods', 'switches')}"}

    def confirm(seq: int) -> None:
        body = {"instance": "pod-2", "models": ["quiet"], "seq": seq}
        assert here.served.http.post("/v1/confirmations", json=body, headers=headers).is_success

    async def story() -> None:
        async with _several(here) as (app, pilot):
            lost = losing(app.client)
            await pilot.click("#mode-stopped")
            app.screen.query_one("#reason", Input).value = "clicks are corrupt"
            app.screen.query_one("#typed", Input).value = "stopped 1"
            await until(pilot, lambda: "ready" in hint(app))
            lost.left = 1
            await pilot.press("ctrl+j")
            await until(pilot, lambda: "it may have happened; enter again asks with the same key" in _hint(app))
            await pilot.press("ctrl+j", "ctrl+j")
            await until(pilot, lambda: "1 pulled, 1 unchanged since entry" in _hint(app))
            await until(pilot, lambda: shows(app, "✓ pulled quiet", "0 of 1 confirmed", "waits for pod-2"))
            confirm(here.client().switch("quiet").seq)
            await until(pilot, lambda: shows(app, "1 of 1 confirmed") and "1 of 1 instances confirmed" in _hint(app))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, FleetScreen) and not shows(app, "marked"))
        assert len(lost.keys) == 2
        assert len(set(lost.keys)) == 1

    confirm(here.client().switch("quiet").seq)
    played(story)
    (own,) = here.log("switch.batch_pulled")
    assert (own["body"]["models"], own["body"]["unchanged"]) == (["quiet"], ["loans"])
    assert [each["subject"]["model"] for each in here.log("switch.pulled") if "batch" in each["body"]] == ["quiet"]


@asynccontextmanager
async def _several(here: World) -> AsyncIterator[tuple[GovApp, Pilot[Any]]]:
    """Open the kill switches of `loans` and `quiet` together as ana."""
    app = here.app("ana")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: shows(app, "INC-1"))
        await pilot.press("space")
        await until(pilot, lambda: shows(app, "1 marked"))
        await pilot.press("slash", *"quiet", "enter", "asterisk")
        await until(pilot, lambda: shows(app, "2 marked"))
        await pilot.press("escape", "K")
        await until(pilot, lambda: isinstance(app.screen, BatchModal) and app.screen.query("#hint"))
        yield app, pilot


def test_who_may_not_pull_several_is_told_who_may_and_who_only_looks_marks_nothing(here: World) -> None:
    async def refused() -> None:
        app = here.app("vic")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("asterisk", "K")
            await until(pilot, lambda: isinstance(app.screen, BatchModal) and app.screen.query("#hint"))
            await until(pilot, lambda: shows(app, "✗ 3 you may not pull; these people may: ana, bo"))
            assert "'vic' may not pull kill switches" in hint(app)
            assert app.screen.query_one("#yes", Button).disabled

    async def looks() -> None:
        app = here.app("ana", read_only=True)
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("asterisk", "space", "K", "question_mark")
            await until(pilot, lambda: shows(app, "mark all that are shown (filter first), or none ✗ off"))
            assert not main_of(app).marked

    played(refused)
    played(looks)


def _hint(app: GovApp) -> str:
    return " ".join(hint(app).split())
