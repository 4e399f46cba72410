"""A channel for a critical incident: made once, its people invited, marked, archived; refusals end nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from interfaces.inside import Inside, inside
from slack_organisation import CARD, ORG
from slack_web_api import WebApi, web_api

from governance.actions.slack import Slack, SlackConfig
from governance.engine import operations
from governance.slack.outbox import Outbox
from governance.slack.pace import Pace
from governance.slack.rooms import Rooms
from governance.slack.sender import Sender

Desk = tuple[Inside, WebApi, Outbox, list[str], list[float]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with web_api() as api:
        made = inside(tmp_path, {"org.yaml": ORG.replace("ADDRESS", api.address), "loans.yaml": CARD})
        sender, said, ticks = Sender("xoxb-1", api.address), list[str](), [0.0]
        slack = Slack(SlackConfig(channel="#ml-incidents", address=api.address))
        extras = [Rooms(made.engine, sender, said.append)]
        yield (
            made,
            api,
            Outbox(made.engine, "slack", slack, sender, said.append, Pace(lambda: ticks[0]), extras),
            said,
            ticks,
        )
        made.engine.database.close()


def settle(desk: Desk) -> list[str]:
    """Let all be told; return the calls about channels."""
    made, api, outbox, _, ticks = desk
    while outbox.step(made.clock.now()):
        ticks[0] += 1
        made.clock.on(seconds=1)
    return [method for method, _ in api.calls if method.startswith(("conversations.", "bookmarks."))]


def test_it_is_made_filled_marked_and_in_the_end_archived(desk: Desk) -> None:
    made, api, *_ = desk
    made.judge(0.9)
    assert settle(desk) == ["conversations.create", "conversations.invite", "bookmarks.add"]
    given = dict(api.calls)
    assert given["conversations.create"]["name"] == "inc-1-loans"
    assert given["conversations.invite"]["users"] == "U0ANA"
    assert given["bookmarks.add"]["link"].startswith("https://example.slack.com/archives/C0INCIDENTS/")
    operations.resolve(made.engine, 1, actor="ana", because="rolled back", at=made.clock.now())
    assert settle(desk)[3:] == ["conversations.archive"]


def test_a_warning_has_none(desk: Desk) -> None:
    desk[0].judge(0.3)
    assert settle(desk) == []


def test_what_slack_refuses_is_said_once_and_the_message_goes_on(desk: Desk) -> None:
    made, api, _, said, _ = desk
    api.faults = [("conversations.create", "restricted_action"), ("conversations.create", "restricted_action")]
    made.judge(0.9)
    settle(desk)
    operations.acknowledge(made.engine, 1, actor="ana", at=made.clock.now())
    assert settle(desk) == ["conversations.create"]
    assert said == ["the channel of INC-1 is not created: Slack refuses: restricted_action"]
    assert "lead ana" in api.roots()[0]["text"]


def test_a_channel_whose_answer_was_lost_is_the_one_that_is_there(desk: Desk) -> None:
    made, api, *_ = desk
    api.faults = [("conversations.create", "lost")]
    made.judge(0.9)
    assert settle(desk)[:3] == ["conversations.create", "conversations.create", "conversations.list"]
