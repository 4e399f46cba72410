"""What people do in Slack, end to end: a server of others, its socket, the engine, and the message again."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Thread

import pytest
from workspace.live import Live, live
from workspace.server import Workspace, text_of, wait

from governance.core.authority import Actor
from governance.engine import operations
from governance.slack import linking

MODELS = ("first", "double", "again", "looking", "switched", "linked", "noted", "lost", "one", "other")


@pytest.fixture(scope="module")
def desk(_one_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    _one_workspace.reset()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _one_workspace.environment.items():
            patch.setenv(name, value)
        with live(tmp_path_factory.mktemp("people"), _one_workspace, *MODELS) as running:
            yield running


def test_a_click_takes_the_incident_and_the_message_and_its_thread_show_who(desk: Live) -> None:
    message = desk.breach("first")
    assert "critical" in message["text"]
    assert "first: Errors at 0.9" in message["text"]
    desk.slack.click("ann", message, "incident.acknowledge")
    after = desk.shown(message, "lead ann")
    assert "acknowledged" in after["text"]
    assert "incident.acknowledge" not in str(after["blocks"]), "the button that is of no use any more is gone"
    lines = wait(lambda: desk.slack.thread(message), "the thread")
    assert "took it" in text_of(lines)


def test_of_two_clicks_at_once_one_counts_and_the_other_is_told_who_was_first(desk: Live) -> None:
    message = desk.breach("double")
    start = Barrier(2)

    def click(name: str) -> None:
        start.wait()
        desk.slack.click(name, message, "incident.acknowledge")

    both = [Thread(target=click, args=(name,)) for name in ("ann", "bob")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    after = desk.shown(message, "acknowledged")
    first = "ann" if "lead ann" in after["text"] else "bob"
    other = {"ann": "bob", "bob": "ann"}[first]
    told = wait(lambda: desk.slack.told(other), f"what {other} is told")
    assert "acknowledged" in text_of(told[-1])
    assert first in text_of(told[-1])
    number = _number(message)
    taken = [each for each in _entries(desk, number) if each == "incident.acknowledged"]
    assert len(taken) == 1


def test_an_envelope_that_comes_twice_is_done_once(desk: Live) -> None:
    message = desk.breach("again")
    desk.slack.click("ann", message, "incident.note")
    desk.slack.wait_for_modal("Note")
    desk.slack.submit("ann", text="looked at the upstream")
    wait(lambda: "incident.noted" in _entries(desk, _number(message)), "the note")
    submitted = next(each for each in reversed(desk.slack.proxy.envelopes) if "view_submission" in str(each))
    desk.slack.proxy.deliver(submitted)
    desk.slack.click("ann", message, "incident.acknowledge")  # comes after the second one, over the same socket
    desk.shown(message, "lead ann")
    assert _entries(desk, _number(message)).count("incident.noted") == 1


def test_who_may_not_is_told_who_may(desk: Live) -> None:
    message = desk.breach("looking")
    desk.slack.click("cy", message, "incident.acknowledge")
    wait(lambda: desk.slack.modal and "may" in text_of(desk.slack.modal) and desk.slack.modal, "the refusal")
    said = text_of(desk.slack.modal)
    assert "it needs the role responder" in said
    assert "<@U0ANN>, <@U0BOB>, dee" in said
    assert "incident.acknowledged" not in _entries(desk, _number(message))


def test_the_kill_switch_is_pulled_in_a_window_and_serving_processes_see_it(desk: Live) -> None:
    message = desk.breach("switched")
    assert _served(desk) is True
    desk.slack.click("ann", message, "switch.pull")
    window = desk.slack.wait_for_modal("schedule")
    assert "switched" in text_of(window)
    desk.slack.submit("ann")
    wait(lambda: desk.inside.log("switch.pulled") or None, f"the pull; {desk.said}; {text_of(desk.slack.modal)}")
    wait(lambda: not _served(desk), "serving processes see it")
    desk.shown(message, "kill switch in fallback")


def test_several_are_pulled_in_a_window_that_shows_which_and_asks_for_what_it_says(desk: Live) -> None:
    desk.slack.type("cy", "/gov pull one other fallback")
    refused = desk.slack.wait_for_modal("may not pull kill switches")
    assert "*Who may:* <@U0ANN>, <@U0BOB>, dee" in text_of(refused)
    desk.slack.type("ann", "/gov pull one team=ml")
    wait(
        lambda: "say which models and then what to set: throttle" in text_of(desk.slack.told("ann")), "what is missing"
    )
    desk.slack.type("ann", "/gov pull team=ml throttle 25% 4h")
    assert "Type throttle " in text_of(desk.slack.wait_for_modal("team=ml"))
    desk.slack.type("ann", "/gov pull one other fallback")
    window = desk.slack.wait_for_modal("fallback 2")
    said = text_of(window)
    assert "2 to fallback" in said
    assert "• one (tier 2): live → fallback" in said
    assert "ann is responder of one" in said
    desk.slack.submit("ann", because="clicks are corrupt", confirm="fallback 3")
    assert desk.inside.log("switch.batch_pulled") == []
    desk.slack.submit("ann", because="clicks are corrupt", confirm="fallback 2")
    outcome = desk.slack.wait_for_modal("2 pulled")
    assert "gov switch restore --batch BATCH-" in text_of(outcome)
    (batch,) = desk.inside.log("switch.batch_pulled")
    assert (batch["models"], batch["channel"], batch["because"]) == (["one", "other"], "slack", "clicks are corrupt")
    assert [each["channel"] for each in desk.inside.log("switch.pulled")][-2:] == ["slack", "slack"]
    desk.slack.type("ann", "/gov pull one other shadow")
    desk.slack.wait_for_modal("nothing to pull: all 2 models are restricted as much already")


def test_an_account_that_is_not_linked_is_linked_and_its_click_carried_out(desk: Live) -> None:
    message = desk.breach("linked")
    desk.slack.click("dee", message, "incident.acknowledge")
    window = desk.slack.wait_for_modal("gov slack link")
    code = text_of(window).split("gov slack link ")[1][:9]
    link, found, _ = linking.confirm(desk.engine, code, actor=Actor("dee"), at=desk.inside.clock.now())
    desk.inbound.linked(link, found)
    desk.shown(message, "lead dee")


def test_what_people_write_is_shown_as_they_wrote_it_and_calls_nobody(desk: Live) -> None:
    hostile = "<!channel> <!here|x> @channel <@U0BOB> *bold* <https://example.org|click> & <b>"
    message = desk.breach("noted")
    desk.slack.proxy.calls.clear()
    at = desk.inside.clock.now()
    operations.note(desk.engine, _number(message), actor=Actor("ann", channel="slack"), text=hostile, at=at)
    wait(lambda: "bold" in text_of(desk.slack.thread(message)), "the note in the thread")
    for call in desk.slack.calls("chat.postMessage", "chat.update"):
        said = text_of(call.args)
        assert "<!channel" not in said
        assert "<!here" not in said
        assert "<@U0BOB>" not in said
        assert "<https://example.org" not in said
        assert not call.args.get("link_names"), "which would make a call of @channel"
        assert call.args.get("parse") in (None, "none")


def test_commands_answer_whoever_typed_them_alone(desk: Live) -> None:
    desk.slack.type("bob", "/gov status")
    wait(lambda: "switched" in text_of(desk.slack.told("bob")), "the state of the fleet")
    desk.slack.type("bob", "/gov incident 1")
    wait(lambda: "INC-1" in text_of(desk.slack.told("bob")), "the incident")
    desk.slack.type("cy", "/gov nonsense")
    wait(lambda: "There is no /gov nonsense" in text_of(desk.slack.told("cy")), "what is wrong with it")


def test_the_home_of_the_app_shows_what_is_mine(desk: Live) -> None:
    home = desk.slack.open_home("ann")
    assert "INC-1" in text_of(home)


def test_a_socket_that_is_lost_comes_back_and_clicks_arrive_again(desk: Live) -> None:
    message = desk.breach("lost")
    assert desk.slack.proxy.cut() == 1
    wait(lambda: not desk.slack.proxy.connected, "the loss")
    wait(lambda: desk.slack.proxy.connected, "the socket again", seconds=60)
    wait(lambda: desk.slack.click("ann", message, "incident.acknowledge") < 5, "a click that is answered")
    desk.shown(message, "lead ann")


def _served(desk: Live) -> bool:
    answer = desk.inside.client.post("/ofrep/v1/evaluate/flags/switched.serve", json={"context": {}})
    return bool(answer.json()["value"])


def _number(message: dict[str, object]) -> int:
    return int(str(message["text"]).split("INC-")[1].split(" ")[0])


def _entries(desk: Live, number: int) -> list[str]:
    from governance.store import decision_log

    tail = decision_log.tail(desk.engine.database, 1000)
    return [each.decision.kind for each in tail if each.decision.subject.get("incident") == str(number)]
