"""Decisions become the same bytes everywhere, or are refused with the path of what cannot be logged."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum, StrEnum

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.core.decision import Decision, canonical, packed, parse, sealed, timestamp

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Severity(StrEnum):
    CRITICAL = "critical"


class Level(Enum):
    FIRST = 1


def decision(**body: object) -> Decision:
    return Decision(AT, "alert.firing", "engine", {"model": "flight-delay"}, body, "d1")


def body(**values: object) -> dict[str, object]:
    said: dict[str, object] = json.loads(canonical(decision(**values), 0))["body"]
    return said


def test_exact_bytes() -> None:
    assert canonical(decision(value=0.25, reason="psi"), 17) == (
        b'{"actor":"engine","at":"2026-03-01T12:00:00Z","body":{"reason":"psi","value":0.25},"id":"d1",'
        b'"kind":"alert.firing","seq":17,"subject":{"model":"flight-delay"}}'
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**60), "-1152921504606846976"),
        (timedelta(minutes=90), 5400),
        (timedelta(milliseconds=1500), 1.5),
        (AT, "2026-03-01T12:00:00Z"),
        (AT.replace(microsecond=250), "2026-03-01T12:00:00.000250Z"),
        (AT.astimezone(timezone(timedelta(hours=2))), "2026-03-01T12:00:00Z"),
        (date(2026, 3, 1), "2026-03-01"),
        ((1, (2, None)), [1, [2, None]]),
        (Severity.CRITICAL, "critical"),
        (Level.FIRST, 1),
        (True, True),
        ({Severity.CRITICAL: 1}, {"critical": 1}),
        ("cut \ud83d", "cut \\ud83d"),
        ("Łódź 🛫", "Łódź 🛫"),
        (-0.0, 0),
        (1e300, 1e300),
    ],
)
def test_values(value: object, said: object) -> None:
    assert body(value=value) == {"value": said}


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"inputs": [1, {2, 3}]}, r"body\.value\.inputs\[1\] is a set"),
        ({1: "one"}, r"body\.value has the key 1"),
        (b"raw", r"body\.value is a bytes"),
        (object(), r"body\.value is a object"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_path(value: object, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        canonical(decision(value=value), 0)
    with pytest.raises(TypeError, match=sentence):
        replace(decision(value=value), id="")


def test_subjects_are_text() -> None:
    with pytest.raises(TypeError, match=r"subject\.incident is a int, not text"):
        replace(decision(), subject={"incident": 12})


def test_a_time_has_a_zone_and_is_kept_in_utc() -> None:
    with pytest.raises(ValueError, match="at has no time zone"):
        replace(decision(), at=datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match=r"body\.since has no time zone"):
        canonical(decision(since=datetime(2026, 3, 1)), 0)  # noqa: DTZ001
    assert replace(decision(), at=AT.astimezone(timezone(timedelta(hours=5)))).at.utcoffset() == timedelta(0)
    assert timestamp(datetime(33, 1, 2, tzinfo=UTC)) == "0033-01-02T00:00:00Z"


@pytest.mark.parametrize("kind", ["firing", "alert firing", "Alert.firing", "alert.", ".firing", "alert.firing\n", ""])
def test_a_kind_is_a_dotted_path(kind: str) -> None:
    with pytest.raises(ValueError, match="dotted path"):
        replace(decision(), kind=kind)


def test_a_derived_id_names_the_content() -> None:
    derived = replace(decision(value=1), id="")
    assert len(derived.id) == 32
    assert replace(decision(value=1), id="").id == derived.id
    others = [replace(derived, id="", actor="ana"), replace(derived, id="", at=AT + timedelta(microseconds=1))]
    assert len({derived.id, *(other.id for other in others)}) == 3


leaves = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text() | st.floats(allow_nan=False, width=64)
)
values = st.recursive(
    leaves.filter(lambda leaf: not isinstance(leaf, float) or math.isfinite(leaf)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=6), values, max_size=4), st.text(), st.integers(0, 2**40))
@settings(max_examples=120, deadline=None)
def test_bytes_are_canonical_and_say_the_decision(content: dict[str, object], actor: str, seq: int) -> None:
    decided = Decision(AT, "incident.opened", actor, {"incident": "12", 'quo"te': actor}, content)
    said = canonical(decided, seq)
    assert said == rfc8785.dumps(json.loads(said, parse_int=float))
    assert sealed(packed(decided), seq) == said
    entry = parse(said)
    assert (entry.seq, entry.decision, entry.content) == (seq, decided, said)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"seq":1}', b'"text"', b"[" * 100_000])
def test_other_bytes_are_no_entry(content: bytes) -> None:
    with pytest.raises(ValueError, match="not the entry of a decision"):
        parse(content)
