"""What Slack is told of incidents: real cycles and acts, a Web API that fails as Slack does, a clock of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from interfaces.inside import Inside, inside
from slack_organisation import CARD, ORG
from slack_web_api import WebApi, web_api

from governance.actions.slack import Slack, SlackConfig
from governance.core.effect import Contact, Effect
from governance.engine import operations
from governance.engine.queries import why
from governance.slack.outbox import Outbox
from governance.slack.pace import Pace
from governance.slack.sender import Sender
from governance.store import effects, incidents


@dataclass
class Desk:
    """An engine whose incidents are told to a workspace, step by step."""

    inside: Inside
    api: WebApi
    said: list[str] = field(default_factory=list)
    ticks: float = 0.0

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin anew, as after kill -9: nothing in memory is left."""
        config = SlackConfig(channel="#ml-incidents", address=self.api.address)
        sender = Sender("xoxb-1", self.api.address)
        pace = Pace(lambda: self.ticks)
        self.outbox = Outbox(self.inside.engine, "slack", Slack(config), sender, self.said.append, pace)

    def settle(self, seconds: int = 300) -> int:
        """Let the worker step once a second until nothing is left; return how many seconds that took."""
        for second in range(seconds):
            if not self.outbox.step(self.inside.clock.now()):
                return second
            self.ticks += 1
            self.inside.clock.on(seconds=1)
        raise AssertionError(f"still at work after {seconds} s: {self.said}")

    def later(self, seconds: float) -> None:
        """Let time go on."""
        self.ticks += seconds
        self.inside.clock.on(seconds=seconds)

    @property
    def root(self) -> dict[str, Any]:
        """The one message of the one incident."""
        (found,) = self.api.roots()
        return found

    @property
    def thread(self) -> str:
        """The text of the thread."""
        return "\n".join(each["text"] for each in self.api.replies(self.root))

    def aloud(self, message: dict[str, Any]) -> bool:
        """Tell whether a reply is seen in the channel too."""
        return message.get("reply_broadcast") in (True, "1", "true")

    def posts(self) -> int:
        """Return how many messages were asked for."""
        return sum(method == "chat.postMessage" for method, _ in self.api.calls)

    def edits(self) -> int:
        """Return how many edits were asked for."""
        return sum(method == "chat.update" for method, _ in self.api.calls)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with web_api() as api:
        made = inside(tmp_path, {"org.yaml": ORG.replace("ADDRESS", api.address), "loans.yaml": CARD})
        yield Desk(made, api)
        made.engine.database.close()


def test_a_breach_is_one_message_and_a_persons_act_is_shown_in_it_at_once(desk: Desk) -> None:
    desk.settle()
    assert desk.api.calls == [], "nothing is wrong, so Slack is not even asked"
    desk.inside.judge(0.9)
    desk.settle()
    assert desk.root["blocks"][0]["text"]["text"] == "🔴 critical · INC-1 · loans"
    assert "Errors at 0.9" in desk.root["text"]
    operations.acknowledge(desk.inside.engine, 1, actor="ana", at=desk.inside.clock.now())
    desk.settle()
    assert "acknowledged, lead ana" in desk.root["text"]
    assert "ana: took it" in desk.thread
    (told,) = why(desk.inside.engine, 1).notifications
    assert (told.state, told.notifier) == ("sent", "slack")
    assert told.receipt.startswith("shown in #ml-incidents, message 17")


def test_the_noise_of_the_engine_is_gathered_and_what_matters_is_not(desk: Desk) -> None:
    desk.inside.judge(0.3)
    desk.settle()
    before = desk.edits()
    desk.inside.judge(0.9)  # worse: at once, and the channel sees it
    desk.settle()
    assert desk.edits() == before + 1
    assert desk.root["blocks"][0]["text"]["text"].startswith("🔴 critical")
    (loud,) = [each for each in desk.api.replies(desk.root) if desk.aloud(each)]
    assert "worse, critical now" in loud["text"]
    desk.inside.judge(0.3, 0.31, 0.3)  # eased: noise
    assert desk.outbox.step(desk.inside.clock.now()), "there is something, but it waits"
    assert desk.edits() == before + 1
    desk.later(31)
    desk.settle()
    assert desk.edits() == before + 2


