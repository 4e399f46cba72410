"""Slack is slow, refuses, breaks or is away: nothing is lost, doubled or out of order, and nobody else waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from slack_sdk import WebClient
from workspace.emulate import Emulated
from workspace.faults import Wrong
from workspace.server import Workspace, text_of
from workspace.world import World, outbox_of, person, world

from governance.engine import operations
from governance.engine.timeline import timeline
from governance.slack.thread import told
from governance.store import incidents

FIVE = tuple(f"model-{number}" for number in range(5))
CHANGES = 200


@pytest.fixture(autouse=True)
def _credentials(_one_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in _one_workspace.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def here(slack: Workspace, tmp_path: Path) -> Iterator[World]:
    made = world(tmp_path, slack, *FIVE)
    yield made
    made.engine.database.close()


def test_a_limit_of_half_a_minute_only_makes_it_late(here: World, slack: Workspace) -> None:
    slack.faults.begin(Wrong.LIMITED, "chat.*", times=1, retry_after=30)
    here.judge(0.9, FIVE[0])
    assert here.tell() >= 30
    assert len(slack.messages()) == 1
    assert [call.status for call in slack.calls("chat.postMessage")] == [429, 200], (
        "it waited as long as it was asked to"
    )


def test_errors_of_the_server_lose_nothing(here: World, slack: Workspace) -> None:
    slack.faults.begin(Wrong.BROKEN, "chat.*", times=3)
    here.judge(0.9, FIVE[0])
    here.tell()
    assert [call.status for call in slack.calls("chat.postMessage")] == [500, 500, 500, 200]
    assert len(slack.messages()) == 1


def test_after_an_outage_each_incident_is_one_message_in_its_final_state_above_its_whole_story(
    here: World, slack: Workspace
) -> None:
    here.judge(0.9, FIVE[0])
    here.tell()
    with slack.faults.during(Wrong.DROPPED):
        _changes(here)
    here.now += timedelta(minutes=10)
    here.tell()
    with here.engine.database.read() as connection:
        known = incidents.listed(connection)
    shown = {message["text"].split(" · ")[1]: message for message in slack.messages()}
    assert len(shown) == len(slack.messages()) == len(known) == len(FIVE)
    for incident in known:
        message = shown[f"INC-{incident.id}"]
        assert f"{incident.status}, lead {incident.lead or 'nobody'}" in message["text"]
        lines = [f"entry {line.seq}" for line in told(timeline(here.engine, incident.id))]
        assert lines == [part for part in _words(text_of([reply["blocks"] for reply in slack.thread(message)])) if part]


def test_the_console_does_not_wait_for_slack(
    slack: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notifiers = {"slack": slack.settings(), "screen": {"kind": "console"}}
    here = world(tmp_path, slack, FIVE[0], notifiers=notifiers)
    with slack.faults.during(Wrong.DROPPED):
        here.judge(0.9, FIVE[0])
        here.outbox.step(here.now)
        assert FIVE[0] in capsys.readouterr().out, "what goes elsewhere was told while Slack is away"
        assert slack.messages() == []
    here.engine.database.close()


def test_posts_whose_answers_are_lost_are_made_once_also_by_an_engine_that_died(
    strict_slack: Emulated, tmp_path: Path
) -> None:
    here = world(tmp_path, strict_slack, FIVE[0])
    strict_slack.faults.begin(Wrong.UNANSWERED, "chat.postMessage", times=1)
    here.judge(0.9, FIVE[0])
    here.outbox.step(here.now)
    here.outbox = outbox_of(here.engine, strict_slack, [here])  # the engine died before it could note the post
    here.tell()
    strict_slack.faults.begin(Wrong.UNANSWERED, "chat.postMessage", times=1)
    operations.acknowledge(here.engine, 1, actor=person("ann"), at=here.now)
    here.tell()
    client = WebClient(token=strict_slack.bot_token, base_url=strict_slack.address)
    channel = next(each["id"] for each in client.conversations_list()["channels"] if each["name"] == "ml-incidents")
    found = [each for each in client.conversations_history(channel=channel)["messages"] if "INC-1" in each["text"]]
    assert len(found) == 1
    replies = client.conversations_replies(channel=channel, ts=found[0]["ts"])["messages"][1:]
    assert ["took it" in each["text"] for each in replies] == [True]
    here.engine.database.close()


def _changes(here: World) -> None:
    """Change the incidents many times, by people and by the metric, while the worker tries on."""
    for each in FIVE[1:]:
        here.judge(0.9, each)
    for number in range(CHANGES):
        incident = number % len(FIVE) + 1
        if number < CHANGES - len(FIVE):
            text = f"note {number}"
            operations.note(here.engine, incident, actor=person("bob"), at=here.now, text=text)
        else:
            operations.resolve(here.engine, incident, actor=person("ann"), at=here.now, because="mended")
        here.now += timedelta(seconds=1)
        if number % 20 == 0:
            here.outbox.step(here.now)
            here.ticks += 60


def _words(text: str) -> list[str]:
    """Return the numbers of the entries that a thread tells, in the order in which it does."""
    return [f"entry {line.rpartition('entry ')[2].strip()}" for line in text.splitlines() if "entry " in line]
