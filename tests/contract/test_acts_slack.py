"""What a step posts in Slack: text and nothing else, where it says, by the app of the organisation's notifier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.acts.case import SECRET
from contract.acts.slack_case import SlackCase
from contract.acts.world import world

from governance import bootstrap, plugins
from governance.core.organisation import Organisation
from governance.policies import policies
from governance.settings import Settings
from governance.slack.system import SlackSystem


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackCase]:
    monkeypatch.setenv("CASE_SECRET", SECRET)
    with world() as server:
        yield SlackCase(server)


def test_what_is_posted_is_text_in_its_lines_and_carries_the_key(case: SlackCase) -> None:
    done = case.system.perform(case.request("post", text="*back* <!channel> & up\n<https://evil.example|ok>"))
    (message,) = case.api.messages["C0TRAVEL"]
    assert (done.state, done.outputs) == ("done", {"channel": "C0TRAVEL", "ts": message["ts"]})
    said = message["blocks"][0]["text"]["text"]
    assert said.splitlines()[1] == "&lt;https://evil.example|ok&gt;"
    assert "<!channel>" not in said
    assert "*" not in said
    assert message["metadata"]["event_payload"] == {"key": "act-RUN-12/roll-back/1"}


def test_without_a_channel_it_is_that_of_the_notifier(case: SlackCase) -> None:
    assert case.system.perform(case.request("post", channel=None)).outputs["channel"] == "C0INCIDENTS"


def test_a_channel_that_is_none_is_found_in_the_dry_run(case: SlackCase) -> None:
    for ask in (case.system.dry_run, case.system.perform):
        found = ask(case.request("post", channel="#tarvel"))
        assert (found.state, found.again, found.detail) == ("failed", False, "Slack shows no channel #tarvel")


def test_who_may_not_read_posts_and_knows_nothing_of_a_lost_answer(case: SlackCase) -> None:
    case.api.faults = [("conversations.history", "missing_scope")] * 3
    assert case.system.perform(case.request("post")).state == "done"
    assert case.system.dry_run(case.request("post")).state == "done"
    assert case.system.read_back(case.request("post")) is None


def test_a_refusal_of_slack_is_told_in_its_word(case: SlackCase) -> None:
    case.api.faults = [("chat.postMessage", "is_archived")]
    found = case.system.perform(case.request("post"))
    assert (found.state, found.again, found.detail) == ("failed", False, "Slack refuses: is_archived")


def test_it_is_there_with_a_slack_notifier_and_posts_by_the_one_that_rules(tmp_path: Path) -> None:
    assert "slack.post" not in plugins.operations(Organisation())
    folder = tmp_path / "policies"
    folder.mkdir()

    def written(channel: str) -> None:
        notifiers = f"{{rooms: {{kind: slack, channel: '{channel}'}}}}"
        (folder / "org.yaml").write_text(f"kind: org\nnotifiers: {notifiers}\n", encoding="utf-8")

    written("#one")
    engine = bootstrap.engine(Settings(home=tmp_path / ".gov", policies=folder), base=tmp_path)
    system = engine.acts["slack"]
    assert isinstance(system, SlackSystem)
    assert system.slack is engine.notifiers["rooms"]
    same = bootstrap.ruling(policies([folder]), engine.database, tmp_path, engine)
    assert same.acts["slack"] is system
    written("#two")
    other = bootstrap.ruling(policies([folder]), engine.database, tmp_path, engine)
    found = other.acts["slack"]
    assert isinstance(found, SlackSystem)
    assert found.slack is other.notifiers["rooms"]
    assert engine.acts["slack"] is system, "the version that still rules posts as before"


def test_a_notifier_of_another_name_is_not_posted_by(case: SlackCase) -> None:
    found = SlackSystem("elsewhere").using({"rooms": case.system.slack}).perform(case.request("post"))
    assert found.detail == "org.yaml has no notifier 'elsewhere' of kind slack to post by"
