from __future__ import annotations

from datetime import UTC, datetime, timedelta

from governance.core.evidence import EVIDENCE, Evidence, EvidenceKind, Record, as_context, last_done
from governance.core.expression import Context, Names, compile_expression

AT = datetime(2026, 1, 5, tzinfo=UTC)


def record(kind: EvidenceKind, days_ago: float, team: str = "", regime: str = "") -> Record:
    return Record("m", kind, AT - timedelta(days=days_ago), "ana", AT, "d", team=team, regime=regime)


def test_the_record_made_last_counts_and_a_review_counts_for_its_regime_alone() -> None:
    found = last_done(
        [
            record("trained", 1),
            record("trained", 9),  # sets the one before right
            record("reviewed", 8, "risk", "gdpr"),
            record("reviewed", 3, "risk"),
        ]
    )
    assert found.trained == AT - timedelta(days=9)
    assert (found.drilled, found.approved) == (None, None)
    assert found.reviewed == {"risk": AT - timedelta(days=3), "risk/gdpr": AT - timedelta(days=8)}
    assert last_done([]) == Evidence()


def test_a_rule_sees_what_was_done_and_what_never_was() -> None:
    context = Context({"evidence": as_context(last_done([record("drilled", 2)])), "now": AT})
    names = Names(variables={"evidence": EVIDENCE, "now": EVIDENCE.fields[0].shape})
    for text, expected in (
        ("has(evidence.trained)", False),
        ("has(evidence.drilled) && now - evidence.drilled > duration('1d')", True),
        ("has(evidence.drilled) && now - evidence.drilled > duration('3d')", False),
        ("'risk' in evidence.reviewed", False),
    ):
        assert compile_expression(text, names, result="bool").evaluate({}, context) is expected, text
