"""What people see and do over the HTTP API, each as far as they may."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from interfaces.inside import CARDS, Inside, inside

HARD = """
kind: card
model: scoring
tier: 1
owners: {team: t}
versions: {serving: v7, fallback: rules-2}
metrics:
  errors: {source: pushed, query: error_rate, every: 1s, stale_after: 1h}
rules: [{rule: errors-high, when: metrics.errors > 0.5}]
"""


@pytest.fixture
def api(tmp_path: Path) -> Inside:
    made = inside(tmp_path / "own", {**CARDS, "scoring.yaml": HARD})
    made.ana, made.bob, made.vic, made.out = (made.token(each) for each in ("ana", "bob", "vic", "out"))  # type: ignore[attr-defined]
    return made


def refused(answer: Any, status: int, said: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


def number_of(api: Any) -> int:
    """Return the number of the open incident of the model that the tests push for."""
    (one,) = api.as_(api.vic, "GET", "/v1/incidents?model=loans").json()["items"]
    return int(one["id"])


def test_the_fleet_is_shown_worst_first_with_the_metric_against_its_limit(api: Any) -> None:
    api.judge(0.1, 0.2, 0.9)
    fleet = api.as_(api.vic, "GET", "/v1/fleet").json()
    row = fleet["items"][0]
    assert row["model"] == "loans"
    assert (row["severity"], row["mode"], row["tier"], row["team"], row["incidents"]) == (
        "critical",
        "live",
        2,
        "t",
        [number_of(api)],
    )
    assert row["worst"] == "Errors at 0.9"
    assert row["metric"] == {
        "name": "errors", "value": 0.9, "limit": 0.5, "failing": True, "previous": 0.2, "history": [0.1, 0.2, 0.9],
    }  # fmt: skip
    assert row["judged_at"] == row["data_at"] == "2026-01-31T12:00:03Z"
    assert row["outcomes"]["fail"] == 1
    assert fleet["tallies"]["critical"] == 1
    assert fleet["tallies"]["not_live"] == 0
    assert fleet["environment"] == "production"


HALF_BLIND = """
kind: card
model: loans
owners: {team: t, accountable: ana}
metrics:
  errors: {source: pushed, query: error_rate, every: 1s, stale_after: 1h}
  drift: {source: pushed, query: drift, every: 1s, stale_after: 1h}
rules:
  - {rule: errors-high, when: metrics.errors > 0.5, severity: info}
  - {rule: drifts, when: metrics.drift > 0.5, no_data: {then: THEN, for: 10m}}
