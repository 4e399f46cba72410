"""Whatever is sent: forged and old requests are refused, and no payload breaks anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bolt.office import SECRET, Office, value
from bolt.web import until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.slack import acts, app
from governance.slack.submits import SUBMITS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=10), each, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "type",
        "user",
        "team",
        "view",
        "actions",
        "container",
        "channel",
        "trigger_id",
        "response_url",
        "event",
        "message",
    ]
)
SHAPED = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["block_actions", "view_submission", "event_callback", "url_verification", "shortcut"]),
        "user": st.one_of(JSON, st.fixed_dictionaries({"id": st.sampled_from(["U0ANA", "U0X"])})),
        "trigger_id": st.uuids().map(str),
        "actions": st.lists(
            st.fixed_dictionaries(
                {
                    "action_id": st.sampled_from([*app.CLICKS, "other"]),
                    "type": st.sampled_from(["button", "overflow", "static_select"]),
                    "value": st.one_of(JSON, st.builds(json.dumps, JSON)),
                    "selected_option": JSON,
                    "action_ts": st.text(max_size=5),
                }
            ),
            max_size=2,
        ),
        "view": st.fixed_dictionaries(
            {
                "type": st.just("modal"),
                "callback_id": st.sampled_from([*SUBMITS, "other"]),
                "private_metadata": st.one_of(st.text(max_size=20), st.builds(json.dumps, JSON)),
                "state": st.one_of(JSON, st.fixed_dictionaries({"values": JSON})),
            }
        ),
    },
    optional={"event": JSON, "container": JSON, "channel": JSON, "response_url": JSON, "event_id": st.uuids().map(str)},
)


def test_a_request_that_is_not_slacks_is_refused_by_name(at: Office) -> None:
    body = urlencode({"payload": json.dumps(at.clicked("U0ANA", "incident.acknowledge", value(at.breach())))})
    now = datetime.now(UTC)
    good = at.headers(body)
    assert at.inbound.forged(body, good, now) == ""
    assert at.inbound.forged(body, at.headers(body, secret="other"), now) == "wrong slack signature"  # noqa: S106
    assert at.inbound.forged(body + "x", good, now) == "wrong slack signature"
    assert at.inbound.forged(body, good, now + timedelta(minutes=6)) == "old slack signature"
    assert at.inbound.forged(body, {}, now) == "no slack signature"
    assert at.inbound.forged(body, {**good, "X-Slack-Request-Timestamp": "9" * 400}, now) == "old slack signature"
    for headers in ({}, at.headers(body, secret="other"), at.headers(body, at=now - timedelta(hours=1))):  # noqa: S106
        assert at.inbound.handle(body, headers).status == 401
    assert at.inbound.handle(body, at.headers(body, secret=SECRET)).status == 200


def test_the_address_is_verified_as_slack_asks(at: Office) -> None:
    answer = at.send(json.dumps({"type": "url_verification", "challenge": "c1"}), headers={"Content-Type": "text/json"})
    assert (answer.status, "c1" in answer.body) == (200, True)


def test_no_payload_breaks_anything_and_nothing_is_done_by_strangers(at: Office) -> None:
    incident = at.breach()

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(SHAPED, st.dictionaries(NAMES, JSON, max_size=6), JSON), st.booleans())
    def send(payload: Any, socket: bool) -> None:
        if socket and isinstance(payload, dict):
            answer = at.inbound.handle(payload, envelope=json.dumps(payload)[:50] or "e")
        else:
            answer = at.send(urlencode({"payload": json.dumps(payload)}))
        assert answer.status in (200, 400, 404), payload

    send()
    assert at.click("U0ANA", "incident.acknowledge", value(at.incident(incident.id))).status == 200
    at.done(incident.id, "acknowledged")


def test_a_button_of_no_table_does_nothing(at: Office) -> None:
    incident = at.breach()
    assert at.click("U0ANA", "incident.delete", value(incident)).status == 404
    at.click("U0ANA", acts.MORE, value(incident, act="incident.delete"))
    at.click("U0ANA", "incident.acknowledge", "{}")
    until(lambda: len(at.complaints) == 2)
    at.close()
    assert at.web.calls == []
    assert len(at.complaints) == 2


def test_answers_go_to_slack_alone(at: Office) -> None:
    at.inbound.desk.engine.clock.now()
    at.click(
        "U0EVE",
        "incident.acknowledge",
        value(at.breach()),
        response_url="http://127.0.0.1.evil.example/x",
        trigger_id="",
    )
    at.web.wait("chat.postEphemeral", "eve may not acknowledge incidents")
