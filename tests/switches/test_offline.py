"""A pull while the engine is away: who signs it, who obeys it, and how it is entered when the engine is back."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from switches.desk import HOUR, MINUTE, Desk, desk

from governance.core.offline_override import Override, read, written
from governance.core.switch import Scope
from governance.engine import switching
from governance.errors import Denied, InvalidDocument
from governance.store.database import Database

SECRET = "k" * 32


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Return a desk with a home, whose log must verify in the end."""
    monkeypatch.setenv("GOV_OVERRIDE_KEY", SECRET)
    made = desk(database=Database(f"sqlite:///{tmp_path}/governance.db"))
    yield made
    made.verify()
    made.engine.database.close()


def home(at: Desk) -> Path:
    assert at.engine.database.path is not None
    return at.engine.database.path.parent


def pull(at: Desk, mode: Any = "fallback", **more: Any) -> Path:
    said = {"share": 1.0, "because": "the engine is dead", "actor": "ana", "confirmed": "delay", "at": at.now, **more}
    return switching.offline_pull(home(at), "delay", mode, more.pop("scope", Scope()), **{**said, **more})


def test_the_file_is_as_documented(at: Desk) -> None:
    path = switching.offline_pull(
        home(at), "delay", "throttle", Scope("7", (("region", "eu"),)), share=0.25, because="früh", actor="ana",
        confirmed="", at=at.now, fallback="schedule",
    )  # fmt: skip
    said = json.loads(path.read_bytes())
    signature = said.pop("signature")
    assert said == {
        "id": path.stem,
        "model": "delay",
        "mode": "throttle",
        "share": 0.25,
        "scope": {"version": "7", "labels": {"region": "eu"}},
        "reason": "früh",
        "set_by": "ana",
        "set_at": "2026-01-05T00:00:00Z",
        "fallback": "schedule",
    }
    assert signature == hmac.new(SECRET.encode(), rfc8785.dumps(said), hashlib.sha256).hexdigest()
    assert path.parent == home(at) / "overrides"


def test_the_engine_enters_it_when_it_is_back(at: Desk) -> None:
    set_at, path = at.now, pull(at)
    at.later(HOUR)
    (setting,) = at.switch("delay").settings
    assert (setting.mode, setting.origin, setting.set_by, setting.set_at) == ("fallback", "offline", "ana", set_at)
    assert setting.override == path.stem
    entry: Any = at.entries()[-1].decision
    assert (entry.kind, entry.actor, entry.body["offline"]) == ("switch.pulled", "ana", True)
    assert not path.exists()
    assert (path.parent / "entered" / path.name).exists()


def test_the_engine_chooses_the_requests_of_a_throttle_as_the_file_did(at: Desk) -> None:
    path = pull(at, "throttle", share=0.25)
    at.later()
    assert [each.salt for each in at.switch("delay").settings] == [path.stem]
    switching.pull(at.engine, "delay", "throttle", share=0.5, actor="ana", because="x", at=at.now)
    assert [each.salt for each in at.switch("delay").settings] == [path.stem]


def test_it_is_entered_once_even_when_the_file_comes_back(at: Desk) -> None:
    path = pull(at)
    content = path.read_bytes()
    at.later()
    seq = at.switch("delay").seq
    switching.restore(at.engine, "delay", actor="ana", because="x", at=at.now, seq=seq, confirmed="delay")
    path.write_bytes(content)
    at.later()
    assert at.switch("delay").settings == ()
    assert at.switch("delay").overrides == (path.stem,)
    assert not path.exists()
    assert at.kinds() == ["switch.pulled", "switch.restored"]


def test_it_loosens_nothing(at: Desk) -> None:
    switching.pull(at.engine, "delay", "stopped", actor="bo", because="x", at=at.now, confirmed="delay")
    path = pull(at, "throttle", share=0.25)
    at.later()
    assert [(each.mode, each.set_by) for each in at.switch("delay").settings] == [("stopped", "bo")]
    assert (at.switch("delay").overrides, at.switch("delay").seq) == ((path.stem,), 2), "clients hear that it is over"
    assert at.kinds() == ["switch.pulled", "switch.pulled"], "that somebody did it is entered all the same"
    assert (path.parent / "entered" / path.name).exists()


def test_it_voids_a_request(at: Desk) -> None:
    switching.pull(at.engine, "credit", "fallback", actor="bo", because="x", at=at.now)
    said = {"actor": "cy", "because": "x", "at": at.now, "seq": 1, "confirmed": "credit"}
    switching.restore(at.engine, "credit", **said)
    override = Override("o1", "credit", "stopped", 1.0, Scope(), "x", "ana", at.now)
    (home(at) / "overrides").mkdir()
    (home(at) / "overrides" / "o1.json").write_bytes(written(override, SECRET))
    at.later()
    assert at.kinds()[-2:] == ["switch.pulled", "switch.voided"]