def test_no_message_is_posted_twice_when_the_answer_is_lost_and_the_worker_dies(desk: Desk) -> None:
    desk.inside.judge(0.9)
    desk.api.faults = [("chat.postMessage", "lost")]
    desk.outbox.step(desk.inside.clock.now())
    assert len(desk.api.roots()) == 1, "Slack took it"
    desk.restart()
    desk.settle()
    operations.note(desk.inside.engine, 1, actor="ana", text="looking", at=desk.inside.clock.now())
    desk.api.faults = [("chat.postMessage", "lost")]
    desk.outbox.step(desk.inside.clock.now())
    desk.later(1)
    desk.outbox.step(desk.inside.clock.now())
    desk.restart()
    desk.settle()
    assert len(desk.api.roots()) == 1
    assert desk.thread.count("looking") == 1


def test_an_outage_leaves_one_message_in_its_final_state_and_a_whole_thread_in_order(desk: Desk) -> None:
    desk.inside.judge(0.9)
    desk.settle()
    desk.api.down = True
    for number in range(80):
        operations.note(desk.inside.engine, 1, actor="ana", text=f"note {number:03}", at=desk.inside.clock.now())
        if number % 10 == 0:
            desk.outbox.step(desk.inside.clock.now())
            desk.later(3)
    operations.resolve(desk.inside.engine, 1, actor="bob", because="rolled back", at=desk.inside.clock.now())
    desk.later(31)
    desk.outbox.step(desk.inside.clock.now())
    waiting = [each for each in why(desk.inside.engine, 1).notifications if each.state == "due"]
    assert [each.receipt for each in waiting] == ["Slack answers HTTP 503"], "gov why says what it waits for"
    assert desk.said == ["Slack (slack): Slack answers HTTP 503"], "said once, not at every try"
    desk.api.down = False
    desk.later(31)
    assert desk.settle() < 20, "80 lines go in a few messages, one a second"
    assert desk.root["text"].startswith("✅ resolved · INC-1")
    found = [line.rpartition("note ")[2] for line in desk.thread.splitlines() if "note " in line]
    assert found == [f"{number:03}" for number in range(80)]
    assert "resolved: rolled back" in desk.thread.splitlines()[-1]
    assert all(each.state == "sent" for each in why(desk.inside.engine, 1).notifications)
    assert desk.said[-1] == "Slack (slack) is told again"


def test_a_limit_is_obeyed_for_as_long_as_slack_asks_and_nothing_is_lost(desk: Desk) -> None:
    desk.inside.judge(0.9)
    desk.api.faults = [("*", 429)]
    desk.outbox.step(desk.inside.clock.now())
    asked = len(desk.api.calls)
    for _ in range(29):
        desk.later(1)
        desk.outbox.step(desk.inside.clock.now())
    assert len(desk.api.calls) == asked, "it said 30 s"
    desk.later(2)
    desk.settle()
    assert desk.root["text"].startswith("🔴 critical")
    assert desk.said == [], "that is no trouble"


def test_at_most_one_message_a_second_and_channel(desk: Desk) -> None:
    desk.inside.judge(0.9)
    for number in range(5):
        operations.note(desk.inside.engine, 1, actor="ana", text=f"{number}", at=desk.inside.clock.now())
        asked = len(desk.api.calls)
        desk.outbox.step(desk.inside.clock.now())
        desk.outbox.step(desk.inside.clock.now())
        assert len(desk.api.calls) <= asked + 1
        desk.later(1)
    desk.settle()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("invalid_auth", "Slack refuses: invalid_auth"),
        ("not_in_channel", "Slack refuses: not_in_channel for #ml-incidents; invite the app: /invite in that channel"),
        ("missing_scope", "Slack refuses: missing_scope; install the app again with docs/slack-manifest.yaml"),
    ],
)
def test_what_a_person_must_mend_is_said_once_and_tried_once_a_minute(desk: Desk, code: str, said: str) -> None:
    desk.inside.judge(0.9)
    desk.api.faults = [("chat.postMessage", code)] * 2
    for _ in range(59):
        desk.outbox.step(desk.inside.clock.now())
        desk.later(1)
    assert desk.posts() == 1
    assert desk.said == [f"Slack (slack): {said}"]
    assert [each.receipt for each in why(desk.inside.engine, 1).notifications] == [said]
    desk.later(1)
    desk.settle()
    assert desk.posts() >= 3
    assert desk.root["text"].startswith("🔴 critical")


