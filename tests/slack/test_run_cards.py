"""The card of a run in its incident's thread: posted once, edited in place, and found again after a lost answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from interfaces.inside import Inside, inside
from slack_organisation import CARD, ORG
from slack_web_api import WebApi, web_api

from governance.engine import running
from governance.engine.running.driving import drive
from governance.slack.service import SlackService

CAREFUL = """
kind: runbook
runbook: careful
description: Look, ask, tell.
steps:
  - {step: look, instruct: "Look at {card.model}."}
  - {step: consent, approve: {role: responder}, text: "Shall we?"}
  - {step: wait-a-little, wait: 10m}
"""
ROOT = "C0INCIDENTS"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Inside, WebApi]]:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    with web_api() as api:
        files = {"org.yaml": ORG.replace("ADDRESS", api.address), "loans.yaml": CARD, "careful.yaml": CAREFUL}
        made = inside(tmp_path, files)
        service = SlackService(made.engine, lambda said: None)  # noqa: ARG005
        service.start()
        try:
            made.judge(0.9)
            yield made, api
        finally:
            service.stop()
            made.engine.database.close()
            assert not [each for each in threading.enumerate() if each.name == "slack"]


def _cards(api: WebApi) -> list[dict[str, Any]]:
    root = api.roots()[0]
    return [each for each in api.replies(root) if str(each["text"]).startswith("careful for")]


def _go(made: Inside, act: Callable[..., Any], who: str, **more: Any) -> None:
    act(made.engine, "RUN-1", actor=who, at=made.clock.on(seconds=1), **more)
    drive(made.engine, made.clock.now())


def test_the_card_follows_the_run_in_one_message(told: tuple[Inside, WebApi]) -> None:
    made, api = told
    running.start(made.engine, "careful", "loans", actor="ana", because="errors", at=made.clock.now(), incident=1)
    drive(made.engine, made.clock.now())
    _wait(lambda: bool(api.roots()) and bool(_cards(api)))
    (card,) = _cards(api)
    assert [each["action_id"] for each in _buttons(card)][:1] == ["runbook.tick"]
    assert "Look at loans." in str(card["blocks"])
    _wait(lambda: "careful (RUN-1): step 1 of 3" in api.roots()[0]["text"])
    _go(made, running.tick, "ana")
    _wait(lambda: "step 2 of 3" in _cards(api)[0]["text"])
    (card,) = _cards(api)
    assert [each["action_id"] for each in _buttons(card)][:2] == ["runbook.approve", "runbook.refuse"]
    assert "✓ look" in str(card["blocks"])
    assert "Who may: bob" in str(card["blocks"]), "who started it does not consent"
    _go(made, running.cancel, "bob", because="false alarm")
    _wait(lambda: "cancelled" in str(_cards(api)[0]["blocks"]))
    (card,) = _cards(api)
    assert _buttons(card) == [], "what has ended has no buttons"
    lines = [each["text"] for each in api.replies(api.roots()[0])]
    assert any("false alarm" in each for each in lines), "the thread tells it too"


def test_a_card_whose_answer_was_lost_is_not_posted_twice(told: tuple[Inside, WebApi]) -> None:
    made, api = told
    _wait(lambda: bool(api.roots()))
    running.start(made.engine, "careful", "loans", actor="ana", because="errors", at=made.clock.now(), incident=1)
    api.faults.extend([("chat.postMessage", "lost")] * 2)
    drive(made.engine, made.clock.now())
    _wait(lambda: not api.faults and bool(_cards(api)))
    _go(made, running.tick, "ana")
    _wait(lambda: "step 2 of 3" in _cards(api)[0]["text"])
    assert len(_cards(api)) == 1


def _buttons(card: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for each in card["blocks"] if each["type"] == "actions" for one in each["elements"]]


def _wait(until: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "that did not happen"
        time.sleep(0.02)
