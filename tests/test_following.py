"""Policies that change while the engine runs: adopted, refused, broken, mended, pulled; and what a restart finds."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from following import CARD, ORG, Place, followed
from interfaces.serving import Served, ask

from governance.api import problems_found
from governance.cli.check import of_directory
from governance.core.alert import AlertKey
from governance.core.problem import Problem
from governance.engine import consent
from governance.errors import Conflict, Denied, InvalidDocument
from governance.following import Follower
from governance.store import decision_log, incidents, policy_versions
from governance.views import CheckView


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place whose engine has looked once."""
    yield from followed(tmp_path)


def test_a_tightened_rule_rules_at_the_next_beat_and_alerts_go_on(place: Place) -> None:
    before, since = place.engine.plan.version, place.firing()
    place.edit("metrics.errors > 0.5", "metrics.errors > 0.4")
    place.beat()
    assert place.engine.plan.version != before
    assert place.firing() == since == {AlertKey("loans", "always"): "firing"}
    entry = place.entries("policy.adopted")[-1]
    assert entry["before"] == before
    assert entry["summary"] == (f"policies {place.engine.plan.version} rule 2 models; rules: 1 tightened on 1 model")
    assert entry["changes"] == [
        "tightened errors-high of loans: warning when metrics.errors > 0.4, was metrics.errors > 0.5"
    ]
    cycles = place.entries("cycle.evaluated")
    assert cycles[-1]["policy_version"] == place.engine.plan.version  # every verdict names the version


def test_an_alert_ends_with_its_rule_and_says_so(place: Place) -> None:
    place.edit("tier: 1", "tier: 2")  # of tier 2 nobody has to agree
    with suppress(Conflict):
        place.beat()
    approval = place.engine.standing.waiting
    assert approval is not None, "lowering the tier loosens too"
    consent.approve(place.engine, approval.approval, actor="bo", at=place.clock.time)
    place.beat()
    place.edit("  - {rule: always, when: card.tier < 3, severity: critical, summary: Always}\n", "")
    place.beat()
    assert place.rules() == {"errors-high"}
    assert place.firing() == {}
    with place.engine.database.read() as connection:
        (found,) = [each for each in incidents.listed(connection) if each.model == "loans"]
    assert found.status == "resolved"
    assert "no longer declared" in found.ending
    assert place.entries("policy.adopted")[-1]["changes"] == ["removed always of loans"]


