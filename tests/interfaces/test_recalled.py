"""A process is killed between an act and its answer: it is done once, and whoever asks again is answered."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from interfaces.inside import CARDS, inside
from interfaces.serving import FILES, Served, prepared

from governance.api.once import Once
from governance.engine.running.driving import drive
from governance.store import decision_log

HARD = CARDS["fraud.yaml"].replace("model: fraud", "model: scoring\ntier: 1")
CAREFUL = """
kind: runbook
runbook: careful
description: Look, ask, wait.
steps:
  - {step: look, instruct: Look at it.}
  - {step: consent, approve: {}}
  - {step: settle-down, wait: 10m}
"""
ORG = CARDS["org.yaml"].replace("roles:", "roles:\n  - {role: approver, who: [ana]}")
ANSWERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("snooze", {"until": "2026-02-01T00:00:00Z", "because": "x"}),
    ("severity", {"severity": "info", "because": "x"}),
    ("hand-over", {"to": "ana"}),
    ("link", {"address": "https://tickets.example.com/7"}),
)
DIES = """
import os, signal
from pathlib import Path
from governance.store import decision_log
from governance.engine import sealing
sealed = sealing.sealed
def dies(*given):
    if Path("die").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return sealed(*given)
sealing.sealed = dies
"""


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An engine whose answers are never kept, as if each process had ended before it answered."""
    monkeypatch.setattr(Once, "_keep", lambda *_: None)
    made: Any = inside(tmp_path / "own", {**CARDS, "org.yaml": ORG, "scoring.yaml": HARD, "careful.yaml": CAREFUL})
    made.ana, made.bob = made.token("ana"), made.token("bob")
    made.judge(0.9)
    yield made
    made.engine.database.close()


def twice(api: Any, secret: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Do something twice under one key, the second time with its first answer lost."""
    headers = {"Idempotency-Key": f"key-{path}"}
    before = decision_log.count(api.engine.database)
    first = api.as_(secret, "POST", path, json=body, headers=headers)
    assert first.status_code in (200, 201, 202), first.text
    done = decision_log.count(api.engine.database)
    assert done > before
    again = api.as_(secret, "POST", path, json=body, headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert decision_log.count(api.engine.database) == done
    other = api.as_(secret, "POST", path, json={**body, "because": "other"}, headers=headers)
    assert other.status_code in (409, 422), other.text
    return dict(first.json())


def test_every_act_is_answered_from_its_decisions(api: Any) -> None:
    until = "2026-02-01T00:00:00Z"
    (number,) = [each["id"] for each in api.as_(api.bob, "GET", "/v1/incidents?model=loans").json()["items"]]
    twice(api, api.bob, f"/v1/incidents/{number}/acknowledge", {"version": 1})
    for version, (act, body) in enumerate(ANSWERS, 2):
        seen = {} if "address" in body else {"version": version}
        twice(api, api.bob, f"/v1/incidents/{number}/{act}", {**seen, **body})
    twice(api, api.bob, f"/v1/incidents/{number}/note", {"text": "x"})
    resolving = {"version": 2 + len(ANSWERS), "because": "x"}
    left = twice(api, api.bob, f"/v1/incidents/{number}/resolve", resolving)["still_firing"]
    assert left == 1
    silence = twice(api, api.bob, "/v1/silences", {"because": "x", "until": until, "model": "loans"})["silence"]["id"]
    twice(api, api.bob, f"/v1/silences/{silence}/end", {"because": "x"})
    twice(api, api.bob, "/v1/models/loans/runs", {"runbook": "careful", "because": "x"})
    drive(api.engine, api.clock.now())
    twice(api, api.bob, "/v1/runs/RUN-1/tick", {"because": "x"})
    drive(api.engine, api.clock.now())
    twice(api, api.ana, "/v1/approvals/APR-1/approve", {"because": "x"})
    for act in ("pause", "resume", "cancel"):
        twice(api, api.bob, f"/v1/runs/RUN-1/{act}", {"because": "x"})
    waiver = {"model": "loans", "rule": "errors-high", "because": "x", "until": until}
    asked = twice(api, api.bob, "/v1/waivers", waiver)["approval"]["id"]
    twice(api, api.ana, f"/v1/approvals/{asked}/approve", {})
    pulled = twice(api, api.bob, "/v1/switches/loans/pull", {"mode": "fallback", "because": "x"})["switch"]
    twice(api, api.bob, "/v1/switches/loans/restore", {"because": "x", "confirm": "loans", "seq": pulled["seq"]})
    seq = twice(api, api.bob, "/v1/switches/scoring/pull", {"mode": "fallback", "because": "x"})["switch"]["seq"]
    back = twice(api, api.bob, "/v1/switches/scoring/restore", {"because": "x", "confirm": "scoring", "seq": seq})
    twice(api, api.ana, f"/v1/approvals/{back['approval']['id']}/approve", {})
    api.as_(api.bob, "POST", "/v1/switches/fraud/pull", json={"mode": "fallback", "because": "x"})
    twice(api, api.bob, "/v1/switches/fraud/break-glass", {"because": "x", "confirm": "fraud"})


def test_what_was_refused_is_not_taken_for_done(api: Any) -> None:
    vic = api.token("vic")
    for _ in range(2):
        answer = api.as_(vic, "POST", "/v1/switches/loans/pull", json={"mode": "fallback", "because": "x"},
                         headers={"Idempotency-Key": "k"})  # fmt: skip
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (403, False)


def test_killed_before_it_answered_it_is_done_once_and_answered_by_the_next_process(tmp_path: Path) -> None:
    home = prepared(tmp_path / "own", {**FILES, "org.yaml": FILES["org.yaml"].replace("people: {ana: {}}\n", "")})
    body, key = {"mode": "fallback", "because": "drift"}, {"Idempotency-Key": "one"}
    first = Served(home, before=DIES)
    try:
        (home / "die").touch()
        with pytest.raises(Exception, match=r"disconnected|reset|refused"):
            first.http.post("/v1/switches/loans/pull", json=body, headers=key)
        assert first.process.wait(timeout=30) == -signal.SIGKILL
        (home / "die").unlink()
    finally:
        first.close()
    second = Served(home)
    try:
        again = second.http.post("/v1/switches/loans/pull", json=body, headers=key)
        assert (again.status_code, again.headers.get("idempotent-replayed")) == (200, "true"), again.text
        shown = again.json()["switch"]
        assert (shown["mode"], shown["seq"]) == ("fallback", 1)
        more = second.http.post("/v1/switches/loans/pull", json=body, headers=key)
        assert more.content == again.content
        pulls = second.http.get("/v1/log?kind=switch.pulled").json()["items"]
        assert [each["seq"] for each in pulls] == [again.json()["entry"]]
    finally:
        second.close()
