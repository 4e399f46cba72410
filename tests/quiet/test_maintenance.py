"""A maintenance window keeps people from being told and paged, ends by itself, and lets every resolution through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from interfaces.inside import CARDS, START, Inside, inside
from quiet.fleet import Fleet
from scenarios.story import Collector

from governance.core.requested import WrittenSilence
from governance.engine import silences
from governance.errors import InvalidDocument, NotFound
from governance.policies import policies

HOUR = timedelta(hours=1)
PEOPLE = {"people": {"ana": {"email": "ana@example.com"}}}
POLICY = {"escalations": {"all": {"levels": [{"after": "0m", "to": [{"person": "ana"}]}]}}}
CHAIN = {"feed": (), "price": ("feed",), "other": ()}


class Pager(Collector):
    """Reaches people."""

    REACHES = frozenset({"people"})


def maintained(fleet: Fleet, hours: float = 1, **more: Any) -> str:
    at = fleet.now
    done = silences.create(
        fleet.engine,
        because="the warehouse moves",
        until=at + hours * HOUR,
        actor="ana",
        at=at,
        maintenance=True,
        **more,
    )
    return done.silence.id


def test_in_it_nobody_is_told_or_paged_and_after_it_of_what_is_still_open() -> None:
    fleet, pager = Fleet(CHAIN, organisation={**PEOPLE, **POLICY}, page="all"), Pager()
    fleet.engine.notifiers = {"chat": fleet.ears, "pager": pager}
    name = maintained(fleet, models=["feed", "price"])
    fleet.look(feed=0.9, other=0.9)
    assert [each.message.model for each in fleet.ears.effects + pager.effects] == ["other", "other"]
    assert fleet.open() == {"feed": ["feed"], "other": ["other"]}, "it is judged all the same"
    number = next(each.id for each in fleet.incidents() if each.model == "feed")
    said = f"in maintenance by ana until 2026-01-05 09:00 UTC ({name}): the warehouse moves"
    assert [each.receipt for each in fleet.why(number)] == [said, said], "who asks why learns it, of the page too"
    fleet.look(58)
    assert len(pager.effects) == 1
    fleet.look()
    assert [each.message.model for each in pager.effects] == ["other", "feed"], "the clock goes on"
    assert fleet.told[-1] == (number, "first")


def test_a_resolution_gets_through_and_what_ended_meanwhile_is_not_told() -> None:
    fleet = Fleet(CHAIN, organisation=PEOPLE)
    fleet.look(feed=0.6)
    maintained(fleet)
    fleet.look(other=0.6)
    fleet.look(feed=0.1, other=0.1)
    assert fleet.told == [(1, "first"), (1, "resolved"), (2, "resolved")]
    fleet.look(70)
    assert len(fleet.told) == 3


def test_what_joins_the_incident_of_a_maintained_model_is_not_told_either() -> None:
    fleet = Fleet(CHAIN, organisation=PEOPLE)
    maintained(fleet, models=["feed"])
    fleet.look(feed=0.6)
    fleet.look(price=0.9)
    assert fleet.open() == {"feed": ["feed", "price"]}
    assert fleet.told == []


def test_it_is_about_whole_models_that_there_are() -> None:
    fleet = Fleet(CHAIN, organisation=PEOPLE)
    with pytest.raises(InvalidDocument, match="about whole models"):
        maintained(fleet, models=["feed"], rule="high")
    with pytest.raises(NotFound, match="feeed"):
        maintained(fleet, models=["feeed"])
    with pytest.raises(InvalidDocument, match="within 31 days"):
        maintained(fleet, hours=24 * 32)


def test_one_that_repeats_keeps_its_hours_when_clocks_change() -> None:
    since, until = (
        datetime(2026, 3, 22, 1, tzinfo=UTC),
        datetime(2026, 3, 22, 3, tzinfo=UTC),
    )
    week, last = timedelta(days=7), datetime(2026, 4, 12, tzinfo=UTC)
    asked = WrittenSilence("k", "", "", (), "w", "ana", since, until, (), True, week, last, "Europe/Berlin")
    found = [asked.at(datetime(2026, month, day, hour, 30, tzinfo=UTC)) for month, day, hour in TIMES]
    assert [f"{each.since:%d %H:%M}-{each.until:%H:%M}" if each else "" for each in found] == [
        "", "22 01:00-03:00", "22 01:00-03:00", "", "29 01:00-02:00", "", "", "05 00:00-02:00", "", "",
    ]  # fmt: skip
    assert len({each.key for each in found if each}) == 3


TIMES = [
    (3, 22, 0), (3, 22, 1), (3, 22, 2), (3, 28, 1), (3, 29, 1), (3, 29, 2), (4, 4, 23), (4, 5, 0), (4, 5, 2), (4, 12, 0)
]  # fmt: skip
WINDOW = """
kind: maintenance
models: [loans, fraud]
because: The database moves.
by: bob
from: 2026-01-31T13:00Z
until: 2026-01-31T15:00Z
repeats: {every: 1d, until: 2026-02-03, zone: UTC}
"""


def follow(api: Inside, hours: float) -> list[tuple[str, list[str], str]]:
    """Return, as of so many hours after noon, the windows that hold."""
    api.clock.time = START + timedelta(hours=hours)
    at = api.clock.now()
    silences.follow_files(api.engine, at)
    silences.catch_up(api.engine, at)
    return [(each.by, each.models, f"{each.until:%d %H:%M}") for each in silences.listed(api.engine, at)]


def test_a_file_opens_each_window_once_and_ends_it(tmp_path: Path) -> None:
    api = inside(tmp_path / "own", {**CARDS, "window.yaml": WINDOW})
    both = ["loans", "fraud"]
    assert follow(api, 0.5) == []
    assert follow(api, 1) == follow(api, 2) == [("bob", both, "31 15:00")]
    assert follow(api, 3) == []
    assert follow(api, 25) == [("bob", both, "01 15:00")]
    silences.end(api.engine, "SIL-2", because="done", actor="bob", at=api.clock.now())
    assert follow(api, 25.5) == [], "what a person ended stays ended"
    assert follow(api, 49) == [("bob", both, "02 15:00")]
    assert follow(api, 73) == [], "it comes no more"
    shown = api.client.get("/v1/silences?ended=true").json()["items"]
    assert [(each["id"], each["maintenance"], each["state"]) for each in shown] == [
        ("SIL-3", True, "ended"),
        ("SIL-2", True, "ended"),
        ("SIL-1", True, "ended"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("fraud", "fruad", "2:17 no model 'fruad'"),
        ("by: bob", "by: bo", "4:5 no person 'bo'"),
        ("by: bob", "by: vic", "4:5 'vic' may not silence"),
        ("-31T15:00Z", "-31T12:00Z", "ends after it begins, and within 31 days"),
        ("every: 1d", "every: 12h", "repeats after whole days"),
        ("until: 2026-02-03,", "until: 2027-02-03,", "stops repeating after its first end, and within 366 days"),
        ("zone: UTC", "zone: Mars", "no time zone 'Mars'"),
        ("models: [loans, fraud]\n", "", ""),
        ("repeats: {every: 1d, until: 2026-02-03, zone: UTC}\n", "", ""),
    ],
)
def test_a_window_that_makes_no_sense_is_a_problem(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in WINDOW
    for name, text in {**CARDS, "window.yaml": WINDOW.replace(old, new)}.items():
        (tmp_path / name).write_text(text.lstrip(), encoding="utf-8")
    found = [f"{each.position.line}:{each.position.column} {each.message}" for each in policies([tmp_path]).problems]
    assert len(found) == bool(said), found
    assert all(said in each for each in found), found


def test_over_the_api_and_for_whom_it_is(tmp_path: Path) -> None:
    api = inside(tmp_path / "own", dict(CARDS))
    body = {"because": "moves", "until": "2026-01-31T14:00:00Z", "models": ["loans", "fraud"], "maintenance": True}
    secret = api.token("bob")
    done = api.as_(secret, "POST", "/v1/silences", json=body, headers={"Idempotency-Key": "k"}).json()
    assert done["silence"]["models"] == ["loans", "fraud"]
    assert api.as_(secret, "GET", "/v1/silences").json()["items"][0]["maintenance"] is True
