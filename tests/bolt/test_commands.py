"""`/gov …` and the home tab: what is told, to whom, and that nothing from outside is markup."""

from __future__ import annotations

import pytest
from bolt.office import Office, value
from bolt.web import until
from switches.desk import card

from governance.slack.commands import COMMANDS, help_lines

EVIL = "<!channel> *bold* <https://evil.example|click> & @here"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("status", "*production*: 3 models, 1 critical"),
        ("status", "critical · *delay*: "),
        ("incidents", "*1 incident is open*"),
        ("incident 1", "*errors* critical: "),
        ("INCIDENT INC-1", "critical · *INC-1* · delay · triggered"),
        ("oncall", "*day*: <@U0ANA> (layer 1)"),
        ("why 1", "*pager* (first): sent, kept"),
        ("explain delay", "critical when metrics.errors > 0.5"),
        ("help", "`/gov switch MODEL` the kill switch of a model"),
        ("", "What /gov can do"),
        ("statsu", "There is no /gov statsu; did you mean"),
        ("incident", "it takes the number of an incident"),
        ("incident x", "x is no incident"),
        ("explain", "Write: `/gov explain MODEL`"),
        ("status now", "nothing follows; what is now?"),
    ],
)
def test_a_command_answers_only_whom_typed_it(at: Office, text: str, words: str) -> None:
    at.replan(schedules={"day": {"zone": "UTC", "layers": [{"people": ["ana"], "from": "2025-12-01"}]}})
    at.breach()
    assert at.type("U0ANA", text).body == ""
    told = at.web.wait("respond", _escaped(words))
    assert told.said["response_type"] == "ephemeral"


@pytest.mark.parametrize(
    "text", ["incident 99", "explain deley", "switch nothing", "why 99", "runbook delay roll-bakc"]
)
def test_what_there_is_not_is_said(at: Office, text: str) -> None:
    at.type("U0ANA", text)
    assert at.web.wait("views.open", "Not done")


def test_the_switch_of_a_model_opens_by_its_name_with_the_reason_of_its_incident(at: Office) -> None:
    at.breach()
    at.type("U0ANA", "switch delay")
    view = at.web.wait("views.open", "Kill switch").said["view"]
    assert "INC-1: " in str(view)
    at.submit("U0ANA", view)
    until(lambda: at.desk.switch("delay").seq > 0)
    assert at.desk.switch("delay").settings[0].incident == 1


def test_whoever_may_read_nothing_is_told_nothing(at: Office) -> None:
    at.replan(roles=[{"role": "viewer", "who": ["eve"]}], teams={"ops": {"members": ["eve"]}})
    at.type("U0CY", "status")
    at.web.wait("views.open", "Not allowed")
    assert at.web.of("respond") == []


def test_text_from_outside_is_text_in_every_answer(at: Office) -> None:
    at.replan(card("delay", rules=[{"rule": "errors", "when": "metrics.errors > 0.5", "summary": EVIL}]))
    incident = at.breach()
    at.type("U0ANA", "incident 1")
    at.click("U0ANA", "incident.note", value(incident))
    at.type("U0ANA", "incidents")
    at.open_home("U0ANA")
    at.web.wait("respond", count=2)
    at.web.wait("views.open")
    at.web.wait("views.publish")
    at.type("U0ANA", EVIL)
    at.web.wait("respond", "There is no /gov")
    for call in at.web.calls:
        for bad in ("<!channel", "<https://evil", "*bold*", "@here"):
            assert bad not in call.text, (call.method, bad)


def test_the_home_tab_shows_what_is_mine_and_what_waits_for_me(at: Office) -> None:
    incident = at.breach("credit")
    at.open_home("U0ANA")
    at.web.wait("views.publish", "None that you lead or work on.")
    at.click("U0ANA", "incident.acknowledge", value(incident))
    at.done(incident.id, "acknowledged")
    at.open_home("U0ANA")
    at.web.wait("views.publish", "*INC-1* · credit · acknowledged · ana")


def test_every_command_is_in_the_help() -> None:
    lines = "\n".join(help_lines())
    assert all(f"`/gov {word}" in lines for word in COMMANDS)


def _escaped(words: str) -> str:
    import json

    return json.dumps(words.replace(">", "&gt;") if "metrics" in words else words, ensure_ascii=False)[1:-1]
