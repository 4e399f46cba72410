"""Events for PagerDuty, as a real HTTP server takes them; PagerDuty itself cannot be reached from a test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.receiving import Receiver, Reply, receiving

from governance.actions.pagerduty import PagerDuty, PagerDutyConfig
from governance.core.effect import Effect, Message, Receipt

AT = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
MESSAGE = Message(
    7, "loan-risk", "critical", "triggered", "income is missing", "first", ("income is missing", "grade is missing"),
    ("run runbook roll-back",), AT,
)  # fmt: skip
EFFECT = Effect("7-1-pager", 7, 1, "pager", MESSAGE, next_at=AT)
ACCEPTED = Reply(202, body='{"status": "success", "message": "Event processed", "dedup_key": "gov-7"}')


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("PAGER_KEY", "R0UT1NG")
    with receiving() as found:
        found.otherwise = ACCEPTED
        yield found


def pager(receiver: Receiver, **more: Any) -> PagerDuty:
    settings = {"routing_key_env": "PAGER_KEY", "address": receiver.address, **more}
    return PagerDuty.configured(PagerDutyConfig.model_validate(settings), Path())


def test_an_incident_is_one_alert_from_its_first_finding_to_its_end(receiver: Receiver) -> None:
    notifier = pager(receiver, link="https://gov.example.org/incidents/{incident}")
    reasons = ["first", "worsened", "acknowledged", "handover", "resolved"]
    for version, reason in enumerate(reasons):
        told: Any = replace(MESSAGE, reason=reason)  # type: ignore[arg-type]
        receipt = notifier.perform(replace(EFFECT, key=f"7-{version}-pager", version=version, message=told))
        assert (receipt.delivered, receipt.detail) == (True, "HTTP 202")
    events = [each.json for each in receiver.got]
    assert [each["event_action"] for each in events] == ["trigger", "trigger", "acknowledge", "trigger", "resolve"]
    assert {each["dedup_key"] for each in events} == {"gov-7"}
    assert {each["routing_key"] for each in events} == {"R0UT1NG"}
    assert events[0] == {
        "routing_key": "R0UT1NG",
        "event_action": "trigger",
        "dedup_key": "gov-7",
        "payload": {
            "summary": "INC-7 loan-risk: income is missing",
            "source": "loan-risk",
            "severity": "critical",
            "timestamp": "2026-01-05T12:30:00+00:00",
            "component": "loan-risk",
            "custom_details": {
                "findings": ["income is missing", "grade is missing"],
                "count": 2,
                "proposals": ["run runbook roll-back"],
                "reason": "first",
                "status": "triggered",
            },
        },
        "client": "Model governance",
        "client_url": "https://gov.example.org/incidents/7",
        "links": [{"href": "https://gov.example.org/incidents/7", "text": "INC-7 loan-risk"}],
    }
    assert events[2] == {"routing_key": "R0UT1NG", "event_action": "acknowledge", "dedup_key": "gov-7"}


@pytest.mark.parametrize("severity", ["critical", "warning", "info"])
def test_each_severity_is_one_that_pagerduty_knows(severity: Any, receiver: Receiver) -> None:
    pager(receiver).perform(replace(EFFECT, message=replace(MESSAGE, severity=severity)))
    assert receiver.got[0].json["payload"]["severity"] == severity


def test_nothing_is_longer_than_it_may_be(receiver: Receiver) -> None:
    long = replace(MESSAGE, title="x" * 5000, findings=("y" * 300,) * 5000)
    assert pager(receiver, prefix="p" * 200).perform(replace(EFFECT, message=long)).delivered
    (got,) = receiver.got
    assert len(got.json["payload"]["summary"]) == 1024
    assert len(got.json["dedup_key"]) <= 255
    assert len(got.content) < 512 * 1024
    assert got.json["payload"]["custom_details"]["count"] == 5000


def test_what_is_wrong_with_an_event_is_told_and_not_sent_for_a_week(receiver: Receiver) -> None:
    said = {"status": "invalid event", "message": "Event object is invalid", "errors": ["'severity' is not one of"]}
    receiver.script = [Reply(400, body=json.dumps(said)), Reply(400, body="<html>")]
    notifier = pager(receiver)
    assert notifier.perform(EFFECT) == Receipt(
        delivered=False, detail="HTTP 400: 'severity' is not one of", refused=True
    )
    assert notifier.perform(EFFECT) == Receipt(delivered=False, detail="HTTP 400", refused=True)


def test_too_many_events_are_sent_later(receiver: Receiver) -> None:
    receiver.script = [Reply(429, {"Retry-After": "30"}), Reply(500), Reply(302, {"Location": "http://127.0.0.1/"})]
    notifier = pager(receiver)
    assert notifier.perform(EFFECT) == Receipt(delivered=False, detail="HTTP 429", wait=timedelta(seconds=30))
    assert notifier.perform(EFFECT) == Receipt(delivered=False, detail="HTTP 500")
    assert "redirects are not followed" in notifier.perform(EFFECT).detail
    assert {each.key for each in receiver.got} == {"7-1-pager"}
    assert {each.json["dedup_key"] for each in receiver.got} == {"gov-7"}


def test_what_answers_otherwise_is_no_pagerduty(receiver: Receiver) -> None:
    receiver.script = [Reply(200)]
    receipt = pager(receiver).perform(EFFECT)
    assert (receipt.delivered, "not how PagerDuty accepts" in receipt.detail) == (False, True)


def test_without_its_key_nothing_is_sent(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAGER_KEY")
    assert pager(receiver).perform(EFFECT).detail == "the environment variable PAGER_KEY is not set"
    assert receiver.got == []


def test_what_is_about_no_incident_opens_no_alert(receiver: Receiver) -> None:
    notice = replace(EFFECT, incident=0, message=replace(MESSAGE, incident=0, reason="handover"))
    assert pager(receiver).perform(notice).delivered
    assert receiver.got == []