def test_a_half_written_file_is_waited_for(place: Place) -> None:
    place.write("loans.yaml", CARD[: len(CARD) // 2])
    place.follower.look()
    place.edit(CARD[10:20], CARD[10:20])
    place.write("loans.yaml", CARD.replace("> 0.5", "> 0.45"))
    place.beat(looks=1)  # different from the look before: not settled
    assert place.said == ""
    place.beat(looks=1)
    assert place.said == ""
    assert "0.45" in place.engine.documents["loans.yaml"]


def test_files_are_not_read_while_git_is_at_work(place: Place) -> None:
    place.git("init", "-q")
    lock = place.policies / ".git" / "index.lock"
    lock.touch()
    place.edit("metrics.errors > 0.5", "metrics.errors > 0.4")
    place.beat(looks=4)
    assert "> 0.5" in place.engine.documents["loans.yaml"]
    lock.unlink()
    place.beat()
    assert "> 0.4" in place.engine.documents["loans.yaml"]


def test_broken_policies_never_rule_and_are_an_incident_that_ends_by_itself(place: Place) -> None:
    version = place.engine.plan.version
    place.write(
        "broken.yaml", "kind: card\nmodel: other\nowners: {team: t}\nmetrics: {a: {source: nowhere, query: b}}\n"
    )
    place.beat()
    assert place.engine.plan.version == version
    assert f"version {version} rules" in place.said
    assert "policies on disk are broken since 2026-03-02 12:02Z" in place.said
    assert "broken.yaml:4:23: no source 'nowhere'" in place.said
    (status, title, _), *others = place.opened()
    assert (status, others) == ("triggered", [])
    assert f"version {version} goes on to rule" in title
    assert "broken.yaml:4:23" in title
    for _ in range(3):
        place.beat()
    assert len(place.opened()) == 1  # it is told once
    place.start()  # a restart while it is broken
    place.beat()
    assert place.engine.plan.version == version
    assert place.firing() == {AlertKey("loans", "always"): "firing"}
    assert "broken since 2026-03-02 12:02Z" in place.said
    (place.policies / "broken.yaml").unlink()
    place.beat()
    assert place.said == ""
    ((status, _, ending),) = place.opened()
    assert status == "resolved"
    assert "sound again" in ending


TESTS = "kind: test\nof: [loanz]\ntests: [{test: a}]\n"


def told_by_both(place: Place) -> list[tuple[str, int, int]]:
    """Return the code and place of each problem, which the engine and `gov check` tell in the same words."""
    offline = json.loads(ask(place.directory, "check", "--format", "json").stdout)["problems"]
    asked = [{name: each[name] for name in each if name != "help"} for each in offline]
    told = problems_found.checked(place.engine).problems
    assert [each.model_dump(include=set(asked[0])) for each in told] == asked
    return [(each.code, each.line, each.column) for each in told]


def test_tests_with_problems_are_told_as_gov_check_tells_them_and_keep_nothing_from_ruling(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.directory)  # files are named from where one stands
    assert problems_found.checked(place.engine).in_tests is None, "nobody looked: that is not none"
    place.follower = Follower(place.engine, place.policies, place.directory, tests=of_directory)
    place.beat()
    assert problems_found.checked(place.engine).in_tests == 0
    place.write("loans.test.yaml", TESTS)
    place.write("half.test.yaml", "kind: test\nof: [lo")
    place.edit("metrics.errors > 0.5", "metrics.errors > 0.4")
    place.beat()
    assert "> 0.4" in place.engine.documents["loans.yaml"], "the policies rule all the same"
    assert place.said == ""
    assert told_by_both(place)[-1] == ("unknown-policy", 2, 6)
    told = problems_found.checked(place.engine)
    assert (told.count, told.in_tests, told.since) == (2, 2, None)
    place.write("broken.yaml", "kind: card\nmodel: other\nowners: {team: t}\nteir: 1\n")
    place.beat()
    told = problems_found.checked(place.engine)
    assert told.since is not None
    assert told.in_tests == 1, "what is not found may be declared where nothing loads"
    assert {each[0] for each in told_by_both(place)} == {"unknown-field", "nothing-to-judge", "syntax"}
    for name in ("broken.yaml", "loans.test.yaml", "half.test.yaml"):
        (place.policies / name).unlink()
    place.beat()
    assert problems_found.checked(place.engine) == CheckView(
        version=place.engine.plan.version, source="directory", in_tests=0
    )


def test_a_check_of_tests_that_dies_is_told_and_the_policies_are_followed(place: Place) -> None:
    def dying(directory: Path, runbooks: Path) -> tuple[Problem, ...]:
        raise RuntimeError("no room")

    place.follower = Follower(place.engine, place.policies, place.directory, tests=dying)
    place.edit("metrics.errors > 0.5", "metrics.errors > 0.4")
    place.beat()
    assert "> 0.4" in place.engine.documents["loans.yaml"]
    (found,) = problems_found.checked(place.engine).problems
    assert found.message == "checking its tests failed: RuntimeError: no room"


def test_a_directory_that_goes_away_is_broken_too(place: Place) -> None:
    place.policies.rename(place.directory / "elsewhere")
    place.beat()
    assert "no such file or directory" in place.said
    place.start()
    assert place.rules() == {"always", "errors-high"}


def test_the_very_first_policies_must_be_sound(tmp_path: Path) -> None:
    made = Place(tmp_path)
    made.write("loans.yaml", "kind: card\n")
    with pytest.raises(InvalidDocument, match="model"):
        made.start()
    assert not (tmp_path / ".gov").exists()


def test_new_people_and_sources_take_effect_and_what_is_unchanged_stays(place: Place) -> None:
    kept = place.engine.sources["pushed"]
    place.write(
        "org.yaml", ORG.replace("cy: {}", "cy: {}, dora: {}") + "sources: {pushed: {kind: push}, more: {kind: push}}\n"
    )
    place.beat()
    assert "dora" in place.engine.organisation.people
    assert set(place.engine.sources) == {"engine", "pushed", "more"}
    assert place.engine.sources["pushed"] is kept
    entry = place.entries("policy.adopted")[-1]
    assert entry["changes"] == ["added organisation: people dora", "added organisation: sources more"]
    assert str(entry["summary"]).endswith("no rule differs; the organisation differs")


def test_loosening_tier_1_waits_for_a_second_person(place: Place) -> None:
    version = place.engine.plan.version
    place.edit("metrics.errors > 0.5", "metrics.errors > 0.9")
    place.beat()
    waiting = place.engine.standing.waiting
    assert waiting is not None
    assert place.engine.plan.version == version
    assert place.said == f"version {waiting.version} waits for approval APR-1; version {version} rules"
    (asked,) = consent.pending(place.engine, place.clock.time)
    assert "errors-high of loans is loosened" in asked.text
    assert asked.who_may == ["ana", "bo"]
    with pytest.raises(Denied, match="may not approve policies that loosen"):
        consent.approve(place.engine, "APR-1", actor="cy", at=place.clock.time)
    place.start()  # it waits on after a restart, and is asked for once
    place.beat()
    assert place.engine.plan.version == version
    assert place.kinds() == ["policy.adopted", "policy.approval_requested"]
    consent.approve(place.engine, "APR-1", actor="bo", at=place.clock.time)
    place.beat()
    assert place.engine.plan.version == waiting.version
    assert place.said == ""
    entry = place.entries("policy.adopted")[-1]
    assert (entry["approval"], entry["approved_by"]) == ("APR-1", "bo")


def test_a_runbook_of_tier_1_that_acts_on_less_consent_waits_too(place: Place) -> None:
    place.write(
        "back.yaml",
        """
kind: runbook
runbook: back
description: Serve what served before.
steps:
  - {step: consent, approve: {role: approver}}
  - {step: pull, act: switch.pull, with: {mode: fallback, reason: drift}}
""",
    )
    place.beat()
    assert place.said == ""
    assert place.entries("policy.adopted")[-1]["changes"] == ["added runbook back"]
    place.edit("approver}}", "approver}, timeout: 10m, on_timeout: continue}", "back.yaml")
    place.beat()
    (asked,) = consent.pending(place.engine, place.clock.time)
    assert "runbook back for loans asks less" in asked.text
    assert place.engine.plan.runbooks["back"].document.steps[0].on_timeout is None
    place.edit(", on_timeout: continue", "", "back.yaml")  # a time limit alone asks no less
    place.beat()
    assert consent.pending(place.engine, place.clock.time) == []
    assert place.entries("policy.adopted")[-1]["changes"] == ["changed runbook back"]


def test_what_waits_is_void_when_something_else_is_wanted(place: Place) -> None:
    place.edit("metrics.errors > 0.5", "metrics.errors > 0.9")
    place.beat()
    place.edit("metrics.errors > 0.9", "metrics.errors > 0.5")
    place.beat()
    assert place.said == ""
    assert place.kinds() == ["policy.adopted", "policy.approval_requested", "policy.voided"]
    with pytest.raises(Conflict, match="was voided"):
        consent.approve(place.engine, "APR-1", actor="bo", at=place.clock.time)


def test_a_refused_version_is_not_asked_for_again(place: Place) -> None:
    version = place.engine.plan.version
    place.edit("metrics.errors > 0.5", "metrics.errors > 0.9")
    place.beat()
    consent.refuse(place.engine, "APR-1", actor="bo", because="far too loose", at=place.clock.time)
    place.beat()
    place.start()
    place.beat()
    assert "was refused by bo: far too loose" in place.said
    assert place.engine.plan.version == version
    assert consent.pending(place.engine, place.clock.time) == []
    place.edit("metrics.errors > 0.9", "metrics.errors > 0.6")
    place.beat()
    assert [each.id for each in consent.pending(place.engine, place.clock.time)] == ["APR-2"]


def test_nobody_answers(place: Place) -> None:
    place.edit("metrics.errors > 0.5", "metrics.errors > 0.9")
    place.beat()
    place.clock.time += timedelta(days=8)
    place.beat(looks=0)
    assert place.kinds()[-1] == "policy.voided"


@pytest.mark.parametrize(
    ("module", "name"), [("governance.store.policy_versions", "add"), ("governance.engine.parts", "Engine.rule_by")]
)
def test_the_engine_is_killed_while_it_adopts(tmp_path: Path, module: str, name: str) -> None:
    """Within the transaction of an adoption, or between it and the first cycle: it is made once, and wholly."""
    place = Place(tmp_path)
    place.edit("tier: 1", "tier: 2")
    place.write("org.yaml", ORG + "sources: {pushed: {kind: push}}\ncycle: {every: 1s}\n")
    *owner, last = name.split(".")
    fatal = f"""
import os, signal, {module} as owner
for each in {owner!r}:
    owner = getattr(owner, each)
real = getattr(owner, {last!r})
def fatal(*arguments):
    found = real(*arguments)
    if os.path.exists("armed"):
        os.kill(os.getpid(), signal.SIGKILL)
    return found
setattr(owner, {last!r}, fatal)
"""
    served = Served(tmp_path, before=fatal)
    try:
        (tmp_path / "armed").touch()
        place.edit("  - {rule: always", "  - {rule: later, when: card.tier < 2}\n  - {rule: always")
        assert served.process.wait(timeout=40) == -signal.SIGKILL
    finally:
        served.close()
    place.clock.time = datetime.now(UTC)
    place.start()
    assert "later" in place.rules()
    assert place.kinds() == ["policy.adopted"] * 2
    with place.engine.database.read() as connection:
        assert [each.state for each in policy_versions.listed(connection, 10)] == ["adopted"] * 2
    assert decision_log.verify(place.engine.database).ok
