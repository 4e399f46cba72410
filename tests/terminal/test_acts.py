"""Every act of a responder on an incident, from the key to the decision log; one engine for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal.world import World, hint, main_of, played, shows, until, world
from textual.widgets import Input

from tui.app import GovApp
from tui.screens.form import Form
from tui.screens.goto import Goto
from tui.screens.incident import IncidentScreen
from tui.screens.model import ModelScreen
from tui.widgets.entries import Entries, Fold

SIZE = (130, 44)


def may(app: GovApp) -> str:
    """Return what the form says about whether one may."""
    return str(app.screen.query_one("#may").render())


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running engine with a critical incident, for all tests of this file, in their order."""
    made = world(tmp_path_factory.mktemp("acts") / "engine")
    yield made
    made.close()


def test_notes_a_snooze_a_severity_a_link_and_a_hand_over(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:

            async def filled(key: str, *fields: str) -> None:
                await pilot.press(key)
                await until(
                    pilot, lambda: isinstance(app.screen, Form) and shows(app, "you may: ana is admin of loans")
                )
                for field, text in zip(app.screen.query(Input), fields, strict=True):
                    field.value = text
                await until(pilot, lambda: "ready" in hint(app))
                await pilot.press("ctrl+j", "ctrl+j", "ctrl+j")
                await until(pilot, lambda: not isinstance(app.screen, Form))

            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, IncidentScreen) and shows(app, "errors-high"))
            await filled("c", "the feed changed at 11:40")
            await filled("z", "2h", "the fix is on its way")
            await filled("l", "https://tickets.example/7", "the ticket")
            await filled("h", "bo", "my shift ends")
            await pilot.press("s")
            await until(pilot, lambda: isinstance(app.screen, Form))
            await pilot.click("#severity-1")
            app.screen.query_one("#field-because", Input).value = "half of it is a test"
            await until(pilot, lambda: "ready" in hint(app))
            await pilot.press("ctrl+j")
            await until(pilot, lambda: not isinstance(app.screen, Form))

    played(story)
    incident = here.incident()
    assert incident is not None
    assert (incident.lead, incident.severity, incident.snoozed_by) == ("bo", "warning", "ana")
    assert [each.title for each in incident.links] == ["the ticket"]
    noted = [each for each in here.log("incident.") if each["kind"] == "incident.noted"]
    assert len(noted) == 1, "pressed three times it acts once"
    assert noted[0]["body"]["text"] == "the feed changed at 11:40"
    assert noted[0]["body"]["channel"] == "tui"


def test_a_refusal_explains_and_keeps_what_was_typed(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("m")
            await until(pilot, lambda: isinstance(app.screen, Form))
            await pilot.press(*"INC-77", "enter")
            assert "reason is needed" in hint(app)
            await pilot.press(*"the same", "enter")
            await until(pilot, lambda: "no incident 77" in hint(app) or "77" in hint(app))
            assert app.screen.query_one("#field-because", Input).value == "the same"
            app.screen.query_one("#field-into", Input).value = "INC-1"
            await until(pilot, lambda: "this incident itself" in hint(app))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, Form))

    played(story)


def test_who_may_not_is_told_who_may_before_anything_is_typed(here: World) -> None:
    async def story() -> None:
        app = here.app("vic")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("R")
            await until(pilot, lambda: isinstance(app.screen, Form) and "these people may: ana, bo" in may(app))
            await pilot.press(*"done", "enter")
            assert isinstance(app.screen, Form)

    played(story)
    assert here.incident() is not None


def test_going_to_names_views_by_digits_and_own_keys(here: World) -> None:
    async def story() -> None:
        app = here.app("ana", keys={"acknowledge": "f8", "help": "f1"})
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1", "f8 Ack"))
            await pilot.press("colon", *"qui")
            await until(pilot, lambda: isinstance(app.screen, Goto) and shows(app, "model of lending"))
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, ModelScreen) and shows(app, "quiet"))
            await pilot.press("7")
            await until(pilot, lambda: shows(app, "lending-primary"))
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is main_of(app))
            await pilot.press("f1")
            await until(pilot, lambda: shows(app, "✗ off: it is live already", "take the incident"))
            await pilot.press("escape")
            await pilot.click("#tabs", offset=(15, 0))
            await until(pilot, lambda: shows(app, "Incidents 1 open", "triggered"))

    played(story)


def test_the_palette_finds_acts_and_incidents(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("ctrl+p", *"INC-1")
            await until(pilot, lambda: shows(app, "INC-1 loans:"))
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(app.screen, IncidentScreen))
            await pilot.press("ctrl+p", *"snooze")
            await until(pilot, lambda: shows(app, "let nobody hear of the incident"))
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(app.screen, Form) and shows(app, "For how long"))

    played(story)


def test_an_incident_shows_why_it_is_one(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=(150, 70)) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("enter")
            shown = ("when metrics.errors > 0.5", "✗ metrics.errors 0.9 > 0.5", "loans.yaml:8", "limit", "Timeline")
            await until(pilot, lambda: shows(app, *shown))
            await until(
                pilot, lambda: shows(app, "ana the feed changed at 11:40 (tui)", "none has been started", "the ticket")
            )

    played(story)