def forged(content: bytes, **changed: Any) -> bytes:
    return json.dumps({**json.loads(content), **changed}).encode()


BAD = {
    "another mode": (lambda content: forged(content, mode="throttle"), "its signature is not of the key"),
    "another model": (lambda content: forged(content, model="credit"), "its signature is not of the key"),
    "no signature": (lambda content: forged(content, signature=None), "its signature is not of the key"),
    "a foreign sign": (lambda content: forged(content, signature="é" * 64), "its signature is not of the key"),
    "one field more": (lambda content: forged(content, expires="1h"), "it has not exactly the fields"),
    "no object": (lambda _: b"[1]", "it has not exactly the fields"),
    "no JSON": (lambda content: content[:-9], "it is no JSON"),
    "deep": (lambda _: b"[" * 50_000, "it is no JSON"),
    "not a number": (lambda _: b'{"id": NaN}', "it is no JSON"),
    "one thing twice": (lambda content: content[:-2] + b', "mode": "live"}', "it is no JSON"),
    "half an emoji": (lambda _: b'{"id": "\\ud83d"}', "it"),
    "long": (lambda content: b" " * 70_000 + content, "it is too long"),
    "empty": (lambda _: b"", "it is no JSON"),
}


@pytest.mark.parametrize("how", BAD)
def test_a_wrong_file_is_refused_once_and_left_aside(at: Desk, how: str) -> None:
    path = pull(at)
    change, why = BAD[how]
    path.write_bytes(change(path.read_bytes()))
    for _ in range(3):
        at.later()
    assert at.switch("delay").seq == 0
    (entry,) = at.entries()
    body: Any = entry.decision.body
    assert (entry.decision.kind, entry.decision.subject) == ("switch.override_refused", {"override": path.stem})
    assert why in body["because"]
    assert path.exists()


def test_a_file_under_another_name_is_refused(at: Desk) -> None:
    path = pull(at)
    path.rename(path.with_name("mine.json"))
    at.later()
    body: Any = at.entries()[-1].decision.body
    assert "it says that its id is" in body["because"]


SIGNED: list[dict[str, Any]] = [
    {"mode": "live"},
    {"mode": "throttle", "share": 1.0},
    {"mode": "stopped", "share": 0.5},
    {"id": "../../etc/passwd"},
    {"set_at": "yesterday"},
    {"set_at": "2026-01-05T00:00:00"},
    {"set_at": "0001-01-01T00:00:00+10:00"},
    {"scope": {"version": "7"}},
    {"scope": {"version": 7, "labels": {}}},
    {"scope": {"version": "", "labels": {"region": 1}}},
    {"reason": None},
]


@pytest.mark.parametrize("changed", SIGNED)
def test_what_is_signed_must_make_sense_too(at: Desk, changed: dict[str, Any]) -> None:
    said = json.loads(written(Override("o1", "delay", "stopped", 1.0, Scope(), "x", "ana", at.now), SECRET))
    said = {**said, **changed}
    said.pop("signature")
    said["signature"] = hmac.new(SECRET.encode(), rfc8785.dumps(said), hashlib.sha256).hexdigest()
    with pytest.raises(ValueError, match="it is signed, but"):
        read(json.dumps(said).encode(), SECRET)


@pytest.mark.parametrize("key", ["", "short"])
def test_without_a_key_nothing_is_written_and_nothing_entered(
    at: Desk, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    path = pull(at)
    monkeypatch.setenv("GOV_OVERRIDE_KEY", key)
    with pytest.raises(Denied, match=r"GOV_OVERRIDE_KEY is .*secrets\.token_hex"):
        pull(at)
    at.later()
    assert at.kinds() == ["switch.override_refused"]
    monkeypatch.setenv("GOV_OVERRIDE_KEY", SECRET)
    at.later()
    assert [each.override for each in at.switch("delay").settings] == [path.stem], "once the key is there it counts"


def test_an_offline_pull_is_as_careful_as_another(at: Desk) -> None:
    for error, more in (
        (Denied, {"mode": "stopped", "confirmed": ""}),
        (InvalidDocument, {"because": " "}),
        (InvalidDocument, {"mode": "throttle", "share": 1.0}),
    ):
        with pytest.raises(error):
            pull(at, **more)
    assert not (home(at) / "overrides").exists()


def test_a_broken_folder_does_not_stop_the_beat(at: Desk) -> None:
    path = pull(at)
    (path.parent / "entered").write_text("in the way", encoding="utf-8")
    with pytest.raises(Exception, match="cannot be moved to entered"):
        at.later(MINUTE)
    assert [each.mode for each in at.switch("delay").settings] == ["fallback"]
    (path.parent / "entered").unlink()
    at.later(MINUTE)
    assert at.switch("delay").seq == 1
    assert not path.exists()
