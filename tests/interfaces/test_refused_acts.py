"""An act that is refused to somebody is an entry of the decision log, and no flood of them fills it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from interfaces.inside import CARDS, inside
from interfaces.serving import ask, prepared

from governance.engine.refused_acts import WINDOW

PULL = {"mode": "shadow", "because": "x"}


@pytest.fixture
def api(tmp_path: Path) -> Any:
    made: Any = inside(tmp_path / "own", CARDS)
    made.bob, made.vic, made.out = (made.token(each) for each in ("bob", "vic", "out"))
    yield made
    made.engine.database.close()


def entries(api: Any) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
    """Return the entries of refused acts: who, about what, and their bodies."""
    found = api.as_(api.bob, "GET", "/v1/log?kind=act").json()["items"]
    return [(each["actor"], each["subject"], each["body"]) for each in found]


def test_a_refused_act_is_an_entry_at_once(api: Any) -> None:
    assert api.as_(api.vic, "POST", "/v1/switches/loans/pull", json=PULL).status_code == 403
    ((actor, subject, body),) = entries(api)
    assert (actor, subject) == ("vic", {"model": "loans"})
    assert (body["act"], body["count"], body["models"]) == ("switch.pull", 1, {"loans": 1})
    assert list(body["rules"]) == ["it needs the role responder for loans"]


def test_a_flood_makes_two_entries_a_minute_of_each_actor_and_act(api: Any) -> None:
    for number in range(60):
        model = ("loans", "fraud")[number % 2]
        assert api.as_(api.vic, "POST", f"/v1/switches/{model}/pull", json=PULL).status_code == 403
        assert api.as_(api.out, "POST", f"/v1/switches/{model}/pull", json=PULL).status_code == 403
    assert [(actor, body["count"]) for actor, _, body in entries(api)] == [("vic", 1), ("out", 1)]
    api.clock.time += WINDOW
    api.service.doors.refusals.flush(api.clock.now())
    rest = entries(api)[2:]
    assert [(actor, body["count"], body["models"]) for actor, _, body in rest] == [
        ("vic", 59, {"fraud": 30, "loans": 29}),
        ("out", 59, {"fraud": 30, "loans": 29}),
    ]
    api.clock.time += WINDOW
    api.service.doors.refusals.flush(api.clock.now())
    assert len(entries(api)) == 4


def test_looking_is_no_act(api: Any) -> None:
    assert api.as_(api.out, "GET", "/v1/switches/loans").status_code == 403
    assert entries(api) == []


@pytest.mark.parametrize(
    ("path", "body", "act"),
    [
        ("/v1/silences", {"because": "x", "until": "2026-02-01T00:00:00Z", "model": "loans"}, "silence.create"),
        ("/v1/waivers", {"because": "x", "until": "2026-02-01T00:00:00Z", "model": "loans", "rule": "errors-high"},
         "waiver.request"),
        ("/v1/switches/loans/break-glass", {"because": "x", "confirm": "loans"}, "switch.break-glass"),
        ("/v1/switches/loans/restore", {"because": "x", "confirm": "loans", "seq": 0}, "switch.restore"),
        ("/v1/samples", {"source": "pushed", "samples": [
            {"model": "loans", "metric": "error_rate", "time": "2026-01-31T12:00:00Z", "value": 1}]}, "samples.push"),
    ],
)  # fmt: skip
def test_every_act(api: Any, path: str, body: dict[str, Any], act: str) -> None:
    assert api.as_(api.vic, "POST", path, json=body, headers={"Idempotency-Key": "k"}).status_code == 403
    assert [each["act"] for _, _, each in entries(api)] == [act]


def test_what_cannot_be_written_now_is_counted_and_refused_all_the_same(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from governance.errors import Unavailable
    from governance.store.database import Database

    def away(_: Database) -> Any:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Database, "transaction", away)
        assert api.as_(api.vic, "POST", "/v1/switches/loans/pull", json=PULL).status_code == 403
    api.clock.time += WINDOW
    api.service.doors.refusals.flush(api.clock.now())
    assert [body["count"] for _, _, body in entries(api)] == [1]


def test_on_the_command_line_too(tmp_path: Path) -> None:
    home = prepared(tmp_path / "own", CARDS)
    assert ask(home, "token", "create", "--for", "ana", "--as", "ana").returncode == 0
    done = ask(home, "switch", "pull", "loans", "shadow", "--because", "x", "--as", "vic")
    assert (done.returncode, "may not pull" in done.stderr) == (3, True)
    assert "act.refused" in ask(home, "audit", "tail").stdout
    assert ask(home, "audit", "verify").returncode == 0
