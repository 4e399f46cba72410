"""The message of an incident: what it says in each state, that its buttons follow, and that it keeps Slack's limits."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from governance.core.authority import ACTS as AUTHORITY
from governance.slack import handlers
from governance.slack.acts import ACTS, MORE, SlackAct, clicked, value_of
from governance.slack.message import drawn, fallback
from governance.slack.shown import Change, Shown
from governance.views import FindingView, IncidentView

AT = datetime(2026, 1, 31, 12, 4, tzinfo=UTC)


def finding(summary: str = "recall is 0.54, below 0.60", **more: Any) -> FindingView:
    given = {"severity": "critical", "peak": "critical", "labels": {}, "ended": None} | more
    return FindingView(
        rule="recall-low", kind="condition", summary=summary, since=AT, times=1, basis="", values={}, story=[], **given
    )


def incident(**more: Any) -> IncidentView:
    given: dict[str, Any] = {
        "id": 42,
        "model": "flight-delay",
        "status": "triggered",
        "severity": "critical",
        "peak": "critical",
        "title": "recall is 0.54, below 0.60",
        "opened_at": AT,
        "changed_at": AT,
        "resolved_at": None,
        "acknowledged_by": "",
        "resolved_by": "",
        "reopened": 0,
        "version": 7,
        "findings": [finding()],
    }
    return IncidentView(**{**given, **more})


SHOWN = Shown(
    incident(),
    environment="production",
    rule="recall-low of travel-pack (policies/packs/travel.yaml:12)",
    runbook="roll-back (step 3 of 6)",
    escalation="level 1 of travel-oncall",
    escalates_at=AT + timedelta(minutes=10),
    can_escalate=True,
    last=Change(AT, "engine", "opened: recall is 0.54", 815),
)
ACKNOWLEDGED = replace(SHOWN, incident=incident(status="acknowledged", acknowledged_by="bob"), lead="bob")
MITIGATED = replace(SHOWN, incident=incident(status="mitigated"), mode="fallback", switch="in fallback")
RESOLVED = replace(
    SHOWN, incident=incident(status="resolved", resolved_at=AT, findings=[finding(ended=AT)]), runbook=""
)
STOPPED = replace(RESOLVED, mode="stopped", switch="stopped")
EDGES = ["incident.note", "incident.why"]
TAKEN = ["runbook.run", "incident.escalate", "switch.pull", *EDGES]
WHILE_OPEN = ["incident.severity", "incident.hand_over", "incident.snooze", "incident.resolve"]


@pytest.mark.parametrize(
    ("shown", "acts"),
    [
        (SHOWN, ["incident.acknowledge", *TAKEN, *WHILE_OPEN]),
        (ACKNOWLEDGED, [*TAKEN, *WHILE_OPEN]),
        (MITIGATED, ["incident.acknowledge", *TAKEN, *WHILE_OPEN]),
        (replace(SHOWN, runbook="", can_escalate=False), ["incident.acknowledge", "switch.pull", *EDGES, *WHILE_OPEN]),
        (replace(ACKNOWLEDGED, snoozed=True), [*TAKEN, *[each for each in WHILE_OPEN if "snooze" not in each]]),
        (replace(ACKNOWLEDGED, has_switch=False), [*[each for each in TAKEN if each != "switch.pull"], *WHILE_OPEN]),
        (RESOLVED, EDGES),
        (STOPPED, ["switch.pull", *EDGES]),
        (replace(SHOWN, incident=incident(status="merged")), EDGES),
    ],
)
def test_the_buttons_follow_the_state(shown: Shown, acts: list[str]) -> None:
    assert sorted(_offered(shown)) == sorted(acts)


def test_the_message_says_what_a_phone_must_show() -> None:
    said = drawn(SHOWN)
    kinds = [each["type"] for each in said.blocks]
    assert kinds == ["header", "section", "section", "actions", "context"]
    assert said.blocks[0]["text"]["text"] == "🔴 critical · INC-42 · flight-delay"
    assert said.blocks[1]["text"]["text"].startswith("*recall is 0.54, below 0.60* (since <!date^")
    fields = " ".join(each["text"] for each in said.blocks[2]["fields"])
    for each in (
        "*Status*\ntriggered",
        "*Lead*\nnobody yet",
        "*Kill switch*\nlive",
        "roll-back (step 3 of 6)",
        "level 1",
    ):
        assert each in fields
    assert "next <!date^" in fields
    assert "engine" in str(said.blocks[4])
    assert "entry 815" in str(said.blocks[4])


def test_the_fallback_is_complete() -> None:
    assert fallback(replace(SHOWN, lead="bob")) == (
        "🔴 critical · INC-42 · flight-delay: recall is 0.54, below 0.60 · rule recall-low of travel-pack "
        "(policies/packs/travel.yaml:12) · triggered, lead bob · kill switch live · runbook roll-back (step 3 of 6) · "
        "escalation level 1 of travel-oncall · opened 2026-01-31 12:04 UTC · last change: opened: recall is 0.54 "
        "(engine, entry 815)"
    )
    assert fallback(RESOLVED).startswith("✅ resolved · INC-42")


def test_more_findings_than_fit_are_counted() -> None:
    many = [finding(f"recall of {each} is low", labels={"segment": f"s{each}"}) for each in range(20)]
    said = str(drawn(replace(SHOWN, incident=incident(findings=many))).blocks)
    assert "critical: recall of 1 is low {segment=s1}" in said
    assert "and 14 more, not shown here: gov incidents show 42" in said


OUTSIDE = st.lists(
    st.sampled_from(["<!channel>", "@here ", "<@U1>", "<http://x|y>", "*b*", "&lt;", "`", "x" * 900, "{", '"', "\n"])
    | st.text(max_size=5),
    max_size=10,
).map("".join)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_comes_from_outside_the_message_is_valid_and_says_nothing_else(data: st.DataObject) -> None:
    def text() -> str:
        return data.draw(OUTSIDE)

    shown = Shown(
        incident(
            model=text(),
            title=text(),
            status=data.draw(st.sampled_from(["triggered", "acknowledged", "mitigated", "resolved"])),
            findings=[
                finding(text(), labels={text(): text()}, remedy=text())
                for _ in range(data.draw(st.sampled_from([0, 1, 9])))
            ],
        ),
        environment=text(),
        rule=text(),
        lead=text(),
        switch=text(),
        runbook=text(),
        escalation=text(),
        last=Change(AT, text(), text(), 1),
    )
    said = drawn(shown)
    _check_limits(said.blocks)
    assert 0 < len(said.text) <= 4000
    for each in [said.text, *_texts(said.blocks)]:
        ours = re.sub(r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|[\d: -]+ UTC>", "", each)
        assert not re.search(r"<[!@#h]|@(channel|here|everyone)", ours, re.IGNORECASE), each


@pytest.mark.parametrize("act", ACTS, ids=lambda each: each.id)
def test_every_act_of_the_table_can_be_clicked(act: SlackAct) -> None:
    value = value_of(act, SHOWN)
    assert len(value) <= 150
    found = clicked(MORE if act.menu else act.id, value)
    assert (found.act, found.incident, found.version) == (act.id, 42, 7)
    assert len(act.label) <= 75


@pytest.mark.parametrize("act", ACTS, ids=lambda each: each.id)
def test_every_act_of_the_table_is_handled(act: SlackAct) -> None:
    assert act.id in handlers.CLICKS


@pytest.mark.parametrize("act", ACTS, ids=lambda each: each.id)
def test_every_act_is_named_as_authority_names_it(act: SlackAct) -> None:
    if act.id not in ("incident.why", "runbook.run"):  # the one reads, the other shows what it would do
        assert act.id in AUTHORITY


@pytest.mark.parametrize("value", ["", "{}", "[]", '{"incident": "x", "version": 1}', "null", '{"incident": 1}'])
def test_a_forged_value_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not the value"):
        clicked("incident.acknowledge", value)
    with pytest.raises(ValueError, match="no button does"):
        clicked("model.delete", '{"incident": 1, "version": 1}')


def _offered(shown: Shown) -> list[str]:
    row = next((each for each in drawn(shown).blocks if each["type"] == "actions"), {"elements": []})
    ids = [each["action_id"] for each in row["elements"]]
    assert len(ids) == len(set(ids))
    menu = [option["value"] for each in row["elements"] for option in each.get("options", [])]
    return [each for each in ids if each != MORE] + [json.loads(each)["act"] for each in menu]


def _check_limits(blocks: list[dict[str, Any]]) -> None:
    assert len(blocks) <= 50
    for each in Block.parse_all(blocks):
        each.validate_json()
    for each in blocks:
        if each["type"] == "header":
            assert 0 < len(each["text"]["text"]) <= 150
        assert len(each.get("fields", [])) <= 10
        for text in _texts([each]):
            assert 0 < len(text) <= 3000
        for field in each.get("fields", []):
            assert len(field["text"]) <= 2000
        assert len(each.get("elements", [])) <= 25


def _texts(blocks: Any) -> list[str]:
    if isinstance(blocks, dict):
        own = [value for name, value in blocks.items() if name == "text" and isinstance(value, str)]
        return own + [text for value in blocks.values() for text in _texts(value)]
    return [text for each in blocks for text in _texts(each)] if isinstance(blocks, list) else []


def test_the_value_of_now_is_said_beside_that_with_which_it_began_and_of_when_it_is() -> None:
    change = "psi is 0.33 now, 0.261 when it began"
    moved = finding(now={"metrics.psi": 0.33}, now_at=AT + timedelta(minutes=7), change=change)
    shown = drawn(replace(SHOWN, incident=incident(findings=[moved])))
    stamp = int((AT + timedelta(minutes=7)).timestamp())
    assert f"As of <!date^{stamp}" in str(shown.blocks)
    assert change in str(shown.blocks)
    assert f"{change} (as of {AT + timedelta(minutes=7):%H:%M} UTC)" in shown.text
    assert "As of" not in str(drawn(SHOWN).blocks)
    closed = drawn(replace(RESOLVED, incident=incident(status="resolved", resolved_at=AT, findings=[moved])))
    assert change not in closed.text, "nobody judges what is over"
