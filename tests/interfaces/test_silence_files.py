"""A silence in a file: it mutes while it is its time, and as long as the file says so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from interfaces.inside import CARDS, START, Inside, inside

from governance.engine import silences
from governance.policies import policies
from governance.store import decision_log

SILENCE = """
kind: silence
model: loans
rule: errors-high
because: The database moves.
by: bob
from: 2026-01-31T13:00Z
until: 2026-01-31T15:00Z
"""


def follow(api: Inside, hours: float) -> list[tuple[str, str]]:
    """Return, as of so many hours after noon, the silences that hold: by whom, and until when."""
    api.clock.time = START + timedelta(hours=hours)
    silences.follow_files(api.engine, api.clock.now())
    silences.catch_up(api.engine, api.clock.now())
    return [(each.by, f"{each.until:%H:%M}") for each in silences.listed(api.engine, api.clock.now())]


def entries(api: Inside) -> list[tuple[str, str]]:
    """Return the kind and the actor of every entry about a silence."""
    found = decision_log.tail(api.engine.database, 1000)
    return [
        (each.decision.kind, each.decision.actor)
        for each in reversed(found)
        if each.decision.kind.startswith("silence.")
    ]


def test_it_mutes_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    api = inside(tmp_path / "own", {**CARDS, "silence.yaml": SILENCE})
    assert follow(api, 0.5) == []
    assert follow(api, 1) == [("bob", "15:00")]
    assert follow(api, 2) == [("bob", "15:00")], "once"
    assert follow(api, 3) == []
    assert sorted(entries(api)) == [("silence.created", "bob"), ("silence.expired", "engine")]


def test_without_its_file_it_ends_and_what_a_person_ended_stays_ended(tmp_path: Path) -> None:
    api = inside(tmp_path / "own", {**CARDS, "silence.yaml": SILENCE})
    assert len(follow(api, 1)) == 1
    silences.end(api.engine, "SIL-1", because="done", actor="ana", at=api.clock.now())
    assert follow(api, 1.5) == []
    path = tmp_path / "own" / "policies" / "silence.yaml"
    path.write_text(SILENCE.lstrip().replace("15:00", "16:00"), encoding="utf-8")
    object.__setattr__(api.engine, "plan", policies([path.parent]).plan)
    assert follow(api, 1.6) == [("bob", "16:00")]
    path.unlink()
    object.__setattr__(api.engine, "plan", policies([path.parent]).plan)
    assert follow(api, 1.7) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("model: loans", "model: loan", "2:8 no model 'loan'"),
        ("errors-high", "errors-hi", "3:7 no rule 'errors-hi'"),
        ("by: bob", "by: bo", "5:5 no person 'bo'"),
        ("by: bob", "by: vic", "5:5 'vic' may not silence: it needs the role responder for loans"),
        ("model: loans\nrule: errors-high\n", "", ""),
        ("T15:00Z", "T12:00Z", "a silence ends after it begins, and within 31 days"),
        ("until: 2026-01", "until: 2026-03", "a silence ends after it begins, and within 31 days"),
    ],
)
def test_a_silence_that_makes_no_sense_is_a_problem(tmp_path: Path, old: str, new: str, said: str) -> None:
    for name, text in {**CARDS, "silence.yaml": SILENCE.replace(old, new)}.items():
        (tmp_path / name).write_text(text.lstrip(), encoding="utf-8")
    found = [f"{each.position.line}:{each.position.column} {each.message}" for each in policies([tmp_path]).problems]
    assert len(found) == bool(said), found
    assert all(said in each for each in found), found