def test_a_message_that_somebody_deleted_is_posted_again_while_it_is_open(desk: Desk) -> None:
    desk.inside.judge(0.9)
    desk.settle()
    desk.api.messages["C0INCIDENTS"].clear()
    operations.acknowledge(desk.inside.engine, 1, actor="ana", at=desk.inside.clock.now())
    desk.settle()
    assert "acknowledged, lead ana" in desk.root["text"]


def test_blocks_that_slack_does_not_take_are_told_as_plain_text(desk: Desk) -> None:
    desk.inside.judge(0.9)
    desk.api.faults = [("chat.postMessage", "invalid_blocks")]
    desk.settle()
    assert "blocks" not in desk.root
    assert "Errors at 0.9" in desk.root["text"]


def test_a_page_mentions_who_is_called_and_says_who_cannot_be(desk: Desk) -> None:
    desk.inside.judge(0.9)
    desk.settle()
    _page(desk, "1-1-slack-1-0", Contact("ana", slack="U0ANA"), Contact("bob"))
    desk.settle()
    (called,) = [each for each in desk.api.replies(desk.root) if "U0ANA" in each["text"]]
    assert called["text"].startswith("<@U0ANA> bob 🔴 critical · INC-1 · loans: Errors at 0.9")
    assert desk.aloud(called)
    told = _effect(desk, "1-1-slack-1-0")
    assert told.state == "sent"
    assert "called in the thread of INC-1 in #ml-incidents; no id in Slack is known of bob" in told.receipt


def test_a_page_whose_answer_was_lost_calls_nobody_twice(desk: Desk) -> None:
    desk.inside.judge(0.9)
    desk.settle()
    _page(desk, "1-1-slack-1-0", Contact("ana", slack="U0ANA"))
    desk.api.faults = [("chat.postMessage", "lost")]
    desk.outbox.step(desk.inside.clock.now())
    desk.restart()
    desk.settle()
    assert desk.thread.count("U0ANA") == 1
    assert _effect(desk, "1-1-slack-1-0").state == "sent"


def test_a_hand_over_is_a_direct_message(desk: Desk) -> None:
    desk.inside.judge(0.9)
    desk.settle()
    _page(desk, "handover-1", Contact("ana", slack="U0ANA"), incident=0)
    desk.settle()
    (called,) = desk.api.messages["DU0ANA"]
    assert called["text"].startswith("<@U0ANA>")
    assert _effect(desk, "handover-1").receipt == "called by direct message"


def test_who_has_no_id_in_slack_was_not_reached(desk: Desk) -> None:
    desk.inside.judge(0.9)
    desk.settle()
    _page(desk, "1-1-slack-1-0", Contact("bob"))
    desk.settle()
    assert "bob" in desk.thread, "the channel sees at least who is wanted"
    assert _effect(desk, "1-1-slack-1-0").state == "failed"


def _page(desk: Desk, key: str, *to: Contact, incident: int = 1) -> None:
    with desk.inside.engine.database.transaction() as connection:
        found = effects.of_incident(connection, 1)[0]
        version = incidents.get(connection, 1).version
        at = desk.inside.clock.now()
        effects.add(
            connection,
            [Effect(key, incident, version, "slack", found.message, next_at=at, to=to, level=1, rule="level 1 of x")],
        )


def _effect(desk: Desk, key: str) -> Effect:
    with desk.inside.engine.database.read() as connection:
        (found,) = [each for number in (0, 1) for each in effects.of_incident(connection, number) if each.key == key]
    return found
