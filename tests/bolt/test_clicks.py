"""What clicks do: real signed requests through bolt, a real engine, and a server that hears the answers."""

from __future__ import annotations

import threading

import pytest
from bolt.office import Office, value
from bolt.web import until
from switches.desk import card

from governance.slack import acts
from governance.slack.batch_modals import PULL as PULL_SEVERAL
from governance.slack.handlers import CLICKS
from governance.slack.run_card import RUN_ACTS
from governance.slack.submits import SUBMITS

TITLES = {
    "runbook.run": "Run a runbook",
    "incident.escalate": "Escalate",
    "switch.pull": "Kill switch",
    "incident.note": "Note",
    "incident.severity": "Change severity",
    "incident.hand_over": "Hand over",
    "incident.snooze": "Snooze",
    "incident.resolve": "Resolve",
    "incident.why": "Who was told, and why",
}


def test_each_act_of_the_table_has_a_handler_and_nothing_more() -> None:
    assert set(CLICKS) == {each.id for each in acts.ACTS}
    asks = {each.id for each in acts.ACTS if each.modal} - {"incident.why"}
    elsewhere = {"switch.refuse", PULL_SEVERAL, *(each.id for each in RUN_ACTS.values())}
    assert asks <= set(SUBMITS) <= asks | elsewhere


@pytest.mark.parametrize("act", [each.id for each in acts.ACTS if each.modal])
def test_an_act_that_asks_for_more_opens_its_modal(at: Office, act: str) -> None:
    incident = at.breach()
    if acts.BY_ID[act].menu:
        answer = at.click("U0ANA", acts.MORE, value(incident, act=act))
    else:
        answer = at.click("U0ANA", act, value(incident))
    assert (answer.status, answer.body) == (200, "")
    opened = at.web.wait("views.open").said
    assert opened["view"]["title"]["text"] == TITLES[act][:24]
    assert opened["trigger_id"].startswith("trigger-")


def test_a_click_acknowledges_and_has_the_message_drawn_anew(at: Office) -> None:
    incident = at.breach()
    assert at.click("U0ANA", "incident.acknowledge", value(incident)).status == 200
    at.done(incident.id, "acknowledged")
    until(lambda: at.drawn == [incident.id])
    entry = at.desk.entries("incident.acknowledged")[-1].decision
    assert (entry.actor, entry.body["channel"]) == ("ana", "slack")
    assert at.web.calls == []


def test_of_two_who_click_at_once_one_is_told_who_was_first(at: Office) -> None:
    incident = at.breach()
    payloads = [at.clicked(each, "incident.acknowledge", value(incident)) for each in ("U0ANA", "U0BO")]
    threads = [threading.Thread(target=at.payload, args=(each,)) for each in payloads]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    told = at.web.wait("respond", "acknowledged this")
    winner = at.incident(incident.id).acknowledged_by
    assert f"INC-{incident.id}: {winner} acknowledged this just now" in told.said["text"]
    assert told.said["response_type"] == "ephemeral"
    assert len(at.desk.entries("incident.acknowledged")) == 1
    until(lambda: at.drawn == [incident.id] * 2)


def test_what_slack_sends_again_is_done_once(at: Office) -> None:
    incident = at.breach()
    payload = at.clicked("U0ANA", "incident.acknowledge", value(incident))
    assert at.payload(payload).status == 200
    at.done(incident.id, "acknowledged")
    assert at.payload(payload).status == 200
    assert at.inbound.handle(payload, envelope="e-1").status == 200  # the same act, through the socket
    assert at.inbound.handle({**payload, "trigger_id": "another"}, envelope="e-1").status == 200
    at.close()  # whatever was still to be done is done
    assert at.web.calls == []
    assert len(at.desk.entries("incident.acknowledged")) == 1


def test_a_key_is_forgotten_after_a_day(at: Office) -> None:
    incident = at.breach()
    payload = at.clicked("U0ANA", "incident.acknowledge", value(incident))
    at.payload(payload)
    at.done(incident.id, "acknowledged")
    at.later(hours=25)
    at.payload(payload)
    at.web.wait("respond", "acknowledged this")


TWO = {
    "metrics": {"errors": {"source": "s", "query": "delay-errors"}, "lag": {"source": "s", "query": "delay-lag"}},
    "rules": [
        {"rule": "errors", "when": {"warning": "metrics.errors > 0.5", "critical": "metrics.errors > 0.95"}},
        {"rule": "lag", "when": "metrics.lag > 0.5"},
    ],
}


