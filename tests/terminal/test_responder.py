"""What a responder needs beside the answers to incidents: to tell again whom nothing reached, to read, to pull all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contract.receiving import Receiver, Reply, receiving
from terminal.world import FILES, World, hint, main_of, played, screen, shows, until, world
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from governance.store import effects
from governance.store.database import Database
from tui.app import GovApp
from tui.keys import GROUPS
from tui.screens.batch import BatchModal
from tui.screens.form import Form
from tui.screens.frame import Frame
from tui.screens.incident import IncidentScreen
from tui.screens.pick import Pick
from tui.screens.policies import Policies
from tui.screens.run import RunScreen
from tui.situation import Situation
from tui.widgets.things import Things

SIZE = (150, 40)
TALL = (150, 86)
LOOK = """
kind: runbook
runbook: look
description: Look at it.
steps:
  - step: look
    instruct: |
      MEANS   {card.model} answers from data
              that are not there. It errs.
      LOOK    gov eval {card.model}
      DECIDE  Ours: mend it.
"""
NARROW = LOOK.replace("runbook: look", "runbook: narrow\napplies_to: card.tier == 2 && has(card.log)")


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """A place that is told of incidents, and refuses."""
    with receiving() as found:
        found.otherwise = Reply(410)
        yield found


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[World]:
    """A running engine with a critical incident of which nobody was told, for all tests, in their order."""
    org = f"{FILES['org.yaml']}notifiers: {{hook: {{kind: webhook, address: '{receiver.address}'}}}}\n"
    made = world(
        tmp_path_factory.mktemp("needs") / "engine",
        {"org.yaml": org, "l.yaml": LOOK, "n.yaml": NARROW},
        GOV_POLICIES_FROM="apply",
    )
    yield made
    made.close()


def give_up(directory: Path) -> None:
    """Give up what was refused, which takes the engine an hour."""
    database = Database(f"sqlite:///{directory}/.gov/governance.db")
    with database.transaction() as connection:
        due = effects.pending(connection)
        effects.save(connection, [replace(each, state="failed", next_at=None) for each in due])
    database.close()


async def _incident(app: GovApp, pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: shows(app, "INC-1"))
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, IncidentScreen) and shows(app, "Timeline"))


async def _find(app: GovApp, pilot: Pilot[Any], words: str) -> None:
    await until(pilot, lambda: isinstance(app.screen, Frame))
    await pilot.press("ctrl+p")
    await until(pilot, lambda: isinstance(app.screen, CommandPalette))
    app.screen.query_one(Input).value = words


def test_whom_nothing_reached_is_told_again_by_who_may(here: World, receiver: Receiver) -> None:
    here.served.until(lambda: receiver.got)
    here.served.until(lambda: here.client().undelivered() or give_up(here.served.directory))

    async def may_not() -> None:
        app = here.app("vic")
        async with app.run_test(size=SIZE) as pilot:
            await _incident(app, pilot)
            await until(pilot, lambda: shows(app, "✗ hook HTTP 410 given up after 1 time", "these people may: ana, bo"))
            await pilot.press("T", "question_mark")
            await until(pilot, lambda: shows(app, "tell again whom no notification reached ✗ off: 'vic' may not"))
            await pilot.press("escape")
            await _find(app, pilot, "tell again hook")
            await until(pilot, lambda: shows(app, "✗ Tell again by hook", "off: 'vic' may not have notifications"))

    async def tells() -> None:
        app = here.app("bo")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await _find(app, pilot, "not delivered inc-1")
            await until(pilot, lambda: shows(app, "Tell again of INC-1 loans: ", "nobody got"))
            await pilot.press("escape")
            await _incident(app, pilot)
            await until(pilot, lambda: shows(app, "Not delivered", "T tries again"))
            await pilot.press("T")
            await until(pilot, lambda: isinstance(app.screen, Form) and shows(app, "✓ you may: bo leads lending"))
            assert shows(app, "Tell again of INC-1", "✗ hook", "HTTP 410")
            app.screen.query_one("#field-because").value = "the address is right now"  # type: ignore[attr-defined]
            await until(pilot, lambda: "ready" in hint(app))
            receiver.otherwise = Reply(200)
            await pilot.press("ctrl+j", "ctrl+j", "ctrl+j")
            await until(pilot, lambda: isinstance(app.screen, IncidentScreen) and not shows(app, "Not delivered"))
            await pilot.press("question_mark")
            await until(
                pilot, lambda: shows(app, "tell again whom no notification reached ✗ off: nothing was given up")
            )

    played(may_not)
    played(tells)
    here.served.until(lambda: here.log("notification.sent"))
    entry, *more = here.log("notification.retried")
    assert len({each["body"]["key"] for each in (entry, *more)}) == 1 + len(more), "pressed three times it acts once"
    assert (entry["actor"], entry["body"]["because"], entry["body"]["channel"]) == (
        "bo", "the address is right now", "tui",
    )  # fmt: skip


def test_all_models_that_are_shown_are_pulled_by_one_act_of_the_palette(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await _find(app, pilot, "pull the switches of all")
            await until(pilot, lambda: shows(app, "Pull the switches of all 2 models shown (&)"))
            await pilot.press("escape", "slash", *"qui", "enter")
            await _find(app, pilot, "pull shown")
            await until(pilot, lambda: shows(app, "Pull the switch shown (&)"))
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(app.screen, BatchModal) and shows(app, "■ pull quiet"))
            assert not main_of(app).marked
            assert not shows(app, "pull loans")
            await pilot.press("escape")

    played(story)


def test_a_choice_that_is_none_says_why_in_words_and_the_story_tells_a_step_as_it_was_written(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=TALL) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("b")
            await until(pilot, lambda: isinstance(app.screen, Pick))
            why = "✗ 'narrow' is not for this model: its card has no log, card.tier 1 == 2 is false"
            await until(pilot, lambda: shows(app, why, "for models with card.tier == 2 && has(card.log)"))
            offered = app.screen.query_one(OptionList)
            offered.highlighted = next(
                place for place, each in enumerate(offered.options) if str(each.prompt).startswith("look ")
            )
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, Form) and "ready" in hint(app))
            await pilot.press("ctrl+j")
            await until(pilot, lambda: not isinstance(app.screen, Form))
            await until(pilot, lambda: shows(app, "RUN-1 begins look – MEANS loans", "… enter opens"))
            await pilot.press("n")
            await until(pilot, lambda: isinstance(app.screen, RunScreen))
            await pilot.press("escape", "6")
            await until(pilot, lambda: shows(app, "MEANS loans answers from data that are not there. … enter opens"))
            await pilot.press("1", "enter")
            await until(pilot, lambda: isinstance(app.screen, IncidentScreen) and shows(app, "begins look:"))
            lines = [each.split() for each in screen(app).splitlines()]
            told = next(place for place, each in enumerate(lines) if "begins" in each)
            words = ("MEANS", "that", "LOOK", "DECIDE")
            assert all(word in line for word, line in zip(words, lines[told + 1 : told + 5], strict=True))

    played(story)


def test_an_earlier_version_of_the_policies_rules_again(here: World) -> None:
    ana = here.client("ana")
    before = ana.running()
    stricter = {**before.texts}
    name = next(each for each in stricter if each.endswith("quiet.yaml"))
    stricter[name] = stricter[name].replace("metrics.errors > 0.5", "metrics.errors > 0.4")
    assert ana.apply({"texts": stricter}, key="stricter").outcome == "adopted"
    version = before.version.version

    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("5")
            await until(pilot, lambda: isinstance(app.screen, Policies) and shows(app, "○ ruled", "● rules"))
            listed = app.screen.query_one(Things)
            listed.select(next(each for each in map(listed.name_of, listed.rows) if each.startswith("version")))
            await pilot.press("B")
            assert isinstance(app.screen, Policies)
            assert app.screen.why_off("go_back") == "it rules now"
            await pilot.press("G")
            await until(pilot, lambda: shows(app, "Go back"))
            await pilot.press("B")
            await until(pilot, lambda: isinstance(app.screen, Form) and shows(app, "✓ you may: ana is admin"))
            assert shows(app, f"Let {version[:7]} rule again", f"again {version[:12]}")
            await pilot.press(*version[:7])
            await until(pilot, lambda: "ready" in hint(app))
            await pilot.press("ctrl+j", "ctrl+j")
            await until(pilot, lambda: isinstance(app.screen, Policies))

    played(story)
    assert ana.running().version.documents == before.version.documents
    assert [each["actor"] for each in here.log("policy.adopted")].count("ana") == 2, "pressed twice it acts once"


def test_where_the_engine_follows_a_directory_one_goes_back_there(here: World) -> None:
    key = next(each for each in GROUPS["policies"] if each.act == "go_back")
    first = here.client("ana").versions()[-1].model_copy(update={"running": False})
    assert key.off(Situation(applied=True)) == "no version of the policies is under the cursor"
    assert key.off(Situation(version=first)) == "the engine follows the directory of its policies: go back there"
    waits = first.model_copy(update={"state": "waiting"})
    assert key.off(Situation(version=waits, applied=True)) == "it never ruled: it is waiting"
