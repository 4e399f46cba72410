"""What kill switches do to the incidents that they answer."""

from __future__ import annotations

import pytest
from switches.desk import HOUR, MINUTE, Desk, card, desk

from governance.engine import operations, switching
from governance.errors import Conflict

RULE = {"rule": "errors", "when": {"warning": "metrics.errors > 0.5", "critical": "metrics.errors > 0.8"}}


@pytest.fixture
def at() -> Desk:
    made = desk(card("delay", rules=[RULE]))
    made.world.values["delay-errors"] = 0.6
    made.later()
    return made


def pull(at: Desk, mode: str = "fallback", **more: object) -> None:
    said = {"actor": "ana", "because": "wrong", "at": at.now, "incident": 1, **more}
    switching.pull(at.engine, "delay", mode, **said)  # type: ignore[arg-type]


def restore(at: Desk) -> None:
    seq = at.switch("delay").seq
    switching.restore(at.engine, "delay", actor="ana", because="x", at=at.now, seq=seq, confirmed="delay")


def status(at: Desk) -> str:
    return at.incidents("")[0].status


def test_a_pull_for_an_incident_mitigates_it_with_an_entry(at: Desk) -> None:
    pull(at)
    assert status(at) == "mitigated"
    entry = at.entries("incident.mitigated")[-1].decision
    assert (entry.actor, entry.subject["incident"], entry.body["switch"]) == ("ana", "1", {"model": "delay", "seq": 1})
    pull(at, "stopped", confirmed="delay")
    assert at.kinds("incident") == ["incident.opened", "incident.mitigated"], "it is mitigated once"
    at.verify()


def test_a_pull_for_no_incident_mitigates_none(at: Desk) -> None:
    pull(at, incident=None)
    assert status(at) == "triggered"


def test_only_what_is_worse_triggers_it_anew(at: Desk) -> None:
    pull(at)
    at.later()
    assert status(at) == "mitigated"
    at.world.values["delay-errors"] = 0.9
    at.later()
    assert status(at) == "triggered"


def test_whoever_takes_it_leaves_it_mitigated(at: Desk) -> None:
    pull(at)
    taken = operations.acknowledge(at.engine, 1, actor="bo", at=at.now).incident
    assert (taken.status, taken.acknowledged_by) == ("mitigated", "bo")
    with pytest.raises(Conflict, match="was acknowledged by bo"):
        operations.acknowledge(at.engine, 1, actor="ana", at=at.now)


def test_who_acts_on_the_state_before_learns_what_happened(at: Desk) -> None:
    pull(at)
    with pytest.raises(Conflict, match="mitigated by a kill switch since"):
        operations.resolve(at.engine, 1, actor="bo", because="x", at=at.now, version=1)


@pytest.mark.parametrize("taken", [False, True])
def test_a_model_that_answers_again_while_its_findings_fire_is_exposed(at: Desk, taken: bool) -> None:
    if taken:
        operations.acknowledge(at.engine, 1, actor="bo", at=at.now)
    pull(at)
    restore(at)
    assert status(at) == ("acknowledged" if taken else "triggered")
    assert at.kinds("incident")[-1] == "incident.exposed"
    at.verify()


def test_it_resolves_by_itself_and_a_restore_leaves_it_so(at: Desk) -> None:
    pull(at)
    at.world.values["delay-errors"] = 0.0
    at.later()
    assert status(at) == "resolved"
    restore(at)
    assert status(at) == "resolved"


def test_a_rule_that_pulls_mitigates_the_incident_that_it_opens() -> None:
    rule = {**RULE, "when": "metrics.errors > 0.5", "severity": "critical", "enforcement": "act"}
    at = desk(card("delay", rules=[{**rule, "then": {"switch": "fallback", "expires": "1h"}}]))
    at.world.values["delay-errors"] = 0.9
    at.later()
    assert status(at) == "mitigated"
    assert at.kinds("incident") == ["incident.opened", "incident.mitigated"]
    at.world.values["delay-errors"] = 0.0
    at.later(MINUTE)
    at.later(HOUR)
    assert (status(at), at.switch("delay").settings) == ("resolved", ())
    at.verify()
