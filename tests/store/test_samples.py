"""The history of metrics and what was pushed: written, read back as it was known, forgotten."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from governance.bootstrap import engine as built
from governance.core.metric import Query, Sample, labels
from governance.engine import pushing
from governance.engine.parts import Engine
from governance.engine.pushing import StoredSamples
from governance.errors import Conflict
from governance.settings import Settings
from governance.sources.push import Push, PushConfig
from governance.store import pushed, samples
from governance.store.database import Database
from governance.store.pushed import PushedSample

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICIES = {
    "org.yaml": "kind: org\npeople: {ana: {}}\nsources: {pushed: {kind: push, keep: 2h}}\n",
    "m.yaml": """
kind: card
model: m
owners: {team: t, accountable: ana}
metrics: {x: {source: pushed, query: x}}
rules: [{rule: high, when: metrics.x > 0.5}]
""".lstrip(),
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/gov.db")
    made.create_tables()
    yield made
    made.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "policies").mkdir()
    for name, text in POLICIES.items():
        (tmp_path / "policies" / name).write_text(text, encoding="utf-8")
    made = built(Settings(home=tmp_path / ".gov", policies=tmp_path / "policies"), base=tmp_path)
    yield made
    made.database.close()


def at(minutes: float) -> datetime:
    return START + minutes * MINUTE


def series(*values: float | None, start: float = 0, **named: str) -> list[Sample]:
    return [
        Sample(value, at(start + n), labels(**named), 7)
        if value is not None
        else Sample(None, at(start + n), labels(**named), 0, "no_data", "no rows")
        for n, value in enumerate(values)
    ]


def record(database: Database, **answers: list[Sample]) -> None:
    with database.transaction() as connection:
        samples.record(connection, answers)


def between(database: Database, *keys: str, start: float = -1e6, end: float = 1e6) -> dict[str, list[Sample]]:
    with database.read() as connection:
        return samples.between(connection, keys, at(start), at(end))


def forget(database: Database, limits: dict[str, datetime], otherwise: datetime, limit: int = 1000) -> int:
    with database.transaction() as connection:
        return samples.forget(connection, limits, otherwise, limit)


def test_samples_come_back_as_they_were_by_time_then_labels(database: Database) -> None:
    b, a = series(0.1, None, 0.3, feature="b"), series(1.1, 1.2, math.inf, feature="a")
    record(database, psi=[*b, *a], other=series(5.0))
    assert between(database, "psi") == {"psi": [each for pair in zip(a, b, strict=True) for each in pair]}
    assert between(database, "psi", "other", "never") == {**between(database, "psi"), "other": series(5.0)}
    assert between(database) == {}


def test_the_start_is_left_out_and_the_end_is_not(database: Database) -> None:
    record(database, x=series(0.0, 1.0, 2.0, 3.0))
    assert [each.value for each in between(database, "x", start=1, end=2)["x"]] == [2.0]
    assert between(database, "x", start=3, end=9) == {}


def test_a_later_answer_for_the_same_time_replaces_the_earlier(database: Database) -> None:
    record(database, x=series(None, 0.5))
    record(database, x=series(0.9))
    assert [each.value for each in between(database, "x")["x"]] == [0.9, 0.5]
    assert between(database, "x")["x"][0].reason is None


def test_to_the_microsecond(database: Database) -> None:
    one = Sample(1.0, START.replace(microsecond=123457))
    record(database, x=[one])
    with database.read() as connection:
        assert samples.between(connection, ["x"], one.time - timedelta(microseconds=1), one.time) == {"x": [one]}
        assert samples.between(connection, ["x"], one.time, at(1)) == {}


def test_what_is_no_number_is_missing_with_its_reason(database: Database) -> None:
    record(database, x=series(math.nan))
    (found,) = between(database, "x")["x"]
    assert (found.value, found.reason, found.detail) == (None, "no_data", "not a number")


def test_more_questions_than_a_statement_takes(database: Database) -> None:
    record(database, **{f"q{n}": series(float(n)) for n in range(33_000)})
    found = between(database, *(f"q{n}" for n in range(40_000)))
    assert len(found) == 33_000
    assert found["q32999"] == series(32_999.0)


def test_spans(database: Database) -> None:
    with database.transaction() as connection:
        samples.set_spans(connection, {"x": (at(0), at(5)), "y": (at(1), at(1))})
        samples.set_spans(connection, {"x": (at(-3), at(9))})
        samples.set_spans(connection, {})
        assert samples.spans(connection, ["x", "y", "z"]) == {"x": (at(-3), at(9)), "y": (at(1), at(1))}


def test_forgetting_by_question_a_part_at_a_time(database: Database) -> None:
    record(database, long=series(*[1.0] * 10), short=series(*[2.0] * 10, feature="a"), gone=series(3.0))
    with database.transaction() as connection:
        spans = {"long": (at(0), at(9)), "short": (at(0), at(9)), "gone": (at(0), at(1))}
        samples.set_spans(connection, spans)
    counts = []
    while not counts or counts[-1] == 4:
        counts.append(forget(database, {"long": at(3), "short": at(7)}, at(5), limit=4))
    assert sum(counts) == 3 + 7 + 1 + 3  # samples, and spans
    assert max(counts) == 4
    found = between(database, "long", "short", "gone")
    assert {key: each[0].time for key, each in found.items()} == {"long": at(3), "short": at(7)}
    with database.read() as connection:
        kept = {"long": (at(3), at(9)), "short": (at(7), at(9))}
        assert samples.spans(connection, ["long", "short", "gone"]) == kept
    assert forget(database, {"long": at(3), "short": at(7)}, at(5)) == 0


def test_a_series_that_ended_goes_and_may_come_again(database: Database) -> None:
    record(database, x=[*series(1.0, feature="old"), *series(2.0, start=50, feature="new")])
    assert forget(database, {}, at(10)) == 1
    assert between(database, "x") == {"x": series(2.0, start=50, feature="new")}
    record(database, x=series(3.0, start=60, feature="old"))
    assert len(between(database, "x")["x"]) == 2


def test_what_was_known_at_an_instant_stays_known(database: Database) -> None:
    reader = StoredSamples(database)
    for minutes, value in ((5, 0.1), (20, 0.9)):  # the second corrects the first
        with database.transaction() as connection:
            pushed.add(connection, "p", [PushedSample("m", "x", at(1), value)], actor="ana", at=at(minutes))

    def values(known_by: datetime) -> list[float | None]:
        found = reader.pushed("p", "m", "x", start=at(0), end=at(30), known_by=known_by)
        return [each.value for each in found]

    assert [values(at(minutes)) for minutes in (4, 5, 19, 20)] == [[], [0.1], [0.1], [0.9]]


def test_the_past_is_answered_as_it_was_answered_then(database: Database) -> None:
    source = Push(PushConfig())
    source.read_from("p", StoredSamples(database))
    arrivals = [(1, 1, 0.1, "a"), (2, 6, 0.2, "a"), (4, 4, 0.4, "b"), (9, 9, 0.9, "a")]
    for time, arrival, value, feature in arrivals:
        with database.transaction() as connection:
            one = PushedSample("m", "x", at(time), value, labels(feature=feature))
            pushed.add(connection, "p", [one], actor="ana", at=at(arrival))
    query = Query("p", text="x", window=5 * MINUTE, offset=MINUTE, parameters=labels(model="m"))
    found = source.past([query], start=at(0), end=at(12), step=MINUTE)[query].samples
    expected = [
        replace(each, time=at(minute) - query.offset)
        for minute in range(13)
        for each in source.sample([query], at=at(minute))[query].samples
    ]
    assert sorted(found, key=lambda each: (each.time, each.labels)) == sorted(
        expected, key=lambda each: (each.time, each.labels)
    )
    assert {each.value for each in found} == {0.1, 0.2, 0.4, 0.9}


def test_one_push_under_one_key_whoever_is_first(engine: Engine) -> None:
    batch = [PushedSample("m", "x", at(0), 0.5)]
    found: list[bool] = []

    def push() -> None:
        found.append(pushing.push(engine, "pushed", batch, key="k", actor="ana", at=at(0)).replayed)

    threads = [threading.Thread(target=push) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == [False, True, True, True]


def test_a_key_is_free_again_after_a_day(engine: Engine) -> None:
    def push(hours: float) -> bool:
        now = at(60 * hours)
        return pushing.push(engine, "pushed", [PushedSample("m", "x", now, 1.0)], key="k", actor="ana", at=now).replayed

    assert push(0) is False
    with pytest.raises(Conflict):
        push(23.9)
    assert push(24.1) is False


def test_samples_are_kept_as_long_as_their_source_says(engine: Engine) -> None:
    for minute in range(0, 240, 60):
        one = PushedSample("m", "x", at(minute), float(minute))
        pushing.push(engine, "pushed", [one], key=str(minute), actor="ana", at=at(minute))
    assert pushing.forget(engine, at(200), limit=1) == 1
    assert pushing.forget(engine, at(200), limit=10) == 1
    assert pushing.forget(engine, at(200), limit=10) == 0
    known = StoredSamples(engine.database).pushed("pushed", "m", "x", start=at(-1), end=at(999), known_by=at(999))
    assert [each.value for each in known] == [120.0, 180.0]


def test_who_pushed_is_in_the_row(engine: Engine) -> None:
    pushing.push(engine, "pushed", [PushedSample("m", "x", at(0), 1.0)], key="k", actor="ana", at=at(0))
    with engine.database.read() as connection:
        assert connection.exec_driver_sql("SELECT actor FROM pushed_sample").scalar() == "ana"
