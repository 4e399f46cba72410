"""Services by Apprise's addresses; the one that posts JSON stands for all, on a real HTTP server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from contract.receiving import Receiver, Reply, receiving

from governance.actions.apprise import Apprise, AppriseConfig
from governance.core.effect import Effect, Message

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # which Apprise imports
AT = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
MESSAGE = Message(7, "loan-risk", "critical", "triggered", "income is missing", "first", ("income is missing",), (), AT)
EFFECT = Effect("7-1-chat", 7, 1, "chat", MESSAGE, next_at=AT)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        monkeypatch.setenv("CHAT_URL", found.address.replace("http://", "json://user:s3cret@"))
        yield found


def chat(link: str = "") -> Apprise:
    return Apprise.configured(AppriseConfig(address_env="CHAT_URL", link=link), Path())


def test_a_message_is_sent_as_text(receiver: Receiver) -> None:
    receipt = chat("https://gov.example.org/incidents/{incident}").perform(EFFECT)
    assert (receipt.delivered, receipt.detail) == (True, "accepted")
    (got,) = receiver.got
    assert (got.json["title"], got.json["type"]) == ("INC-7 loan-risk", "failure")
    assert got.json["message"].startswith("▲ critical opened: income is missing\n")
    assert "https://gov.example.org/incidents/7" in got.json["message"]


def test_an_end_is_told_as_one(receiver: Receiver) -> None:
    chat().perform(replace(EFFECT, message=replace(MESSAGE, reason="resolved", status="resolved")))
    assert receiver.got[0].json["type"] == "success"


def test_text_from_outside_calls_nobody(receiver: Receiver) -> None:
    hostile = "<!channel> @everyone <@U123> :boom: \\n"
    chat().perform(replace(EFFECT, message=replace(MESSAGE, title=hostile, model=hostile)))
    said = receiver.got[0].json["message"] + receiver.got[0].json["title"]
    for each in ("<!", "@everyone", "<@", "@U123"):
        assert each not in said
    assert ":boom: \\n" in said, "it is text, and nothing is made of it"


def test_why_it_was_not_taken_is_said_without_the_credentials(receiver: Receiver) -> None:
    receiver.script = [Reply(500)]
    receipt = chat().perform(EFFECT)
    assert not receipt.delivered
    assert "error=500" in receipt.detail
    assert "s3cret" not in receipt.detail


def test_no_redirect_is_followed(receiver: Receiver) -> None:
    receiver.script = [Reply(307, {"Location": receiver.address})]
    assert not chat().perform(EFFECT).delivered
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("address", "said"),
    [("", "is not set"), ("nonsense://x", "no address that Apprise knows"), ("syslog://", "no address")],
)
def test_an_address_that_reaches_nobody(address: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_URL", address)
    receipt = chat().perform(EFFECT)
    assert (receipt.delivered, said in receipt.detail) == (False, True)
