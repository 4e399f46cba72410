"""Where another system escalates: it hears who took an incident and when it ended, whatever happens on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.delivering import come
from contract.receiving import PATIENCE, Receiver, Reply, receiving
from escalation.duty import Duty, duty

from governance.actions.pagerduty import PagerDuty, PagerDutyConfig
from governance.engine import answering
from governance.engine.loop import step
from governance.store.database import Database
from governance.testing.collector import FixedClock

LADDER = {"levels": [{"after": "5m", "to": [{"notifier": "pagerduty"}], "hands_over": True}]}
ACCEPTED = Reply(202)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("PAGER_KEY", "R0UT1NG")
    with receiving() as found:
        found.otherwise = ACCEPTED
        yield found


def handed_over(receiver: Receiver, **more: Any) -> Duty:
    """Return a desk that found something wrong, where PagerDuty is told after five minutes."""
    config = PagerDutyConfig(routing_key_env="PAGER_KEY", address=receiver.address)
    known = {name: {"kind": "console"} for name in ("mail", "chat", "pagerduty")}
    desk = duty(escalations={"night": LADDER}, notifiers=known, **more)
    desk.engine.notifiers = {**desk.engine.notifiers, "pagerduty": PagerDuty.configured(config, Path())}
    desk.look()
    desk.world.values["delay-errors"] = 0.9
    desk.later()
    return desk


def actions(receiver: Receiver) -> list[str]:
    assert {each.json["dedup_key"] for each in receiver.got} <= {"gov-1"}
    return [each.json["event_action"] for each in receiver.got]


def test_it_is_told_at_its_level_who_took_it_and_how_it_ended(receiver: Receiver) -> None:
    desk = handed_over(receiver)
    assert actions(receiver) == [], "its level is not due"
    desk.until(7)
    assert actions(receiver) == ["trigger"]
    answering.acknowledge(desk.engine, 1, actor="ana", at=desk.now)
    desk.look()
    assert actions(receiver) == ["trigger", "acknowledge"]
    answering.resolve(desk.engine, 1, actor="ana", because="mended", at=desk.now)
    desk.later()
    assert actions(receiver) == ["trigger", "acknowledge", "resolve"]
    desk.until(30, every=10)
    assert len(receiver.got) == 3


def test_who_was_not_told_of_an_incident_does_not_hear_who_took_it(receiver: Receiver) -> None:
    desk = handed_over(receiver)
    answering.acknowledge(desk.engine, 1, actor="ana", at=desk.now)
    desk.until(30, every=10)
    assert actions(receiver) == []


def test_what_may_have_arrived_is_resolved_though_it_was_never_answered(receiver: Receiver) -> None:
    receiver.script = [Reply(500)]
    desk = handed_over(receiver)
    desk.until(6)
    assert actions(receiver) == ["trigger"]
    answering.resolve(desk.engine, 1, actor="ana", because="mended", at=desk.now)
    desk.until(30, every=10)
    assert actions(receiver) == ["trigger", "resolve"]


@pytest.mark.parametrize(("status", "left"), [(202, "sent"), (500, "withheld")], ids=["it arrived", "nobody knows"])
def test_what_is_under_way_while_the_incident_ends_is_resolved_too(
    status: int, left: str, receiver: Receiver, tmp_path: Path
) -> None:
    go = threading.Event()
    receiver.script = [Reply(status, hangs=go)]
    desk = handed_over(receiver, database=Database(f"sqlite:///{tmp_path}/governance.db"))
    with desk.engine.lanes.apart(PATIENCE):
        desk.now += timedelta(minutes=6)
        desk.engine.clock = FixedClock(desk.now)
        step(desk.engine, desk.now)
        come(lambda: actions(receiver) == ["trigger"])
        answering.resolve(desk.engine, 1, actor="ana", because="mended", at=desk.now)
        step(desk.engine, desk.now)  # withdraws what was not delivered yet
        assert [each.state for each in desk.effects() if each.level] == ["withheld"]
        go.set()

        def told() -> bool:
            step(desk.engine, desk.now)
            return actions(receiver) == ["trigger", "resolve"]

        come(told)
    assert [each.state for each in desk.effects() if each.level] == [left]
    desk.engine.database.close()
