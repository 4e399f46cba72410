"""Deliveries: no notifier waits for another, what is refused is given up soon, who asks for time gets it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.delivering import PATIENCE, come, engine, states
from contract.receiving import Receiver, Reply, receiving

from governance.actions.webhook import Webhook, signature, signing_keys
from governance.core.effect import LONGEST_WAIT, MAX_REFUSALS, Effect, Message, Receipt
from governance.engine.dispatch import dispatch
from governance.store import effects

AT = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
KEY = "whsec_" + "A" * 32


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def effect(notifier: str, incident: int = 7, version: int = 1, at: datetime = AT) -> Effect:
    message = Message(incident, "loan-risk", "critical", "triggered", "income is missing", "first", (), (), at)
    return Effect(f"{incident}-{version}-{notifier}", incident, version, notifier, message, next_at=at)


@dataclass
class Ears:
    """A notifier that keeps the keys of what it hears, and hangs until it is let go."""

    go: threading.Event = field(default_factory=threading.Event)
    heard: list[str] = field(default_factory=list)

    def perform(self, told: Effect) -> Receipt:
        """Hang, and hear."""
        self.go.wait(PATIENCE)
        self.heard.append(told.key)
        return Receipt(delivered=True)


def test_a_notifier_that_hangs_delays_no_other_and_not_the_cycle(tmp_path: Path) -> None:
    hung, sound = Ears(), Ears()
    sound.go.set()
    now = datetime.now(UTC)
    due = [effect(each, version=version, at=now) for each in ("hung", "sound") for version in (1, 2)]
    built = engine(tmp_path, {"hung": hung, "sound": sound}, *due)
    reported: list[str] = []

    def told(key: str, ears: Ears) -> bool:
        reported.extend(each.key for each in dispatch(built, datetime.now(UTC)))
        return ears.heard[-1:] == [key]

    with built.lanes.apart(PATIENCE):
        come(lambda: told("7-2-sound", sound))  # each beat returns while one of them hangs, which is not asked twice
        with built.database.transaction() as connection:
            effects.add(connection, [effect("sound", incident=8, at=now)])
        come(lambda: told("8-1-sound", sound))
        assert hung.heard == []
        hung.go.set()
        come(lambda: told("7-2-hung", hung))
    told("", hung)
    assert hung.heard == ["7-1-hung", "7-2-hung"]
    assert sound.heard == ["7-1-sound", "7-2-sound", "8-1-sound"]
    assert sorted(reported) == sorted(hung.heard + sound.heard), "each is reported once"
    assert set(states(built).values()) == {"sent"}
    built.database.close()


def test_what_stops_a_lane_stops_the_next_beat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = Ears()
    sound.go.set()
    built = engine(tmp_path, {"sound": sound}, effect("sound", at=datetime.now(UTC)))

    def broken(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(effects, "save", broken)
    with built.lanes.apart(PATIENCE), pytest.raises(OSError, match="the disk is gone"):
        come(lambda: bool(dispatch(built, datetime.now(UTC))))
    monkeypatch.undo()
    with suppress(OSError):
        built.lanes.finished()
    assert states(built) == {"7-1-sound": "due"}, "what was not recorded is sent again, under the same key"
    dispatch(built, datetime.now(UTC))
    assert set(sound.heard) == {"7-1-sound"}
    assert len(sound.heard) > 1
    built.database.close()


def test_what_is_refused_is_given_up_in_minutes_and_what_follows_is_told(receiver: Receiver, tmp_path: Path) -> None:
    receiver.script = [Reply(404)] * MAX_REFUSALS
    built = engine(tmp_path, {"hook": Webhook(receiver.address)}, effect("hook"), effect("hook", version=2))
    at = AT
    while receiver.script:
        dispatch(built, at)
        at += timedelta(minutes=1)
    assert at - AT < timedelta(minutes=30)
    dispatch(built, at)
    assert states(built) == {"7-1-hook": "failed", "7-2-hook": "sent"}
    assert [each.key for each in receiver.got] == ["7-1-hook"] * MAX_REFUSALS + ["7-2-hook"]
    with built.database.read() as connection:
        (dead,) = effects.dead(connection)
    assert (dead.key, dead.receipt, dead.attempts) == ("7-1-hook", "HTTP 404", MAX_REFUSALS)
    built.database.close()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_what_passes_by_itself_is_not_refused(status: int, receiver: Receiver) -> None:
    receiver.script = [Reply(status)]
    assert Webhook(receiver.address).perform(effect("hook")) == Receipt(delivered=False, detail=f"HTTP {status}")


LATER = {"Retry-After": "Mon, 05 Jan 2026 12:32:00 GMT", "Date": "Mon, 05 Jan 2026 12:30:00 GMT"}


@pytest.mark.parametrize("headers", [{"Retry-After": "120"}, LATER], ids=["seconds", "an instant"])
def test_who_asks_for_time_is_left_alone_with_everything(
    headers: dict[str, str], receiver: Receiver, tmp_path: Path
) -> None:
    receiver.script = [Reply(429, headers)]
    due = [effect("hook", incident=number) for number in (7, 8, 9)]
    built = engine(tmp_path, {"hook": Webhook(receiver.address)}, *due)
    for seconds in (0, 1, 10, 60, 119):
        dispatch(built, AT + timedelta(seconds=seconds))
    assert len(receiver.got) == 1
    dispatch(built, AT + timedelta(seconds=120))
    assert [each.key for each in receiver.got] == ["7-1-hook", "7-1-hook", "8-1-hook", "9-1-hook"]
    built.database.close()


def test_what_is_critical_does_not_wait_behind_what_is_not(receiver: Receiver, tmp_path: Path) -> None:
    minor = replace(effect("hook").message, severity="warning")
    due = [replace(effect("hook", incident=number), message=minor) for number in (1, 2, 3, 9)]
    due[2] = replace(due[2], level=1)  # somebody is paged
    due.append(effect("hook", incident=9, version=2))
    built = engine(tmp_path, {"hook": Webhook(receiver.address)}, *due)
    dispatch(built, AT)
    assert [each.key for each in receiver.got] == ["3-1-hook", "9-1-hook", "9-2-hook", "1-1-hook", "2-1-hook"]
    built.database.close()


def test_what_becomes_critical_in_a_storm_is_told_before_its_end(tmp_path: Path) -> None:
    minor = replace(effect("ears").message, severity="warning")
    ears = Ears()
    ears.go.set()
    storm = [replace(effect("ears", incident=number), message=minor) for number in range(100, 200)]
    built = engine(tmp_path, {"ears": ears}, *storm)
    perform = ears.perform

    def heard(told: Effect) -> Receipt:
        if len(ears.heard) == 10:
            with built.database.transaction() as connection:
                effects.add(connection, [effect("ears", incident=999)])
        return perform(told)

    ears.perform = heard  # type: ignore[method-assign]
    assert len(dispatch(built, AT)) == 101
    assert ears.heard.index("999-1-ears") == 20
    built.database.close()


def test_nobody_is_left_alone_for_ever(receiver: Receiver, tmp_path: Path) -> None:
    receiver.script = [Reply(503, {"Retry-After": "999999999"})]
    built = engine(tmp_path, {"hook": Webhook(receiver.address)}, effect("hook"))
    dispatch(built, AT)
    dispatch(built, AT + LONGEST_WAIT)
    assert states(built) == {"7-1-hook": "sent"}
    built.database.close()


@dataclass
class Alone(Ears):
    """A notifier with a worker of its own."""

    DELIVERS_ITSELF = True


def test_a_notifier_that_delivers_itself_is_left_out(tmp_path: Path) -> None:
    built = engine(tmp_path, {"chat": Alone()}, effect("chat"))
    assert dispatch(built, AT) == []
    with built.database.read() as connection:
        assert [each.key for each in effects.pending_of(connection, "chat")] == ["7-1-chat"]
    built.database.close()


def test_an_answer_without_end_is_not_read_to_its_end(receiver: Receiver) -> None:
    receiver.script = [Reply(400, body="x" * 2_000_000)]
    receipt = Webhook(receiver.address).perform(effect("hook"))
    assert (receipt.detail, receipt.refused) == ("HTTP 400", True)


# signatures

SNIPPET = re.search(
    r"```python\n(.*?)```", (Path(__file__).parents[2] / "docs/notifiers.md").read_text(encoding="utf-8"), re.DOTALL
)


def verify(*arguments: object) -> bool:
    """Verify as the documentation says."""
    assert SNIPPET is not None
    names: dict[str, Any] = {}
    exec(SNIPPET[1], names)  # noqa: S102 (our own documentation)
    return bool(names["is_genuine"](*arguments))


def test_a_signed_message_is_proved_by_what_the_documentation_says(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_KEY", f"{KEY} whsec_{'B' * 32}")
    assert Webhook(receiver.address, signed_by="HOOK_KEY").perform(effect("hook")).delivered
    (got,) = receiver.got
    assert got.headers["webhook-id"] == got.key == "7-1-hook"
    for key in (KEY, "whsec_" + "B" * 32):
        assert verify(key, got.headers, got.content)
    assert not verify("whsec_" + "C" * 32, got.headers, got.content)
    assert not verify(KEY, got.headers, got.content.replace(b"critical", b"info"))
    assert not verify(KEY, {**got.headers, "webhook-id": "8-1-hook"}, got.content)


def test_an_old_message_is_no_proof(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", KEY)
    hook = Webhook(receiver.address, signed_by="HOOK_KEY", clock=lambda: time.time() - 301)
    assert hook.perform(effect("hook")).delivered
    assert not verify(KEY, receiver.got[0].headers, receiver.got[0].content)


@pytest.mark.parametrize("key", ["", "whsec_AAAA", "whsec_not base64!", f"{KEY} nonsense"])
def test_nothing_is_sent_unsigned(key: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", key)
    receipt = Webhook(receiver.address, signed_by="HOOK_KEY").perform(effect("hook"))
    assert not receipt.delivered
    assert "HOOK_KEY holds no key" in receipt.detail
    assert receiver.got == []


def test_a_signature_is_that_of_the_published_example() -> None:
    found = signature(
        signing_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_message_has_its_own_signature(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_KEY", KEY)
    hook = Webhook(receiver.address, signed_by="HOOK_KEY")
    for told in (effect("hook"), replace(effect("hook"), key="7-2-hook")):
        hook.perform(told)
    assert len({each.headers["webhook-signature"] for each in receiver.got}) == 2
