"""Files that ask for waivers and silences beside policies that are followed: they take effect and are no version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from following import PACKS, Place, followed
from sqlalchemy import Connection

from governance.core.approval import Approval, ApprovalKind
from governance.core.policy_version import digest_of
from governance.engine import consent, silences, waiving
from governance.errors import InvalidDocument
from governance.store import approvals, policy_versions, waiver_requests

WAIVER = """
kind: waiver  # for the season
rule: always
model: loans
because: The winter schedule.
requested_by: ana
until: 2026-03-20
"""
SILENCE = """
kind: silence
because: The warehouse moves.
by: ana
from: 2026-03-02
until: 2026-03-20
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place whose engine has looked once."""
    yield from followed(tmp_path)


def versions(place: Place) -> int:
    """Return how many versions there were."""
    with place.engine.database.read() as connection:
        return policy_versions.newest(connection)


def asked(place: Place) -> list[str]:
    """Return the ids of the waivers that wait for approval."""
    return [each.id for each in waiving.pending(place.engine, place.clock.time)]


def in_force(place: Place) -> list[str]:
    """Return the rules that are waived."""
    return [each.rule for each in waiving.holding(place.engine, place.clock.time)]


def approved(place: Place) -> None:
    """Put a waiver from a file in force."""
    place.write("waiver.yaml", WAIVER)
    place.beat()
    (waiver,) = asked(place)
    waiving.approve(place.engine, waiver, actor="bo", at=place.clock.time)


def test_a_waiver_takes_effect_at_the_next_look_and_is_no_version(place: Place) -> None:
    before, version = versions(place), place.engine.plan.version
    approved(place)
    place.write("silence.yaml", SILENCE)
    place.beat()
    assert in_force(place) == ["always"]
    assert [each.by for each in silences.listed(place.engine, place.clock.time)] == ["ana"]
    (place.policies / "waiver.yaml").unlink()
    (place.policies / "silence.yaml").unlink()
    place.beat()
    assert in_force(place) == []
    assert silences.listed(place.engine, place.clock.time) == []
    assert [each["ended"] for each in place.entries("waiver.ended")] == ["withdrawn"]
    assert (versions(place), place.engine.plan.version) == (before, version)


def test_a_broken_directory_and_a_restart_beside_it_withdraw_nothing(place: Place) -> None:
    approved(place)
    place.write("loans.yaml", "kind: card\n")
    place.beat()
    assert "broken" in place.said
    assert in_force(place) == ["always"]
    place.start()
    place.beat()
    assert in_force(place) == ["always"]


def test_what_is_asked_beside_a_version_that_waits_is_asked_at_once_and_outlives_its_approval(place: Place) -> None:
    place.edit("metrics.errors > 0.5", "metrics.errors > 0.6")
    place.beat()
    waiting = place.engine.standing.waiting
    assert waiting is not None
    approved(place)
    consent.approve(place.engine, waiting.approval, actor="bo", at=place.clock.time)
    place.beat()
    assert place.engine.standing.waiting is None
    assert "0.6" in place.engine.documents["loans.yaml"]
    place.beat()
    assert in_force(place) == ["always"]
    place.start()
    place.beat()
    assert in_force(place) == ["always"]


def test_an_approval_that_is_cut_off_never_happened(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.write("waiver.yaml", WAIVER)
    place.beat()
    (waiver,) = asked(place)
    with monkeypatch.context() as broken:
        broken.setattr(waiver_requests, "save", _cut_off)
        with pytest.raises(RuntimeError):
            waiving.approve(place.engine, waiver, actor="bo", at=place.clock.time)
    assert (in_force(place), asked(place)) == ([], [waiver])
    waiving.approve(place.engine, waiver, actor="bo", at=place.clock.time)
    assert (in_force(place), asked(place)) == (["always"], [])
    assert len(place.entries("waiver.approved")) == 1


def test_requests_are_read_anew_only_when_files_ask_for_something_else(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved(place)
    place.beat()
    with monkeypatch.context() as read:
        read.setattr(waiver_requests, "of_files", _cut_off)
        assert waiving.follow_files(place.engine, place.clock.time) == 0
    place.write("waiver.yaml", WAIVER.replace("winter", "summer"))
    place.beat()
    assert (in_force(place), len(asked(place))) == ([], 1)


def test_what_somebody_asks_for_names_labels_that_the_rule_has(place: Place) -> None:
    with pytest.raises(InvalidDocument, match="the instances of 'always' have no label 'region'; they have none"):
        waiving.request(
            place.engine, "loans", "always", labels=(("region", "eu"),), because="a test",
            until=place.clock.time + timedelta(days=1), actor="ana", at=place.clock.time,
        )  # fmt: skip


def test_an_answer_that_was_given_stays_given_when_another_version_takes_its_place(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.edit("metrics.errors > 0.5", "metrics.errors > 0.6")
    place.beat()
    real, answers = approvals.listed, ["bo"]

    def late(connection: Connection, **selection: ApprovalKind) -> list[Approval]:
        found = real(connection, **selection)
        while answers:
            consent.approve(place.engine, "APR-1", actor=answers.pop(), at=place.clock.time)
        return found

    with monkeypatch.context() as slow:
        slow.setattr(approvals, "listed", late)
        consent.withdraw(place.engine, place.clock.time, "another took its place")
    assert place.kinds()[-1] == "policy.approved"


def _cut_off(*_: object) -> None:
    raise RuntimeError("cut off")


def test_a_card_that_quotes_a_request_is_a_policy_all_the_same(place: Place) -> None:
    place.edit("tier: 1", 'description: "it says\nkind: waiver\nand goes on"\ntier: 1')
    place.beat()
    place.edit("metrics.errors > 0.5", "metrics.errors > 0.9")
    place.beat()
    assert place.engine.standing.waiting is not None, "looser, so that a second person is asked"
    place.start()
    assert "0.5" in place.engine.documents["loans.yaml"]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        (WAIVER, False),
        (SILENCE, False),
        ("# kind: waiver\nkind: card\n", True),
        ("kind: card\ndescription: |\n  kind: waiver\n", True),
        ("kind: waivers\n", True),
        ("\ufeff# For the season.\r\n\r\n---\r\nkind: 'waiver'\r\nrule: always\r\n", False),
        ('kind: card\ndescription: "quoted\nkind: waiver\nuntil here"\n', True),
        ('{kind: card, description: "quoted\nkind: waiver\nuntil here"}\n', True),
        ('# a comment\u2028{kind: card, description: "quoted\nkind: waiver\nuntil here"}\n', True),
    ],
)
def test_only_policies_count_for_the_digest(text: str, counts: bool) -> None:
    assert (digest_of(PACKS) != digest_of({**PACKS, "one.yaml": text})) == counts
