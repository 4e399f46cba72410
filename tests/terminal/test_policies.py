"""The view of what rules: problems on disk, a version that waits, and who lets it rule; one engine for all of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal.world import FILES, World, played, shows, until, world

from governance.errors import Denied, NotFound

SIZE = (130, 44)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running engine that follows its directory, for all tests of this file, in their order."""
    made = world(tmp_path_factory.mktemp("policies") / "engine")
    yield made
    made.close()


def written(here: World, name: str) -> Path:
    return here.served.directory / "policies" / name


def test_a_problem_on_disk_is_shown_with_its_place_and_what_to_do(here: World) -> None:
    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "INC-1"))
            await pilot.press("5")
            await until(pilot, lambda: shows(app, "✓ the policies on disk are those that rule", "● rules"))
            written(here, "quiet.yaml").write_text(FILES["quiet.yaml"].lstrip().replace("tier: 3", "teir: 3"))
            broken = (
                "✗ the policies on disk are broken for",
                "1 problem",
                "quiet.yaml:3:1",
                "no field 'teir' in a card",
            )
            await until(pilot, lambda: shows(app, *broken))
            await pilot.press("g")
            told = ("3 | teir: 3", "did you mean 'tier'?", "what to do", "gov check --explain unknown-field")
            await until(pilot, lambda: shows(app, *told))
            await pilot.press("y")
            assert app.clipboard.endswith("policies/quiet.yaml:3:1")
            await pilot.press("slash", *"kind:problem", "enter")
            await until(pilot, lambda: shows(app, "quiet.yaml:3:1") and not shows(app, "● rules"))
            written(here, "quiet.yaml").write_text(FILES["quiet.yaml"].lstrip())
            await until(pilot, lambda: shows(app, "✓ the policies on disk are those that rule"))

    played(story)


def test_a_version_that_loosens_is_read_and_let_rule_by_who_may(here: World) -> None:
    with pytest.raises(NotFound, match="no version of the policies waits"):
        here.client().pending()
    loosened = FILES["loans.yaml"].lstrip().replace("metrics.errors > 0.5", "metrics.errors > 0.7")
    written(here, "loans.yaml").write_text(loosened)

    async def story() -> None:
        app = here.app("bo")  # who may see one model, and consent for it, and not all that the engine knows
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "to approve"))
            await pilot.press("5")
            waits = ("◌ a version waits for a second person (APR-1)", "may approve ana, bo", "errors-high of loans")
            await until(pilot, lambda: shows(app, *waits))
            plan = ("Loosened", "critical when metrics.errors > 0.7, was metrics.errors > 0.5", "would have told")
            await until(pilot, lambda: shows(app, *plan))
            await pilot.press("enter")
            await until(pilot, lambda: app.focused is not None and app.focused.id == "chosen")
            await pilot.press("escape", "Y")
            await until(pilot, lambda: not shows(app, "APR-1"))

    here.served.until(lambda: here.client().approvals())
    with pytest.raises(Denied):
        here.client("pipeline").pending()
    assert here.client("vic").pending(0).needs_approval, "a viewer may read it"
    played(story)
    here.served.until(lambda: [each for each in here.client().versions() if each.running and each.number > 1])
    assert [each["actor"] for each in here.log("policy.approved")] == ["bo"]