def test_what_the_engine_alone_changed_since_costs_nobody_a_click(at: Office) -> None:
    at.replan(card("delay", **TWO))
    incident = at.breach()
    at.desk.world.values["delay-lag"] = 0.9  # the message shows such a change up to 30 s later
    at.later()
    assert at.incident(incident.id).version == incident.version + 1
    at.click("U0ANA", "incident.acknowledge", value(incident))
    at.done(incident.id, "acknowledged")


def test_nobody_takes_what_has_become_worse_unseen(at: Office) -> None:
    at.replan(card("delay", **TWO))
    incident = at.breach()
    at.desk.world.values["delay-errors"] = 0.99
    at.later()
    at.click("U0ANA", "incident.acknowledge", value(incident))
    assert "critical" in at.web.wait("respond", "look again").said["text"]
    assert at.incident(incident.id).status == "triggered"


def test_who_may_not_is_shown_the_rule_and_who_may(at: Office) -> None:
    incident = at.breach()
    at.click("U0EVE", "incident.acknowledge", value(incident))
    shown = at.web.wait("views.open").said["view"]
    text = str(shown)
    assert shown["title"]["text"] == "Not allowed"
    assert "*eve may not acknowledge incidents.*" in text
    assert "it needs the role responder for delay" in text
    assert "<@U0ANA>, <@U0BO>, flo" in text
    (entry,) = at.desk.entries("act.refused")
    assert (entry.decision.actor, entry.decision.body["act"]) == ("eve", "incident.acknowledge")


def test_a_modal_whose_time_is_over_becomes_a_whisper(at: Office) -> None:
    incident = at.breach()
    at.web.refusing["views.open"] = "expired_trigger_id"
    at.click("U0EVE", "incident.acknowledge", value(incident))
    told = at.web.wait("respond", "eve may not acknowledge incidents").said
    assert (told["response_type"], told["replace_original"]) == ("ephemeral", False)


def test_who_may_not_is_refused_before_anything_is_filled_in(at: Office) -> None:
    incident = at.breach()
    at.click("U0EVE", acts.MORE, value(incident, act="incident.resolve"))
    at.web.wait("views.open", "may not resolve incidents")


@pytest.mark.parametrize(
    ("act", "said", "status", "kind"),
    [
        ("incident.resolve", {"because": "mended"}, "resolved", "incident.resolved"),
        ("incident.note", {"text": "<!channel> look"}, "triggered", "incident.noted"),
        ("incident.severity", {"severity": "warning", "because": "few"}, "triggered", "incident.severity_set"),
        ("incident.snooze", {"for": "4h", "because": "known"}, "triggered", "incident.snoozed"),
        ("incident.hand_over", {"to": "bo"}, "triggered", "incident.handed_over"),
    ],
)
def test_a_submitted_modal_acts_and_says_what_became_of_it(
    at: Office, act: str, said: dict[str, str], status: str, kind: str
) -> None:
    incident = at.breach()
    name = acts.MORE if acts.BY_ID[act].menu else act
    at.click("U0ANA", name, value(incident, act=act))
    view = at.web.wait("views.open").said["view"]
    answer = at.submit("U0ANA", view, **said)
    assert '"response_action": "update"' in answer.body
    shown = at.web.wait("views.update").said["view"]
    (entry,) = at.desk.entries(kind)
    assert f"entry {entry.seq} of the decision log" in str(shown)
    assert entry.decision.actor == "ana"
    assert at.incident(incident.id).status == status or act == "incident.hand_over"


def test_a_modal_that_lacks_a_reason_stays_open_and_says_so(at: Office) -> None:
    incident = at.breach()
    at.click("U0ANA", acts.MORE, value(incident, act="incident.resolve"))
    view = at.web.wait("views.open").said["view"]
    answer = at.submit("U0ANA", view, because="  ")
    assert '"response_action": "errors"' in answer.body
    assert '"because"' in answer.body
    assert at.incident(incident.id).status == "triggered"


def test_a_modal_submitted_too_late_tells_who_was_first(at: Office) -> None:
    incident = at.breach()
    at.click("U0ANA", acts.MORE, value(incident, act="incident.snooze"))
    view = at.web.wait("views.open").said["view"]
    at.click("U0BO", "incident.acknowledge", value(incident))
    at.done(incident.id, "acknowledged")
    at.submit("U0ANA", view, because="known")
    assert "bo acknowledged this" in at.web.wait("views.update").text


def test_nobody_escalates_what_has_no_policy(at: Office) -> None:
    incident = at.breach()
    at.click("U0ANA", "incident.escalate", value(incident))
    view = at.web.wait("views.open").said["view"]
    at.submit("U0ANA", view)
    assert at.web.wait("views.update").text
