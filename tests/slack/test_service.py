"""Slack beside the engine: its own thread, that follows the policies, ends cleanly, and delays nobody."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from interfaces.inside import Inside, inside
from slack_organisation import CARD, ORG
from slack_web_api import WebApi, web_api
from transcripts.workspace import Workspace

from governance.engine import operations
from governance.engine.dispatch import dispatch
from governance.slack.service import SlackService


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Inside, WebApi, list[str]]]:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    with web_api() as api:
        made = inside(tmp_path, {"org.yaml": ORG.replace("ADDRESS", api.address), "loans.yaml": CARD})
        said: list[str] = []
        service = SlackService(made.engine, said.append)
        service.start()
        try:
            yield made, api, said
        finally:
            service.stop()
            made.engine.database.close()
            assert not [each for each in threading.enumerate() if each.name == "slack"], "it ends with the engine"


def test_what_happens_is_told_by_a_thread_of_its_own(told: tuple[Inside, WebApi, list[str]]) -> None:
    made, api, said = told
    made.judge(0.9)
    assert dispatch(made.engine, made.clock.now()) == [], "the engine leaves Slack to its own worker"
    _wait(lambda: bool(api.roots()))
    operations.acknowledge(made.engine, 1, actor="ana", at=made.clock.now())
    _wait(lambda: "lead ana" in api.roots()[0]["text"])
    assert said == []


def test_gov_slack_preview_prints_the_message_without_a_workspace(tmp_path: Path) -> None:
    made = inside(tmp_path, {"org.yaml": ORG.replace("ADDRESS", "http://127.0.0.1:1/"), "loans.yaml": CARD})
    made.judge(0.9)
    operations.note(made.engine, 1, actor="ana", text="looking <!channel>", at=made.clock.now())
    made.engine.database.close()
    done = Workspace(tmp_path).ask("slack", "preview", "INC-1", "--thread")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["blocks"][0]["text"]["text"] == "🔴 critical · INC-1 · loans"
    assert "looking &lt;!channel&gt;" in shown["thread"][0]["text"]


def _wait(until: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "that did not happen"
        time.sleep(0.02)
