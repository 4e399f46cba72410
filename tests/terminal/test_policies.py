"""What rules and what that rests on: problems on disk, a version that waits, budgets, the log; one engine for all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from terminal.world import FILES, World, played, shows, until, world

from governance.errors import Denied, NotFound
from tui.screens.model import ModelScreen

SIZE = (130, 44)
PACK = Path(__file__).parents[2] / "policies" / "packs" / "slo.yaml"
ASKED = "select count(*) from asked where at > :since and at <= :at"
ANSWERS = f"""
kind: card
model: answers
description: Answers questions of customers about their contracts
owners: {{team: lending, accountable: bo}}
versions: {{serving: "12", rollback_to: "11", fallback: search-page}}
metrics:
  failed: {{source: shop, query: "{ASKED} and failed", window: 5m, every: 1s}}
  asked: {{source: shop, query: "{ASKED}", window: 5m, every: 1s}}
slos:
  correct: {{objective: 99%, window: 30d, errors: metrics.failed, total: metrics.asked}}
  strict: {{objective: 99.99%, window: 30d, errors: metrics.failed, total: metrics.asked}}
  quick: {{objective: 99.5%, window: 4w, good: metrics.failed < 100.0}}
truth: {{delay: 7d, complete_after: 14d}}
data: {{features: {{income: {{type: number, pii: sensitive}}, region: {{type: text}}}}, access: [lending],
       retention: {{features: {{at_most: 30d}}, predictions: {{at_most: 90d}}}}}}
rules: [{{rule: slo/budget, for: 2h}}]
"""
SHOP = 'sources: {pushed: {kind: push}, shop: {kind: sql, address: "sqlite:///shop.db"}}'
MORE = {
    "org.yaml": FILES["org.yaml"].replace("sources: {pushed: {kind: push}}", SHOP),
    "answers.yaml": ANSWERS,
    "slo.yaml": PACK.read_text(encoding="utf-8"),
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running engine that follows its directory, for all tests of this file, in their order."""
    directory = tmp_path_factory.mktemp("policies") / "engine"
    directory.mkdir()
    now = datetime.now(UTC)
    with closing(sqlite3.connect(directory / "shop.db")) as shop, shop:
        shop.execute("create table asked (at text, failed int)")
        asked = [(now - timedelta(days=25) + timedelta(minutes=18 * each), each % 160 == 7) for each in range(2000)]
        shop.executemany("insert into asked values (?, ?)", [(f"{at:%Y-%m-%d %H:%M:%S}", bad) for at, bad in asked])
    made = world(directory, MORE)
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


def test_a_model_shows_what_is_left_of_its_budgets_and_who_changed_which_rule(here: World) -> None:
    async def story() -> None:
        app = here.app("bo")
        async with app.run_test(size=(118, 120)) as pilot:
            await until(pilot, lambda: app.snapshot is not None)
            app.open_model("answers")
            # 13 of 2,000 failed: 0.65 % of 1 % that may, and 65 times 0.01 %
            left = ("✓ correct 99 % of events over 30d · data of", "███████░░░░░░░░░░░░░ 35% left")
            spent = ("✗ strict 99.99 % of events over 30d", "spent 65 times over slo/budget", "1h 0× 2h 0×")
            await until(pilot, lambda: shows(app, *left, *spent))
            unknown = ("? quick 99.5 % of minutes over 4w", "not known: quick is known since")
            layered = ("▼ loosened for 2h policies/answers.yaml", "was 1h (pack policies/slo.yaml:40:10)")
            owes = ("bo is accountable", "labels come after 7d, all after 2w", "1 of 2 features: income (sensitive)")
            kept = ("serving 12 ● answers now", "rollback to 11", "features at most 30d, predictions at most 90d")
            await until(pilot, lambda: shows(app, *unknown, *layered, *owes, *kept, "History of decisions"))
            await pilot.press("v")
            await until(pilot, lambda: shows(app, "v shortens what passes", "when !has(card.owners.accountable)"))
            await pilot.press("v")
            await until(pilot, lambda: not shows(app, "when !has(card.owners.accountable)"))
            assert isinstance(app.screen, ModelScreen)
            await pilot.press("escape")

    played(story)
    known = {each.slo: each for each in here.client().budgets("answers")}
    assert next(iter(known)) == "strict", "the least that is left is first"
    assert known["correct"].left == pytest.approx(0.35)
    assert known["strict"].left == pytest.approx(-64)
    assert known["quick"].left is None
