"""Waivers over the API: asked for by a file, approved by a second person, ended by what comes first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from interfaces.inside import CARDS, START, Inside, inside

from governance.engine import evidence
from governance.engine.waiving import follow_files
from governance.policies import policies

WAIVER = """
kind: waiver
rule: errors-high
model: loans
because: The feed is being repaired.
requested_by: bob
until: 2026-02-14
ends_on: [new_version, retrained, unused_for 2h]
"""
LOANS = CARDS["loans.yaml"] + "versions: {serving: v1}\n"


class Waived:
    """The engine with a waiver in a file, and people who ask."""

    def __init__(self, directory: Path) -> None:
        """Write the files and let the engine read them."""
        self.policies = directory / "own" / "policies"
        self.api: Inside = inside(directory / "own", {**CARDS, "loans.yaml": LOANS, "waiver.yaml": WAIVER})
        self.ana, self.bob = self.api.token("ana"), self.api.token("bob")
        follow_files(self.api.engine, self.api.clock.now())

    def get(self, path: str) -> list[dict[str, Any]]:
        """Return what is listed."""
        found: list[dict[str, Any]] = self.api.as_(self.ana, "GET", path).json()["items"]
        return found

    def approve(self) -> None:
        """Let ana be the second person."""
        (asked,) = self.get("/v1/approvals")
        assert self.api.as_(self.ana, "POST", f"/v1/approvals/{asked['id']}/approve", json={}).status_code == 200

    def reload(self, **files: str | None) -> None:
        """Write or remove files, and let the engine go on with them."""
        for name, text in files.items():
            path = self.policies / f"{name}.yaml"
            path.write_text(text.lstrip(), encoding="utf-8") if text is not None else path.unlink()
        found = policies([self.policies])
        assert not found.problems
        object.__setattr__(self.api.engine, "plan", found.plan)  # what another version of the policies does
        follow_files(self.api.engine, self.api.clock.now())

    @property
    def ends(self) -> list[tuple[str, str]]:
        """What ended waivers, and who, as the log has it."""
        from governance.store import decision_log

        found = decision_log.tail(self.api.engine.database, 1000, "waiver.ended")
        return [(str(each.decision.body["ended"]), each.decision.actor) for each in found]


@pytest.fixture
def waived(tmp_path: Path) -> Waived:
    return Waived(tmp_path)


def test_a_file_asks_and_somebody_else_who_may_approves(waived: Waived) -> None:
    api = waived.api
    (asked,) = waived.get("/v1/approvals")
    assert asked["text"] == (
        "waive errors-high on loans until 2026-02-14 00:00 UTC or new_version or retrained or unused_for 2h: "
        "The feed is being repaired."
    )
    assert (asked["requested_by"], asked["who_may"]) == ("bob", ["ana"])
    assert api.as_(waived.bob, "POST", f"/v1/approvals/{asked['id']}/approve", json={}).status_code == 403
    api.judge(0.9)
    assert len(waived.get("/v1/incidents?model=loans&status=open")) == 1, "a request waives nothing"
    waived.approve()
    api.judge(0.9)
    assert waived.get("/v1/incidents?model=loans&status=open") == []
    (waiver,) = waived.get("/v1/waivers")
    assert (waiver["approved_by"], waiver["left"], waiver["from_file"]) == ("ana", "13d11h59m", True)
    assert waiver["ends_on"] == ["new_version", "retrained", "unused_for 2h"]
    (row,) = [each for each in api.as_(waived.ana, "GET", "/v1/fleet").json()["items"] if each["model"] == "loans"]
    assert row["waived"] == ["errors-high until 2026-02-14 by ana"]
    (verdict,) = [
        each for each in waived.get("/v1/models/loans/verdicts") if each["rule"] == "errors-high"
    ]  # fmt: skip
    assert verdict["reason"].startswith("waived until 2026-02-14 or new_version or retrained or unused_for 2h by ana")
    assert follow_files(api.engine, api.clock.now()) == 0, "it is asked for once"


def _new_version(waived: Waived) -> None:
    waived.reload(loans=LOANS.replace("v1", "v2"))


def _retrained(waived: Waived) -> None:
    evidence.record(waived.api.engine, "loans", "trained", actor="ana", now=waived.api.clock.on(seconds=1))


def _unused(waived: Waived) -> None:
    waived.api.judge(0.1)
    waived.api.clock.on(hours=2)


def _time(waived: Waived) -> None:
    waived.api.clock.time = START + timedelta(days=20)


def _file_is_gone(waived: Waived) -> None:
    waived.reload(waiver=None)


def _withdrawn(waived: Waived) -> None:
    (waiver,) = waived.get("/v1/waivers")
    path = f"/v1/waivers/{waiver['id']}/withdraw"
    done = waived.api.as_(waived.bob, "POST", path, json={"because": "repaired"})
    assert (done.status_code, done.json()["waiver"]["ended"]) == (200, "withdrawn")
    assert waived.api.as_(waived.bob, "POST", path, json={"because": "again"}).status_code == 409


@pytest.mark.parametrize(
    ("happens", "end", "by"),
    [
        (_new_version, "new_version", "engine"),
        (_retrained, "retrained", "engine"),
        (_unused, "unused", "engine"),
        (_time, "until", "engine"),
        (_file_is_gone, "withdrawn", "engine"),
        (_withdrawn, "withdrawn", "bob"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_each_end_is_an_entry_that_says_which_and_the_rule_counts_again(
    waived: Waived, happens: Callable[[Waived], None], end: str, by: str
) -> None:
    waived.approve()
    waived.api.judge(0.9)
    assert waived.get("/v1/incidents?model=loans&status=open") == []
    happens(waived)
    waived.api.judge(0.9)
    assert len(waived.get("/v1/incidents?model=loans&status=open")) == 1
    waived.api.judge(0.9)
    assert waived.ends == [(end, by)], "once"
    assert waived.get("/v1/waivers") == []


def test_what_was_withdrawn_waives_nothing_again_when_the_clock_is_set_back(waived: Waived) -> None:
    waived.approve()
    waived.api.judge(0.9)
    waived.api.clock.on(seconds=3600)
    _withdrawn(waived)
    waived.api.clock.on(seconds=-1800)
    assert waived.get("/v1/waivers") == []
    waived.api.judge(0.9)
    assert len(waived.get("/v1/incidents?model=loans&status=open")) == 1


def test_a_waiver_that_keeps_findings_quiet_is_not_unused(waived: Waived) -> None:
    waived.approve()
    for _ in range(5):
        waived.api.judge(0.9)
        waived.api.clock.on(hours=1)
    assert (waived.ends, len(waived.get("/v1/waivers"))) == ([], 1)


def test_another_text_is_another_request_and_a_pending_one_goes_with_its_file(waived: Waived) -> None:
    waived.reload(waiver=WAIVER.replace("2026-02-14", "2026-02-20"))
    (asked,) = waived.get("/v1/approvals")
    assert "until 2026-02-20" in asked["text"]
    waived.reload(waiver=None)
    assert waived.get("/v1/approvals") == []
    assert [each["said"] for each in waived.api.log("waiver.withdrawn")] == 2 * [
        "its file is gone or says something else"
    ]
    waived.reload(waiver=WAIVER)
    assert len(waived.get("/v1/approvals")) == 1, "the file is back, and asks anew"


def test_a_refused_file_is_not_asked_for_again(waived: Waived) -> None:
    (asked,) = waived.get("/v1/approvals")
    waived.api.as_(waived.ana, "POST", f"/v1/approvals/{asked['id']}/refuse", json={"because": "mend it"})
    follow_files(waived.api.engine, waived.api.clock.now())
    assert waived.get("/v1/approvals") == []


def test_what_would_last_for_years_is_refused_by_the_engine(waived: Waived) -> None:
    waived.reload(waiver=WAIVER.replace("2026-02-14", "2028-02-14"))
    assert waived.get("/v1/approvals") == []
    assert [each["said"] for each in waived.api.log("waiver.refused")] == ["it would end in more than 366 days"]


def test_the_entries_hold_the_ends(waived: Waived) -> None:
    assert replace(waived.api.engine.plan.waivers[0], because="").ends_on == ("new_version", "retrained")
    (body,) = waived.api.log("waiver.requested")
    assert body["ends_on"] == ["new_version", "retrained", "unused_for 2h"]
