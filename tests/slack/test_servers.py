"""What our code depends on in Slack's own client and in the servers that the tests stand it before."""

from __future__ import annotations

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from workspace.emulate import Emulated
from workspace.faults import Wrong
from workspace.server import Workspace

METADATA = {"event_type": "incident", "event_payload": {"incident": 42}}


def _client(slack: Workspace | Emulated) -> WebClient:
    return WebClient(token=slack.bot_token, base_url=slack.address, retry_handlers=[], timeout=5)


def test_a_limited_request_says_how_long_to_wait(slack: Workspace) -> None:
    slack.faults.begin(Wrong.LIMITED, "chat.*", times=1, retry_after=30)
    with pytest.raises(SlackApiError) as limited:
        _client(slack).chat_postMessage(channel="#ml-incidents", text="later")
    assert limited.value.response.status_code == 429
    assert {name.lower(): value for name, value in limited.value.response.headers.items()}["retry-after"] == "30"
    assert slack.messages() == []


def test_a_post_whose_answer_is_lost_was_posted_once(slack: Workspace) -> None:
    slack.faults.begin(Wrong.UNANSWERED, "chat.*", times=1)
    with pytest.raises(OSError, match="closed connection"):
        _client(slack).chat_postMessage(channel="#ml-incidents", text="once")
    assert [message["text"] for message in slack.messages()] == ["once"]


def test_metadata_finds_a_message_again(strict_slack: Emulated) -> None:
    client = _client(strict_slack)
    channel = next(each["id"] for each in client.conversations_list()["channels"] if each["name"] == "ml-incidents")
    client.chat_postMessage(channel=channel, text="found", metadata=METADATA)
    found = client.conversations_history(channel=channel, include_all_metadata=True)["messages"]
    assert [message["metadata"] for message in found if message["text"] == "found"] == [METADATA]