def test_a_model_shows_its_card_its_policy_and_where_each_part_is_written(here: World) -> None:
    async def story() -> None:
        app = here.app("bo")
        async with app.run_test(size=(150, 90)) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("o")
            shown = (
                "serving 7 ● answers now",
                "fallback rules-of-thumb",
                "✗ errors-high fail",
                "loans.yaml:8",
                "✗ errors",
                "alert.firing",
            )
            await until(pilot, lambda: isinstance(app.screen, ModelScreen) and shows(app, *shown))

    played(story)


def test_the_log_is_followed_folded_filtered_and_proved(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("6")
            await until(pilot, lambda: shows(app, "cycles evaluated", "cycles folded, enter opens", "● follows"))
            await pilot.press("slash", *"kind:cycle", "enter")
            await until(pilot, lambda: shows(app, "cycle.evaluated", "o searches older ones"))
            await pilot.press("escape")
            listed = app.screen.query_one(Entries)
            await until(pilot, lambda: any(isinstance(each, Fold) for each in listed.rows))
            listed.select(next(listed.name_of(each) for each in listed.rows if isinstance(each, Fold)))
            await pilot.press("enter")
            await until(pilot, lambda: shows(app, "▾", "cycle.evaluated", "‖ held"))
            await pilot.press("enter")
            await until(pilot, lambda: shows(app, "▸") and not shows(app, "▾"))
            await pilot.press("slash", *"kind:noted actor:ana", "enter")
            await until(pilot, lambda: shows(app, "1 of #0–#", "the feed changed at 11:40"))
            await pilot.press("enter")
            proved = ("✓ it is in the log", "✓ what is shown here is the text that was hashed", "gov audit verify")
            await until(pilot, lambda: shows(app, *proved, '"channel": "tui"', "| sha256sum"))
            await pilot.press("escape", "escape")
            await until(pilot, lambda: shows(app, "cycles evaluated"))
            await pilot.press("f")
            await until(pilot, lambda: shows(app, "● follows"))
            await pilot.press("k")
            await until(pilot, lambda: shows(app, "‖ held"))
            await pilot.press("o")
            await until(pilot, lambda: any("the log begins with #0" in each.message for each in app._notifications))
            await pilot.press("f")
            await until(pilot, lambda: shows(app, "● follows"))

    played(story)


def test_a_rule_is_waived_by_two_and_a_model_silenced(here: World) -> None:
    async def asking() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("W")
            await until(pilot, lambda: isinstance(app.screen, Form))
            app.screen.query_one("#field-rule", Input).value = "errors-high"
            app.screen.query_one("#field-because", Input).value = "a known batch"
            await until(pilot, lambda: "ready" in hint(app))
            await pilot.press("ctrl+j")
            await until(pilot, lambda: not isinstance(app.screen, Form))
            await pilot.press("S")
            await until(pilot, lambda: isinstance(app.screen, Form))
            app.screen.query_one("#field-because", Input).value = "we know"
            await until(pilot, lambda: "ready" in hint(app))
            await pilot.press("ctrl+j")
            await until(pilot, lambda: not isinstance(app.screen, Form))
            await pilot.press("5")
            listed = ("◌ waits", "WVR-1", "⌁ silence", "SIL-1", "in 59m", "the policies on disk are those that rule")
            await until(pilot, lambda: shows(app, *listed))
            await pilot.press("j", "E")
            await until(pilot, lambda: isinstance(app.screen, Form))
            await pilot.press(*"over", "enter")
            await until(pilot, lambda: not shows(app, "⌁ silence"))

    async def consenting() -> None:
        app = here.app("bo")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "1 to approve"))
            await pilot.press("4")
            await until(pilot, lambda: shows(app, "WVR-1", "may approve bo"))
            await pilot.press("N")
            await until(pilot, lambda: isinstance(app.screen, Form))
            await pilot.press(*"not for a critical rule", "enter")
            await until(pilot, lambda: shows(app, "nothing waits"))

    played(asking)
    played(consenting)
    assert [each["actor"] for each in here.log("waiver.refused")] == ["bo"]
    assert "not for a critical rule" in str(here.log("waiver.refused")[0]["body"])


def test_a_picture_that_is_held_still_says_so(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            held = app.snapshot
            await pilot.press("p")
            await until(pilot, lambda: shows(app, "paused", "p goes on"))
            await pilot.press("r")
            await until(pilot, lambda: app._next is not held)
            assert app.snapshot is held
            await pilot.press("p")
            await until(pilot, lambda: app.snapshot is not held and not shows(app, "paused"))

    played(story)


def test_the_file_of_keys_is_read(tmp_path: Path, here: World) -> None:
    from interfaces.serving import ask

    (tmp_path / "keys.toml").write_text('acknowlege = "A"', encoding="utf-8")
    done = ask(here.served.directory, "tui", GOV_KEYS=str(tmp_path / "keys.toml"))
    assert done.returncode != 0
    assert "did you mean 'acknowledge'?" in done.stderr + done.stdout
