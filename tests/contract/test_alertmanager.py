"""Findings as alerts of a real Alertmanager: they fire there as long as they do here, and end with them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.delivering import come, engine, states
from contract.receiving import Receiver, Reply, receiving
from contract.sources.programs import free_port, program, running
from pydantic import ValidationError

from governance.actions.alertmanager import Alertmanager, AlertmanagerConfig
from governance.core.alert import AlertKey
from governance.core.effect import Effect, IncidentChange, respond
from governance.core.incident import Finding, Incident
from governance.core.metric import labels
from governance.engine.dispatch import dispatch
from governance.store import effects, incidents

NEEDS = "it is what takes our alerts; on Debian, apt-get install prometheus-alertmanager"


@dataclass
class Running:
    """An Alertmanager and who it tells."""

    address: str
    told: Receiver

    def active(self) -> dict[str, dict[str, Any]]:
        """Return what fires there, by the incident it belongs to."""
        with urllib.request.urlopen(f"{self.address}/api/v2/alerts", timeout=20) as answer:  # noqa: S310 (on loopback)
            found = json.load(answer)
        return {f"{each['annotations']['incident']} {each['labels']['severity']}": each for each in found}

    def heard(self) -> list[tuple[str, str]]:
        """Return what it told, in order, as status and summary."""
        every = [each for request in self.told.got for each in request.json["alerts"]]
        return [(each["status"], each["annotations"]["summary"]) for each in every]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found, folder = program("prometheus-alertmanager", NEEDS), tmp_path_factory.mktemp("alertmanager")
    with receiving() as told:
        route = "route: {receiver: us, group_by: ['...'], group_wait: 0s, group_interval: 1s}"
        config = f"{route}\nreceivers: [{{name: us, webhook_configs: [{{url: '{told.address}'}}]}}]\n"
        (folder / "config.yaml").write_text(config, encoding="utf-8")
        address = f"http://127.0.0.1:{free_port()}"
        command = [
            found,
            f"--config.file={folder}/config.yaml",
            f"--storage.path={folder}/data",
            f"--web.listen-address={address.removeprefix('http://')}",
            "--cluster.listen-address=",
        ]
        with running(command, ready=f"{address}/-/ready", log=folder / "log"):
            yield Running(address, told)


EVERY = timedelta(seconds=3)
"""How often it is stated what fires; four times as long it holds."""


def finding(since: datetime, **more: Any) -> Finding:
    key = AlertKey("loan-risk", "income-missing", labels(region="north", severity="odd", **{"host.name": "a"}))
    return Finding(key, "critical", "critical", since, "income is missing", {}, story=("fired",), **more)


def incident(number: int, since: datetime, *findings: Finding) -> Incident:
    shown = findings or (finding(since),)
    return Incident(number, f"g{number}", "loan-risk", "triggered", "critical", since, since, shown)


def told(about: Incident, at: datetime, kind: Any = "opened") -> list[Effect]:
    return list(respond(IncidentChange(about, kind), ["am"], (), at))


def notifier(address: str, **more: Any) -> Alertmanager:
    settings = {"address": address, "every": EVERY, "labels": {"environment": "test"}, **more}
    return Alertmanager.configured(AlertmanagerConfig.model_validate(settings), Path())


def test_an_open_finding_fires_until_it_ends_here(server: Running, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    since, first = now - timedelta(hours=1), now - 4 * EVERY + timedelta(seconds=6)
    stays, goes = incident(71, since), incident(72, since, replace(finding(since), key=AlertKey("fraud", "late", ())))
    built = engine(tmp_path, {"am": notifier(server.address)}, *told(stays, first), *told(goes, first))
    with built.database.transaction() as connection:
        incidents.save(connection, stays, goes)
    dispatch(built, first)  # stated until four intervals later, which is in six seconds
    assert set(states(built, 71).values()) == {"sent"}
    assert set(server.active()) == {"INC-71 critical", "INC-72 critical"}
    with built.database.transaction() as connection:
        incidents.save(connection, replace(goes, status="resolved", version=2))
    dispatch(built, now)  # nothing is due: what is open is stated again, and the other is not
    come(lambda: set(server.active()) == {"INC-71 critical"})
    alert = server.active()["INC-71 critical"]
    assert alert["labels"] == {
        "alertname": "income-missing", "model": "loan-risk", "severity": "critical", "kind": "condition",
        "environment": "test", "region": "north", "exported_severity": "odd", "host_name": "a",
    }  # fmt: skip
    assert datetime.fromisoformat(alert["startsAt"]) == since.replace(microsecond=since.microsecond // 1000 * 1000)
    over = replace(
        stays, status="resolved", version=2, findings=(finding(since, ended=datetime.now(UTC)),), resolved_at=now
    )
    with built.database.transaction() as connection:
        incidents.save(connection, over)
        effects.add(connection, told(over, now, "resolved"))
    dispatch(built, datetime.now(UTC))
    assert server.active() == {}
    come(lambda: server.heard().count(("resolved", "income is missing")) >= 2)
    assert server.heard()[0][0] == "firing"
    built.database.close()


def test_a_finding_that_worsened_no_longer_fires_as_it_was(server: Running) -> None:
    now = datetime.now(UTC)
    before = finding(now - timedelta(minutes=5))
    states_ = notifier(server.address)
    assert states_.state([incident(73, now, replace(before, severity="warning"))], now).delivered
    assert set(server.active()) == {"INC-73 warning"}
    worse = replace(before, story=("fired", "worsened"))
    assert states_.state([incident(73, now, worse)], datetime.now(UTC)).delivered
    assert set(server.active()) == {"INC-73 critical"}
    ended = replace(worse, ended=datetime.now(UTC))
    assert states_.state([incident(73, now, ended)], datetime.now(UTC)).delivered
    assert server.active() == {}


def test_what_ended_long_ago_and_what_is_no_incident_is_not_stated() -> None:
    now = datetime.now(UTC)
    old = finding(now - timedelta(days=2), ended=now - timedelta(days=1))
    assert notifier("http://127.0.0.1:9").state([incident(74, now, old)], now).delivered
    notice = told(incident(0, now), now)[0]
    assert notifier("http://127.0.0.1:9").perform(notice).delivered


def test_what_is_wrong_with_an_alert_is_told(server: Running) -> None:
    now = datetime.now(UTC)
    backwards = finding(now, ended=now - timedelta(minutes=1))
    receipt = notifier(server.address).state([incident(75, now, backwards)], now)
    assert (receipt.delivered, receipt.refused, receipt.detail[:8]) == (False, True, "HTTP 400")
    assert "start time must be before end time" in receipt.detail


def test_its_token_goes_with_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    with receiving() as found:
        found.script = [Reply(503, {"Retry-After": "7"})]
        sender = notifier(found.address, token_env="AM_TOKEN")  # noqa: S106 (the name of a variable)
        assert sender.state([incident(76, now)], now).detail == "the environment variable AM_TOKEN is not set"
        monkeypatch.setenv("AM_TOKEN", "t0ken")
        assert sender.state([incident(76, now)], now).wait == timedelta(seconds=7)
        assert [(each.path, each.headers["authorization"]) for each in found.got] == [
            ("/hook/api/v2/alerts", "Bearer t0ken")
        ]


@pytest.mark.parametrize(
    "more", [{"address": "alerts.example.org"}, {"labels": {"no-name": "x"}}, {"every": timedelta()}, {"wat": 1}]
)
def test_settings_that_are_wrong(more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        notifier(**{"address": "http://127.0.0.1:9093", **more})


def test_an_alertmanager_that_cannot_be_told_again_is_seen_to_be_away(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with receiving() as found:
        built = engine(tmp_path, {"am": notifier(found.address)}, *told(incident(77, now), now))
        with built.database.transaction() as connection:
            incidents.save(connection, incident(77, now))
        dispatch(built, now)
        assert built.lanes.answers() == {"am": True}
        found.otherwise = Reply(502)
        dispatch(built, now)
        assert len(found.got) == 2, "the interval is not over"
        dispatch(built, now + EVERY)
        assert len(found.got) == 3
    assert built.lanes.answers() == {"am": False}
    built.database.close()
