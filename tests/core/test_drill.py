"""When what is run on a schedule is due: from what was last proved, and once after any absence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from governance.core.card import Card
from governance.core.drill import Drill, drills_of
from governance.core.evidence import Evidence
from governance.core.runbook import Runbook

AT = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
DRY = Drill("m", "roll-back", 90 * DAY, "dry_run", "drilled", early=0.1)


def card(model: str, **rollback: Any) -> Card:
    return Card.model_validate({"model": model, "owners": {"team": "t"}, "rollback": rollback})


def runbooks(*found: dict[str, Any]) -> Any:
    whole = [
        Runbook.model_validate({"description": "d", "steps": [{"step": "a", "instruct": "a"}], **each})
        for each in found
    ]
    return {each.runbook: SimpleNamespace(document=each) for each in whole}


def due(started: datetime | None, drilled: datetime | None, drill: Drill = DRY) -> datetime | None:
    return drill.due(started, Evidence(drilled=drilled))


def test_what_was_never_tried_is_due_at_once() -> None:
    assert due(None, None) is None


def test_it_is_due_before_it_is_overdue() -> None:
    assert due(AT, AT) == AT + 81 * DAY
    assert due(None, AT) == AT + 81 * DAY, "somebody practised it by hand"


def test_one_that_failed_is_tried_again_the_next_day() -> None:
    assert due(AT, None) == AT + DAY
    assert due(AT, AT - 200 * DAY) == AT + DAY


def test_one_that_failed_and_was_proved_by_hand_waits() -> None:
    assert due(AT, AT + timedelta(hours=1)) == AT + timedelta(hours=1) + 81 * DAY


def test_a_live_one_does_not_bother_people_daily() -> None:
    live = Drill("m", "kill-switch-drill", 90 * DAY, "live", "switch_drilled")
    assert due(AT, None, live) == AT + 90 * DAY


def test_what_proves_nothing_is_due_since_its_last_start() -> None:
    weekly = Drill("m", "compare", 7 * DAY, "live", None)
    assert due(None, AT, weekly) is None
    assert due(AT, None, weekly) == AT + 7 * DAY


def test_a_card_asks_for_drills_of_the_runbook_it_is_rolled_back_with() -> None:
    (found,) = drills_of([card("m", drill_every="90d", then={"runbook": "roll-back"})], {}, lambda *_: True)
    assert (found.runbook, found.mode, found.proves) == ("roll-back", "dry_run", "drilled")
    assert 0.05 <= found.early <= 0.15
    assert found.because == "its rollback is practised every 90d"
    cards = [card("a", drill_every="90d"), card("b", then={"runbook": "roll-back"}), card("c")]
    assert list(drills_of(cards, {}, lambda *_: True)) == []


def test_a_fleet_is_not_due_at_one_instant() -> None:
    cards = [card(f"m{number}", drill_every="90d", then={"runbook": "roll-back"}) for number in range(100)]
    times = {each.due(AT, Evidence(drilled=AT)) for each in drills_of(cards, {}, lambda *_: True)}
    assert len(times) == 100
    known = [each for each in times if each is not None]
    assert max(known) - min(known) > 7 * DAY


def test_a_runbook_with_an_interval_is_run_for_the_models_that_it_is_for() -> None:
    named = runbooks({"runbook": "check-up", "every": "7d"}, {"runbook": "exercise", "every": "30d", "dry_run": True})
    cards = [card("a"), card("b", drill_every="90d", then={"runbook": "exercise"})]
    found = list(drills_of(cards, named, lambda runbook, one: (runbook.runbook, one.model) != ("check-up", "a")))
    assert [(each.model, each.runbook, each.every.days, each.mode) for each in found] == [
        ("a", "exercise", 30, "dry_run"),
        ("b", "exercise", 90, "dry_run"),
        ("b", "check-up", 7, "live"),
    ]
