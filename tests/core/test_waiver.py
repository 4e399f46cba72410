"""What ends a waiver, and what a file may not ask for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from governance.core.waiver import Waiver, WaiverFacts, end_of, is_active
from governance.policies import policies

APPROVED = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WAIVER = Waiver("WVR-1", "m", "r", (), "season", "ana", "bo", APPROVED + 30 * DAY, since=APPROVED, version="v1")
V1, V2 = WaiverFacts("v1"), WaiverFacts("v2")


@pytest.mark.parametrize(
    ("waiver", "facts", "days", "end"),
    [
        (WAIVER, V1, 29, None),
        (WAIVER, V1, 30, "until"),
        (WAIVER, V2, 1, None),
        (replace(WAIVER, ends_on=("new_version",)), V1, 1, None),
        (replace(WAIVER, ends_on=("new_version",)), V2, 1, "new_version"),
        (replace(WAIVER, ends_on=("new_version",)), WaiverFacts(), 1, None),
        (replace(WAIVER, ends_on=("new_version",), version=""), V2, 1, None),
        (replace(WAIVER, ends_on=("retrained",)), WaiverFacts("v2", APPROVED - DAY), 1, None),
        (replace(WAIVER, ends_on=("retrained",)), WaiverFacts("v1", APPROVED + DAY), 2, "retrained"),
        (replace(WAIVER, unused_for=14 * DAY), V1, 13, None),
        (replace(WAIVER, unused_for=14 * DAY), V1, 14, "unused"),
        (replace(WAIVER, unused_for=14 * DAY, used_at=APPROVED + 5 * DAY), V1, 18, None),
        (replace(WAIVER, unused_for=14 * DAY, used_at=APPROVED + 5 * DAY), V1, 19, "unused"),
        (replace(WAIVER, ended="withdrawn", ended_at=APPROVED + DAY), V1, 0, None),
        (replace(WAIVER, ended="withdrawn", ended_at=APPROVED + DAY), V1, 1, "withdrawn"),
    ],
)
def test_a_waiver_ends_at_the_earliest_of_its_ends(
    waiver: Waiver, facts: WaiverFacts, days: int, end: str | None
) -> None:
    at = APPROVED + days * DAY
    assert end_of(waiver, facts, at) == end
    assert is_active(waiver, facts, at) == (end is None)


ORG = """kind: org
people: {ana: {}, bo: {}, cy: {}}
teams: {t: {members: [ana, bo], leads: [bo]}}
roles: [{role: viewer, who: [cy]}]
sources: {s: {kind: parquet, path: d}}
"""
CARD = """kind: card
model: loans
owners: {team: t}
metrics: {errors: {source: s, query: e, labels: [origin]}}
rules: [{rule: errors-high, when: metrics.errors > 0.5}]
"""
WRITTEN = """kind: waiver
rule: errors-high
model: loans
labels: {origin: BER}
because: Winter schedule
requested_by: ana
until: 2026-02-14
ends_on: [new_version, unused_for 14d]
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", []),
        ("loans", "loan", ["3:8 unknown-model no model 'loan' did you mean 'loans'?"]),
        ("errors-high", "errors-hi", ["2:7 unknown-rule no rule 'errors-hi' did you mean 'errors-high'?"]),
        (
            "errors-high",
            "ownership/no-way-bak",
            ["2:7 unknown-rule no rule 'ownership/no-way-bak' did you mean 'ownership/no-way-back'?"],
        ),
        (
            "origin: BER",
            "orign: BER",
            ["4:17 unknown-label the instances of 'errors-high' have no label 'orign'; they have origin "],
        ),
        ("requested_by: ana", "requested_by: anna", ["6:15 unknown-person no person 'anna' did you mean 'ana'?"]),
        ("requested_by: ana", "requested_by: cy", ["6:15 may-not-request 'cy' may not ask for waivers: it needs"]),
        ("2026-02-14", "someday", ["7:8 invalid-value must be a day such as 2026-01-31 or 2026-01-31T12:00Z, not"]),
        ("until: 2026-02-14\n", "", ["1:1 missing-field"]),
        ("unused_for 14d", "new_month", ["8:10 invalid-value ends_on takes new_version, retrained and"]),
    ],
)
def test_a_waiver_that_makes_no_sense_is_a_problem_where_it_stands(
    tmp_path: Path, old: str, new: str, said: list[str]
) -> None:
    (tmp_path / "waivers").mkdir()
    for name, text in (("org", ORG), ("loans", CARD), ("waivers/w", WRITTEN.replace(old, new, 1))):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    found = policies([tmp_path])
    told = [
        f"{each.position.line}:{each.position.column} {each.code} {each.message} {each.suggestion}"
        for each in found.problems
    ]
    assert len(told) == len(said), told
    assert all(one.startswith(other) for one, other in zip(told, said, strict=True)), told


def test_a_waiver_is_no_part_of_the_version_of_the_policies(tmp_path: Path) -> None:
    for name, text in (("org", ORG), ("loans", CARD)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    before = policies([tmp_path]).plan
    (tmp_path / "w.yaml").write_text(WRITTEN, encoding="utf-8")
    after = policies([tmp_path]).plan
    assert (before.version, len(before.waivers)) == (after.version, len(after.waivers) - 1)
    assert after.waivers[0].until == datetime(2026, 2, 14, tzinfo=UTC)
