"""What rules and what that rests on: problems on disk, a version that waits, budgets, the log; one engine for all."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from terminal.world import FILES, World, hint, played, screen, shows, until, world
from textual.pilot import Pilot
from textual.widgets import Input

from governance.errors import Denied, NotFound
from tui.screens.form import Form
from tui.screens.frame import Frame
from tui.screens.incident import IncidentScreen
from tui.screens.model import ModelScreen

SIZE = (130, 44)
PACK = Path(__file__).parents[2] / "policies" / "packs" / "slo.yaml"
ASKED = "select count(*) from asked where at > :since and at <= :at"
ANSWERS = f"""
kind: card
model: answers
description: Answers questions of customers about their contracts
owners: {{team: lending, accountable: bo, escalation: lending-oncall}}
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
rules: [{{rule: slo/budget, for: 2h}}, {{rule: asked, when: metrics.asked >= 0.0}}]
"""
LADDER = """
escalations:
  lending-oncall:
    levels:
      - {to: [{person: ana}], severities: [warning, critical]}
      - {after: 30m, to: [{person: bo}], severities: [warning, critical]}
"""
SHOP = 'sources: {pushed: {kind: push}, shop: {kind: sql, address: "sqlite:///shop.db"}}'
MORE = {
    "org.yaml": FILES["org.yaml"].replace("sources: {pushed: {kind: push}}", SHOP) + LADDER.lstrip(),
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
            await until(pilot, lambda: shows(app, "INC-"))
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


def test_a_problem_of_a_test_is_shown_and_keeps_nothing_from_ruling(here: World) -> None:
    story_of_two = written(here, "loans.test.yaml")

    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: app.snapshot is not None)
            await pilot.press("5")
            await until(pilot, lambda: shows(app, "✓ the policies on disk are those that rule"))
            story_of_two.write_text("kind: test\nof: [loanz]\ntests: [{test: a}]\n", encoding="utf-8")
            rules = ("✓ the policies on disk are those that rule", "! 1 problem in the tests of the policies")
            await until(pilot, lambda: shows(app, *rules, "loans.test.yaml:2:6"))
            await pilot.press("g")
            await until(pilot, lambda: shows(app, "no card, pack or runbook is named 'loanz'", "did you mean 'loans'?"))
            story_of_two.unlink()
            await until(pilot, lambda: not shows(app, "loans.test.yaml"))

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

    async def looking() -> None:
        app = here.app("vic")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "to approve"))
            why = "'vic' may not approve policies that loosen: it needs the role approver for loans; these people may:"
            for view in ("4", "5"):
                await pilot.press(view)
                await until(pilot, lambda: shows(app, "APR-1", f"✗ {why} ana, bo"))
                assert isinstance(app.screen, Frame)
                assert app.screen.why_off("approve") == app.screen.why_off("refuse") == f"{why} ana, bo"

    here.served.until(lambda: here.client().approvals())
    told_beforehand(here, "APR-1", "vic")
    played(looking)
    with pytest.raises(Denied):
        here.client("pipeline").pending()
    assert here.client("vic").pending(0).needs_approval, "a viewer may read it"
    played(story)
    here.served.until(lambda: [each for each in here.client().versions() if each.running and each.number > 1])
    assert [each["actor"] for each in here.log("policy.approved")] == ["bo"]


def test_of_a_version_that_was_refused_is_said_what_rules_and_why(here: World) -> None:
    before = written(here, "loans.yaml").read_text()
    written(here, "loans.yaml").write_text(before.replace("metrics.errors > 0.7", "metrics.errors > 0.8"))

    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: app.snapshot is not None)
            await pilot.press("5")
            await until(pilot, lambda: shows(app, "! what was written last does not rule; version"))
            lines = [" ".join(each.split()) for each in screen(app).splitlines()]
            (why,) = [each for each in lines if each.startswith("why version ")]
            assert why.endswith(" was refused by bo: far too loose")

    here.served.until(lambda: here.client().approvals())
    here.client("bo").refuse(here.client().approvals()[0].id, because="far too loose", key="too-loose")
    here.served.until(lambda: here.client().check().refused)
    played(story)
    written(here, "loans.yaml").write_text(before)
    here.served.until(lambda: not here.client().check().refused)


def told_beforehand(here: World, request: str, who: str) -> None:
    """Check that what somebody who may not is told before they try is what the engine answers."""
    client = here.client(who)
    asked = next(each for each in client.approvals() if each.id == request)
    assert not asked.may["approve"].allowed
    with pytest.raises(Denied) as refused:
        client.approve(request, key=uuid.uuid4().hex)
    assert str(refused.value) == asked.may["approve"].because


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


async def filled(pilot: Pilot[None], key: str, why_may: str, **fields: str) -> None:
    """Open the form of a key, see why one may, fill it and send it."""
    app = pilot.app
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, Form) and shows(app, why_may))  # type: ignore[arg-type]
    for name, value in fields.items():
        app.screen.query_one(f"#field-{name}", Input).value = value
    await until(pilot, lambda: "ready" in hint(app))  # type: ignore[arg-type]
    await pilot.press("ctrl+j")
    await until(pilot, lambda: not isinstance(app.screen, Form))


def test_the_next_level_is_told_and_two_incidents_become_one(here: World) -> None:
    open_ = {each.model: each.id for each in here.client().incidents()}

    async def story() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: app.snapshot is not None)
            app.open_incident(open_["answers"])
            await until(pilot, lambda: isinstance(app.screen, IncidentScreen) and shows(app, "▶ L2 bo", "triggered"))
            await filled(pilot, "e", "tells the next level at once: bo", because="nobody answers")
            await filled(pilot, "m", f"INC-{open_['loans']}", into=f"INC-{open_['loans']}", because="one cause")
            await until(pilot, lambda: app.snapshot is not None and open_["answers"] not in app.snapshot.incidents)

    played(story)
    (told,) = here.log("incident.escalated")
    assert (told["actor"], told["body"]["because"]) == ("ana", "nobody answers")
    assert [each["actor"] for each in here.log("incident.merged")] == ["ana"]


def test_a_waiver_of_two_people_and_a_silence_are_seen_with_their_end(here: World) -> None:
    async def asking() -> None:
        app = here.app("ana")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: app.snapshot is not None)
            await pilot.press("5")
            await until(pilot, lambda: shows(app, "● rules"))
            wanted = {"model": "answers", "rule": "asked", "until": "7d", "because": "a load test"}
            await filled(pilot, "W", "✓ you may:", **wanted)
            await filled(pilot, "S", "✓ you may:", model="quiet", until="2h", because="the feed is moved")
            await until(
                pilot, lambda: shows(app, "◌ waits", "WVR-1", "⌁ silence", "SIL-1", "in 1h", "the feed is moved")
            )
            await pilot.press("g")
            own = "ana asked for this waiver; a second person must approve it: bo"
            await until(pilot, lambda: shows(app, f"✗ {own}", "N takes it back"))
            assert isinstance(app.screen, Frame)
            assert (app.screen.why_off("approve"), app.screen.why_off("refuse")) == (own, "")

    async def consenting() -> None:
        app = here.app("bo")
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: shows(app, "to approve"))
            await pilot.press("5")
            await until(pilot, lambda: shows(app, "◌ waits", "WVR-1", "may approve bo within 6 d", "Y approves"))
            await pilot.press("Y")
            await until(pilot, lambda: shows(app, "◇ waiver", "WVR-1", "a load test", "in 6d"))
            assert not shows(app, "◌ waits")
            await pilot.press("g")
            await until(pilot, lambda: shows(app, "asked by ana, approved by bo", "until", "in 6 d 23 h"))

    played(asking)
    told_beforehand(here, "WVR-1", "ana")
    told_beforehand(here, "WVR-1", "vic")
    played(consenting)
    told = [*here.log("waiver.requested"), *here.log("waiver.approved"), *here.log("silence.created")]
    assert [(each["actor"], each["body"]["channel"]) for each in told] == [
        ("ana", "tui"),
        ("bo", "tui"),
        ("ana", "tui"),
    ]
    (muted,) = here.client().silences()
    assert (muted.model, muted.by) == ("quiet", "ana")
