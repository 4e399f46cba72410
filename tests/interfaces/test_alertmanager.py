"""Alertmanager's webhook: its alerts open and end incidents of ours, however often and in whatever order they come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from interfaces.inside import Inside, inside

NEVER = "0001-01-01T00:00:00Z"


@pytest.fixture
def api(tmp_path: Path) -> Inside:
    return inside(tmp_path / "own")


def alert(
    status: str = "firing", began: str = "2026-01-31T12:00:00Z", fingerprint: str = "f1", **labels: str
) -> dict[str, Any]:
    labels = {"alertname": "HighLatency", "severity": "page", "model": "loans", "instance": "a:9090", **labels}
    return {
        "status": status, "labels": labels, "annotations": {"summary": "p99 is 900 ms"}, "startsAt": began,
        "endsAt": NEVER, "generatorURL": "http://prometheus/graph", "fingerprint": fingerprint,
    }  # fmt: skip


def tell(api: Inside, *alerts: dict[str, Any], **headers: str) -> dict[str, int]:
    body = {
        "version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": "firing", "receiver": "gov",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://am", "alerts": alerts,
    }  # fmt: skip
    api.clock.on(seconds=1)
    answer = api.client.post("/v1/alertmanager", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, int] = answer.json()
    return found


def incidents(api: Inside, **wanted: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.client.get("/v1/incidents", params={"status": "all", **wanted}).json()["items"]
    return found


def test_a_firing_alert_is_a_finding_of_the_model_until_it_is_resolved(api: Inside) -> None:
    assert tell(api, alert()) == {"firing": 1, "resolved": 0, "known": 0}
    (one,) = incidents(api, model="loans")
    assert (one["status"], one["severity"], one["title"]) == ("triggered", "critical", "p99 is 900 ms")
    finding = one["findings"][0]
    assert (finding["rule"], finding["labels"]) == ("alertmanager/HighLatency", {"instance": "a:9090"})
    api.judge(0.1)  # our own cycles leave it alone
    assert incidents(api, model="loans")[0]["status"] == "triggered"
    assert tell(api, alert("resolved")) == {"firing": 0, "resolved": 1, "known": 0}
    assert incidents(api, model="loans")[0]["status"] == "resolved"


def test_the_same_told_again_changes_nothing(api: Inside) -> None:
    tell(api, alert())
    entries = len(api.log("incident"))
    for _ in range(3):
        assert tell(api, alert())["known"] == 1
    tell(api, alert("resolved"))
    assert tell(api, alert("resolved"))["known"] == 1
    assert tell(api, alert())["known"] == 1  # an old one, late: it does not begin anew
    assert [each["status"] for each in incidents(api, model="loans")] == ["resolved"]
    assert len(api.log("incident")) == entries + 1
    assert tell(api, alert(began="2026-01-31T12:30:00Z"))["firing"] == 1


def test_an_end_without_a_beginning_is_nothing(api: Inside) -> None:
    assert tell(api, alert("resolved")) == {"firing": 0, "resolved": 0, "known": 1}
    assert incidents(api, model="loans") == []


def test_an_alert_of_no_model_of_ours_is_about_the_engine(api: Inside) -> None:
    tell(api, alert(model="unheard-of"))
    (one,) = incidents(api, model="engine")
    assert one["findings"][0]["labels"] == {"instance": "a:9090", "model": "unheard-of"}


@pytest.mark.parametrize(
    ("severity", "expected"),
    [("critical", "critical"), ("PAGE", "critical"), ("info", "info"), ("ticket", "warning"), ("", "warning")],
)
def test_severities_of_others(api: Inside, severity: str, expected: str) -> None:
    tell(api, alert(severity=severity))
    assert incidents(api, model="loans")[0]["severity"] == expected


def test_two_severities_of_one_alert_end_apart(api: Inside) -> None:
    tell(api, alert(severity="critical"), alert(severity="warning", fingerprint="f2"))
    tell(api, alert("resolved", severity="critical"))
    (one,) = incidents(api, model="loans")
    assert (one["status"], one["severity"]) == ("triggered", "warning")
    tell(api, alert("resolved", severity="warning", fingerprint="f2"))
    assert incidents(api, model="loans")[0]["status"] == "resolved"


def test_a_token_pushes_for_its_models_and_needs_the_scope(api: Inside) -> None:
    reading = api.token("ana")
    answer = api.as_(reading, "POST", "/v1/alertmanager", json={"version": "4", "alerts": [alert()]})
    assert answer.status_code == 403
    assert "scope push" in answer.json()["detail"]


@pytest.mark.parametrize(
    "change",
    [{"version": "3"}, {"alerts": [{**alert(), "status": "on"}]}, {"alerts": [{**alert(), "startsAt": "now"}]},
     {"alerts": [{**alert(), "fingerprint": ""}]}, {"alerts": None}, {"alerts": [alert()] * 1001}],
    ids=lambda each: str(each)[:40],
)  # fmt: skip
def test_what_is_no_notification_of_alertmanager(api: Inside, change: dict[str, Any]) -> None:
    answer = api.client.post("/v1/alertmanager", json={"version": "4", "alerts": [], **change})
    assert answer.status_code == 422
    assert incidents(api, model="loans") == []