"""


@pytest.mark.parametrize(
    ("then", "errors", "seen"),
    [("alert", 0.1, "unknown"), ("alert", 0.9, "unknown"), ("keep", 0.1, "unknown"), ("ok", 0.1, "none")],
)
def test_a_model_of_which_a_rule_lacks_its_data_is_not_healthy(
    tmp_path: Path, then: str, errors: float, seen: str
) -> None:
    api = inside(tmp_path / "own", {**CARDS, "loans.yaml": HALF_BLIND.replace("THEN", then)})
    vic = api.token("vic")
    api.judge(errors)
    fleet = api.as_(vic, "GET", "/v1/fleet").json()
    (row,) = [each for each in fleet["items"] if each["model"] == "loans"]
    assert row["severity"] == seen
    assert row["outcomes"]["no_data"] == 1


def test_the_fleet_comes_in_pages(api: Any) -> None:
    api.judge(0.9)
    whole = [each["model"] for each in api.as_(api.vic, "GET", "/v1/fleet").json()["items"]]
    seen, cursor = [], ""
    while cursor is not None:
        page = api.as_(api.vic, "GET", "/v1/fleet", params={"limit": 1, "cursor": cursor}).json()
        seen += [each["model"] for each in page["items"]]
        cursor = page["next"]
    assert seen == whole
    refused(api.as_(api.vic, "GET", "/v1/fleet?cursor=nonsense"), 400, "this is none of ours")


def test_who_has_no_role_reads_nothing(api: Any) -> None:
    api.judge(0.9)
    for path in ("/v1/fleet", "/v1/incidents", "/v1/alerts", "/v1/log", "/v1/switches", "/v1/approvals", "/v1/waivers",
                 "/v1/incidents/1", "/v1/incidents/1/why", "/v1/switches/loans", "/v1/log/0", "/metrics", "/v1/events",
                 "/v1/models/loans", "/v1/models/loans/policy", "/v1/models/loans/verdicts"):  # fmt: skip
        refused(api.as_(api.out, "GET", path), 403, "'out' may not look at this: it needs the role viewer")
    assert api.as_(api.out, "GET", "/v1/whoami").json()["roles"] == []


def test_a_token_for_one_model_shows_that_one(api: Any) -> None:
    api.judge(0.9)
    api.judge(0.9, model="fraud")
    secret = api.token("ana", models=["fraud"])
    assert [each["model"] for each in api.as_(secret, "GET", "/v1/fleet").json()["items"]] == ["fraud"]
    assert {each["model"] for each in api.as_(secret, "GET", "/v1/incidents").json()["items"]} == {"fraud"}
    assert {each["model"] for each in api.as_(secret, "GET", "/v1/alerts").json()["items"]} == {"fraud"}
    assert {each["subject"].get("model") for each in api.as_(secret, "GET", "/v1/log").json()["items"]} == {"fraud"}
    refused(
        api.as_(secret, "GET", f"/v1/incidents/{number_of(api)}"), 403, "this token is for fraud only, not for loans"
    )


def test_an_incident_is_taken_once_and_the_loser_learns_who_was_first(api: Any) -> None:
    api.judge(0.9)
    path = f"/v1/incidents/{number_of(api)}"
    shown = api.as_(api.bob, "GET", path).json()
    assert (shown["status"], shown["version"], shown["findings"][0]["rule"]) == ("triggered", 1, "errors-high")
    taken = api.as_(api.bob, "POST", f"{path}/acknowledge", json={"version": 1}).json()
    assert taken["incident"]["acknowledged_by"] == "bob"
    refused(api.as_(api.ana, "POST", f"{path}/acknowledge", json={"version": 1}), 409, "acknowledged by bob")
    refused(api.as_(api.vic, "POST", f"{path}/resolve", json={"version": 2, "because": "x"}), 403, "responder")
    refused(api.as_(api.ana, "POST", f"{path}/resolve", json={"version": 1, "because": "x"}), 409, "version 2")
    done = api.as_(api.ana, "POST", f"{path}/resolve", json={"version": 2, "because": "fixed"}).json()
    assert (done["incident"]["resolved_by"], done["still_firing"]) == ("ana", 1)
    proof = api.as_(api.ana, "GET", f"/v1/log/{done['entry']}").json()
    assert proof["entry"]["kind"] == "incident.resolved"
    assert proof["entry"]["body"]["because"] == "fixed"
    assert api.as_(api.vic, "GET", "/v1/incidents?model=loans").json()["items"] == []
    assert len(api.as_(api.vic, "GET", "/v1/incidents?status=all&model=loans").json()["items"]) == 1


def test_a_reader_decides_nothing_with_any_token(api: Any) -> None:
    api.judge(0.9)
    reading = api.token("bob", scopes=["read"])
    answer = api.as_(reading, "POST", f"/v1/incidents/{number_of(api)}/acknowledge", json={"version": 1})
    refused(answer, 403, "it needs a token with the scope act, this one has read")
    assert api.as_(reading, "GET", "/v1/whoami").json()["read_only"] is True


def test_the_log_is_read_in_pages_and_proved(api: Any) -> None:
    api.judge(0.9, 0.1, 0.9)
    seen, after = [], "-1"
    while after is not None:
        page = api.as_(api.vic, "GET", "/v1/log", params={"after": after, "limit": 2}).json()
        seen += [each["seq"] for each in page["items"]]
        after = page["next"]
    assert seen == list(range(len(seen)))
    kinds = {each["kind"] for each in api.as_(api.vic, "GET", "/v1/log?kind=incident&model=loans").json()["items"]}
    assert kinds == {"incident.opened", "incident.resolved", "incident.reopened"}
    import hashlib

    proof = api.as_(api.vic, "GET", "/v1/log/3").json()
    assert hashlib.sha256(b"\0" + proof["content"].encode()).hexdigest() == proof["leaf_hash"]
    refused(api.as_(api.vic, "GET", "/v1/log/9999"), 404, "has no entry 9999")


def test_who_depends_on_a_model_is_told_before_it_is_pulled(tmp_path: Path) -> None:
    api = inside(tmp_path / "own", {**CARDS, "scoring.yaml": f"{HARD}data: {{depends_on: [loans]}}\n"})
    assert api.as_(api.token("vic"), "GET", "/v1/switches/loans").json()["dependants"] == ["scoring"]


def test_a_switch_is_pulled_seen_and_restored(api: Any) -> None:
    before = api.as_(api.bob, "GET", "/v1/switches/loans").json()
    assert (before["mode"], before["seq"], before["dependants"]) == ("live", 0, [])
    assert before["may"]["pull"]["allowed"] is True
    assert before["may"]["restore"]["allowed"] is True
    body = {"mode": "throttle", "share": 0.25, "because": "errors", "expires": "2h"}
    done = api.as_(api.bob, "POST", "/v1/switches/loans/pull", json=body).json()
    assert (done["switch"]["mode"], done["switch"]["settings"][0]["share"]) == ("throttle", 0.25)
    assert done["switch"]["settings"][0]["expires_at"] == "2026-01-31T14:00:00Z"
    row = next(each for each in api.as_(api.vic, "GET", "/v1/fleet").json()["items"] if each["model"] == "loans")
    assert (row["mode"], row["share"]) == ("throttle", 0.25)
    refused(api.as_(api.vic, "POST", "/v1/switches/loans/pull", json=body), 403, "may not pull kill switches")
    stop = {"mode": "stopped", "because": "worse"}
    refused(api.as_(api.bob, "POST", "/v1/switches/loans/pull", json=stop), 403, "type loans")
    assert api.as_(api.bob, "POST", "/v1/switches/loans/pull", json={**stop, "confirm": "loans"}).status_code == 200
    back = {"because": "fine again", "seq": 1, "confirm": "loans"}
    refused(api.as_(api.bob, "POST", "/v1/switches/loans/restore", json=back), 409, "you saw seq 1, it is 2); at")
    done = api.as_(api.bob, "POST", "/v1/switches/loans/restore", json={**back, "seq": 2}).json()
    assert done["switch"]["mode"] == "live"


def test_a_model_of_tier_1_comes_back_by_two_people(api: Any) -> None:
    api.as_(api.bob, "POST", "/v1/switches/scoring/pull", json={"mode": "fallback", "because": "drift"})
    back = {"because": "fixed", "seq": 1, "confirm": "scoring"}
    asked = api.as_(api.bob, "POST", "/v1/switches/scoring/restore", json=back)
    assert asked.status_code == 202
    approval = asked.json()["approval"]["id"]
    assert [each["id"] for each in api.as_(api.vic, "GET", "/v1/approvals").json()["items"]] == [approval]
    path = f"/v1/approvals/{approval}/approve"
    refused(api.as_(api.bob, "POST", path, json={}), 403, "may not approve restores")
    assert api.as_(api.ana, "POST", path, json={}).json()["switch"]["mode"] == "live"
    refused(api.as_(api.ana, "POST", path, json={}), 409, "was approved")


def test_a_waiver_takes_two_people(api: Any) -> None:
    body = {"model": "loans", "rule": "errors-high", "because": "known", "until": "2026-02-01T12:00:00Z"}
    refused(api.as_(api.vic, "POST", "/v1/waivers", json=body), 403, "may not ask for waivers")
    asked = api.as_(api.ana, "POST", "/v1/waivers", json=body)
    assert asked.status_code == 202
    path = f"/v1/approvals/{asked.json()['approval']['id']}"
    refused(api.as_(api.ana, "POST", f"{path}/approve", json={}), 403, "somebody else must approve it")
    refused(api.as_(api.bob, "POST", f"{path}/approve", json={}), 403, "may not approve waivers")
    assert api.as_(api.vic, "GET", "/v1/waivers").json()["items"] == []
    again = api.as_(api.bob, "POST", "/v1/waivers", json=body).json()["approval"]["id"]
    done = api.as_(api.ana, "POST", f"/v1/approvals/{again}/approve", json={}).json()
    assert (done["approval"]["state"], done["approval"]["requested_by"]) == ("approved", "bob")
    (waiver,) = api.as_(api.vic, "GET", "/v1/waivers").json()["items"]
    assert (waiver["requested_by"], waiver["approved_by"], waiver["rule"]) == ("bob", "ana", "errors-high")
    api.judge(0.9)
    assert api.as_(api.vic, "GET", "/v1/incidents?model=loans").json()["items"] == []
    back = api.as_(api.ana, "POST", f"{path}/refuse", json={"because": "no need"}).json()
    assert back["approval"]["state"] == "refused"
    refused(api.as_(api.ana, "POST", f"{path}/refuse", json={"because": "no need"}), 409, "was refused by ana")


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"rule": "error-high"}, 404, "did you mean 'errors-high'"),
        ({"model": "loan"}, 404, "did you mean 'loans'"),
        ({"until": "2026-01-31T12:00:00Z"}, 422, "ends after now"),
        ({"until": "2036-01-31T12:00:00Z"}, 422, "within 366 days"),
        ({"because": " "}, 422, "because"),
        ({"until": "soon"}, 422, "until"),
    ],
)
def test_waivers_that_cannot_be(api: Any, change: dict[str, str], status: int, said: str) -> None:
    body = {"model": "loans", "rule": "errors-high", "because": "known", "until": "2026-02-01T12:00:00Z", **change}
    refused(api.as_(api.ana, "POST", "/v1/waivers", json=body), status, said)


def test_a_model_is_shown_with_its_card_its_policy_and_its_verdicts(api: Any) -> None:
    api.judge(0.9)
    model = api.as_(api.vic, "GET", "/v1/models/loans").json()
    assert model["card"]["owners"] == {"team": "t", "accountable": "ana"}
    assert (model["row"]["severity"], model["switch"]["mode"]) == ("critical", "live")
    policy = api.as_(api.vic, "GET", "/v1/models/loans/policy").json()
    rule = next(each for each in policy["rules"] if each["rule"] == "errors-high")
    assert rule["when"] == {"critical": "metrics.errors > 0.5"}
    assert rule["origin"].endswith("loans.yaml:7:15") or "loans.yaml:" in rule["origin"]
    verdicts = api.as_(api.vic, "GET", "/v1/models/loans/verdicts").json()
    assert verdicts["judged_at"] == "2026-01-31T12:00:01Z"
    (one,) = [each for each in verdicts["items"] if each["rule"] == "errors-high"]
    assert (one["outcome"], one["severity"], one["inputs"][0]["value"]) == ("fail", "critical", 0.9)
    then = api.as_(api.vic, "GET", "/v1/models/loans/verdicts?at=2026-01-31T12:00:01Z").json()
    (one,) = [each for each in then["items"] if each["rule"] == "errors-high"]
    assert (one["outcome"], one["summary"]) == ("fail", "Errors at 0.9")
    refused(api.as_(api.vic, "GET", "/v1/models/loans/verdicts?at=2036-01-31T12:00:01Z"), 422, "lies in the future")
    refused(api.as_(api.ana, "GET", "/v1/models/loan"), 404, "did you mean 'loans'")


def test_a_silence_mutes_and_why_tells(api: Any) -> None:
    until = (api.clock.now() + timedelta(hours=1)).isoformat()
    body = {"model": "loans", "because": "migration", "until": until}
    refused(api.as_(api.vic, "POST", "/v1/silences", json=body), 403, "may not silence")
    made = api.as_(api.bob, "POST", "/v1/silences", json=body).json()["silence"]
    assert (made["state"], made["by"]) == ("holds", "bob")
    api.judge(0.9)
    assert number_of(api)  # told to nobody, and open all the same
    done = api.as_(api.bob, "POST", f"/v1/silences/{made['id']}/end", json={"because": "over"}).json()
    assert (done["silence"]["state"], done["silence"]["ended_by"]) == ("ended", "bob")
    refused(api.as_(api.bob, "POST", f"/v1/silences/{made['id']}/end", json={"because": "over"}), 409, "ended by bob")
    assert api.as_(api.vic, "GET", "/v1/silences").json()["items"] == []
    assert len(api.as_(api.vic, "GET", "/v1/silences?ended=true").json()["items"]) == 1


def test_there_are_no_runs_yet(api: Any) -> None:
    assert api.as_(api.vic, "GET", "/v1/runs").json() == {"items": [], "next": None}


def test_a_summary_is_of_the_beginning_and_what_is_otherwise_by_now_is_said_beside_it(api: Any) -> None:
    api.judge(0.6)
    path = f"/v1/incidents/{number_of(api)}"

    def finding() -> dict[str, Any]:
        (one,) = api.as_(api.vic, "GET", path).json()["findings"]
        return dict(one)

    began = finding()
    ((name, value),) = began["values"].items()
    assert (value, began["now"], began["change"]) == (0.6, {name: 0.6}, "")
    api.judge(0.73)
    later = finding()
    assert (later["summary"], later["values"]) == (began["summary"], began["values"])
    assert (later["now"], later["change"]) == ({name: 0.73}, "errors is 0.73 now, 0.6 when it began")
    assert later["now_at"] > began["now_at"]
    why = api.as_(api.vic, "GET", f"{path}/why").json()
    assert (why["status"], why["now"]) == ("triggered", [later["change"]])
    api.judge(0.1)
    assert (finding()["now"], finding()["change"]) == ({}, ""), "what has ended has no present"
