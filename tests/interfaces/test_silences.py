"""A silence mutes notifications until it ends, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from interfaces.inside import CARDS, Inside, inside
from interfaces.serving import ask, prepared

from governance.engine import silences
from governance.engine.loop import step
from governance.errors import Conflict, Denied, GovernanceError, InvalidDocument, NotFound

ORG = CARDS["org.yaml"] + "notifiers: {console: {kind: console}}\n"


@pytest.fixture
def api(tmp_path: Path) -> Inside:
    return inside(tmp_path / "own", {**CARDS, "org.yaml": ORG})


def mute(api: Inside, hours: float = 1, **more: Any) -> str:
    at = api.clock.now()
    more = {"model": "loans", "actor": "bob", "because": "migration", **more}
    return silences.create(api.engine, until=at + timedelta(hours=hours), at=at, **more).silence.id


def beat(api: Inside, value: float, **by: float) -> None:
    """Let some time pass, push a value, and do all that is due."""
    from governance.engine import pushing
    from governance.store.pushed import PushedSample

    at = api.clock.on(**(by or {"seconds": 1}))
    key = f"b{next(api.count)}"
    pushing.push(api.engine, "pushed", [PushedSample("loans", "error_rate", at, value)], key=key, actor="t", at=at)
    step(api.engine, at)


def told(api: Inside) -> list[tuple[str, str, str]]:
    """Return every notification about the model: its reason, its state, and its receipt."""
    views = [api.client.get(f"/v1/incidents/{each['id']}/why").json() for each in incidents(api)]
    return [(each["reason"], each["state"], each["receipt"]) for view in views for each in view["notifications"]]


def incidents(api: Inside) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.client.get("/v1/incidents?status=all&model=loans").json()["items"]
    return found[::-1]


def test_what_is_muted_is_recorded_with_who_and_why(api: Inside) -> None:
    name = mute(api)
    beat(api, 0.9)
    ((reason, state, receipt),) = told(api)
    assert (reason, state) == ("first", "withheld")
    assert receipt == f"silenced by bob until 2026-01-31 13:00 UTC ({name}): migration"
    (one,) = incidents(api)
    assert (one["status"], one["severity"]) == ("triggered", "critical")


def test_its_end_tells_what_is_still_open(api: Inside) -> None:
    mute(api)
    beat(api, 0.9)
    beat(api, 0.9, minutes=59)
    assert [state for _, state, _ in told(api)] == ["withheld"]
    beat(api, 0.9, minutes=1)
    assert [(reason, state) for reason, state, _ in told(api)] == [("first", "withheld"), ("first", "sent")]
    beat(api, 0.9, minutes=1)
    assert len(told(api)) == 2  # once
    assert [each["by"] for each in api.log("silence.expired")] == ["bob"]


def test_one_that_is_made_while_a_beat_is_under_way_does_not_end_with_it(api: Inside) -> None:
    began = api.clock.now() - timedelta(seconds=1)
    mute(api)
    silences.catch_up(api.engine, began)
    assert api.log("silence.expired") == []
    assert [each["id"] for each in api.client.get("/v1/silences").json()["items"]] == ["SIL-1"]


def test_ended_by_hand_it_tells_at_the_next_beat(api: Inside) -> None:
    name = mute(api)
    beat(api, 0.9)
    silences.end(api.engine, name, because="done", actor="ana", at=api.clock.now())
    beat(api, 0.9)
    assert [state for _, state, _ in told(api)] == ["withheld", "sent"]
    with pytest.raises(Conflict, match="was ended by ana"):
        silences.end(api.engine, name, because="done", actor="ana", at=api.clock.now())


def test_what_ended_meanwhile_is_told_to_nobody_as_open(api: Inside) -> None:
    mute(api)
    beat(api, 0.9)
    beat(api, 0.1)
    beat(api, 0.1, hours=2)
    found = [(reason, state) for reason, state, _ in told(api)]
    assert found[:2] == [("first", "withheld"), ("resolved", "sent")]
    assert ("first", "sent") not in found


def test_a_resolution_gets_through(api: Inside) -> None:
    beat(api, 0.9)
    mute(api)
    beat(api, 0.1)
    assert [(reason, state) for reason, state, _ in told(api)] == [("first", "sent"), ("resolved", "sent")]


def test_another_silence_goes_on_muting(api: Inside) -> None:
    mute(api)
    mute(api, hours=3)
    beat(api, 0.9)
    beat(api, 0.9, hours=1)
    assert [state for _, state, _ in told(api)] == ["withheld"]


@pytest.mark.parametrize(("muted", "expected"), [({"rule": "errors-high"}, "withheld"), ({"model": "fraud"}, "sent")])
def test_it_mutes_what_it_names(api: Inside, muted: dict[str, str], expected: str) -> None:
    mute(api, **muted)
    beat(api, 0.9)
    assert {state for _, state, _ in told(api)} == {expected}


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        ({"hours": 0}, InvalidDocument, "ends after now"),
        ({"hours": 24 * 32}, InvalidDocument, "within 31 days"),
        ({"actor": "vic"}, Denied, "may not silence"),
        ({"model": "", "actor": "ana"}, Denied, "may not silence"),  # ana answers for her models, not for all
        ({"model": "loan"}, NotFound, "did you mean 'loans'"),
        ({"rule": "error-high"}, NotFound, "did you mean 'errors-high'"),
    ],
)
def test_silences_that_cannot_be(api: Inside, wanted: dict[str, Any], error: type[GovernanceError], said: str) -> None:
    with pytest.raises(error, match=said):
        mute(api, **wanted)
    assert silences.listed(api.engine, api.clock.now(), ended=True) == []


def test_the_commands(tmp_path: Path) -> None:
    home = prepared(tmp_path / "own")
    assert ask(home, "token", "create", "--for", "ana", "--as", "ana").returncode == 0  # begins the database
    made = ask(home, "silence", "create", "--model", "loans", "--because", "x", "--expires", "2h", "--as", "ana")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("SIL-1 mutes loans until ")
    assert "SIL-1" in ask(home, "silence", "list").stdout
    assert ask(home, "silence", "end", "sil-1", "--because", "x", "--as", "ana").stdout.startswith(
        "SIL-1 is ended by ana"
    )
    assert ask(home, "silence", "list").stdout == "nothing is silenced\n"
    assert "ended" in ask(home, "silence", "list", "--ended").stdout
    wrong = ask(home, "silence", "create", "--because", "x", "--expires", "2h", "--label", "x", "--as", "ana")
    assert wrong.returncode == 2
    assert "NAME=VALUE" in wrong.stderr
