"""SQL to SQLite files: windows, what a row may hold, parameters, limits, and that nothing is ever written."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from governance import plugins
from governance.core.card import Card
from governance.core.metric import Query, Sample, labels
from governance.core.organisation import Plugin
from governance.core.plan import evaluation_plan
from governance.engine.collect import collect
from governance.errors import InvalidDocument, Unavailable
from governance.loader import load_text
from governance.ports import PastSource
from governance.sources.sql import Sql, SqlConfig
from governance.sources.sql import line as line_module
from governance.sources.sql import round as round_module
from governance.sources.sql.statement import statement

NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n where :at is not null"


def file(directory, *statements):
    with closing(sqlite3.connect(directory / "w.db")) as connection, connection:
        for each in statements:
            connection.execute(each)


def source(directory, *, now=NOON, **settings):
    return Sql(SqlConfig(address="sqlite:///w.db", **settings), directory, lambda: now)


@pytest.fixture
def warehouse(tmp_path):
    """Decisions at every full hour of ten days; the value is the number of the hour."""
    file(tmp_path, "create table decisions (at text, model text, score real)")
    with closing(sqlite3.connect(tmp_path / "w.db")) as connection, connection:
        rows = [(f"{NOON - n * HOUR:%Y-%m-%d %H:%M:%S}", "m", 240 - n) for n in range(-5, 240)]
        connection.executemany("insert into decisions values (?, ?, ?)", rows)
    return tmp_path


def ask(source, text, *, at=NOON, **more):
    query = Query("s", text=text, parameters=labels(model="m", tier="1"), **more)
    return source.sample([query], at=at)[query]


def only(answer):
    assert not answer.failure, answer.failure
    assert len(answer.samples) == 1
    return answer.samples[0]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("select a::text, b :: int from t where c = :model", {"model"}),
        ("select ':model', '10:30', 'it''s :x', e'\\':x', \"co:l\", `co:l` from t where a=:at", {"at"}),
        ("select $$ :x $$, $tag$ :y; $$ $tag$, :since", {"since"}),
        ("select a[1:2], a[1:n], j->>'a:b' -- it's :x;\n from t /* :y; ' */ where a <= :at;", {"at"}),
        ("select :model::text", {"model"}),
        ("-- why\n (select 1)", set()),
        ("VALUES (1)", set()),
        ("select 1; -- the end", set()),
    ],
)  # fmt: skip
def test_parameters_are_found_outside_of_quotes_comments_and_casts(text, names):
    assert statement(text).parameters == names


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        (" ; -- nothing", "is empty"),
        ("select 1; select 2", "more than one statement"),
        ("select ';'; commit", "more than one statement"),
        ("insert into t values (1)", "begins with 'insert'"),
        ("/* select */ drop table t", "begins with 'drop'"),
        ("pragma query_only = off", "begins with 'pragma'"),
        ("attach 'x' as y", "begins with 'attach'"),
        ("$$ select", "begins with ''"),
    ],
)
def test_only_one_statement_that_reads_is_sent(text, sentence):
    with pytest.raises(Unavailable, match=sentence):
        statement(text)


def test_the_window_is_half_open_and_ends_before_the_offset(warehouse):
    text = (
        "select min(score) as value, max(at) as time, count(*) as count from decisions where at > :since and at <= :at"
    )
    sample = only(ask(source(warehouse), text, window=3 * HOUR, offset=2 * HOUR))
    assert sample == Sample(236.0, NOON - 2 * HOUR, (), 3)


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.000"])
def test_texts_that_sqlite_holds_compare_with_the_bounds(tmp_path, form):
    file(tmp_path, "create table t (at text)")
    inside, outside = [NOON, NOON - HOUR + timedelta(seconds=1)], [NOON - HOUR, NOON + timedelta(seconds=1)]
    file(tmp_path, *(f"insert into t values ('{each.strftime(form)}')" for each in inside + outside))
    text = "select count(*) as value, min(at) as first, max(at) as last from t where at > :since and at <= :at"
    first, last = (each.strftime(form) for each in reversed(inside))
    assert only(ask(source(tmp_path), text)) == Sample(2.0, NOON, labels(first=first, last=last))


@pytest.mark.parametrize(
    ("form", "column"), [("%Y-%m-%dT%H:%M:%SZ", "datetime(at)"), ("%s", "datetime(at, 'unixepoch')")]
)
def test_other_forms_are_converted_in_the_query(tmp_path, form, column):
    file(tmp_path, "create table t (at)")
    instants = [NOON, NOON - timedelta(minutes=1), NOON - HOUR, NOON + timedelta(seconds=1)]
    file(tmp_path, *(f"insert into t values ('{each.strftime(form)}')" for each in instants))
    text = f"select count(*) from t where {column} > datetime(:since) and {column} <= datetime(:at)"
    assert only(ask(source(tmp_path), text)).value == 2
    assert only(ask(source(tmp_path), f"{text} and {column} <> datetime(:at)")).value == 1


def test_parameters_come_from_the_card_and_are_bound(warehouse):
    query = Query(
        "s", text="select :model as label, :tier as tier, 1 as value", parameters=labels(model="x' or 1=1 --", tier="1")
    )
    answer = source(warehouse).sample([query], at=NOON)[query]
    assert only(answer).labels == labels(label="x' or 1=1 --", tier="1")


def test_an_unknown_parameter_is_named_with_the_known_ones(warehouse):
    said = ask(source(warehouse), "select count(*) from decisions where model = :modle and at <= :at").failure
    assert ":modle" in said
    assert ":at, :model, :since, :tier" in said


@pytest.mark.parametrize(
    ("row", "sample"),
    [
        ("3", Sample(3.0, NOON)),
        ("2.5 as value, 'a' as origin, 7 as n, null as x", Sample(2.5, NOON, labels(n="7", origin="a", x="null"))),
        ("1 as VALUE, 20.0 as Count", Sample(1.0, NOON, (), 20)),
        ("null as value", Sample(None, NOON, reason="no_data", detail="no rows in the window")),
        ("null as value, null as time", Sample(None, NOON, reason="no_data", detail="no rows in the window")),
        ("1 as value, null as time", Sample(None, NOON, reason="no_data", detail="its time is NULL")),
        ("1 as value, null as count", Sample(None, NOON, reason="no_data", detail="its count is NULL")),
        ("9e999 as value", Sample(None, NOON, reason="no_data", detail="+inf")),
        ("1 as value, '2024-03-10T12:30:00+02:00' as time", Sample(1.0, NOON - 1.5 * HOUR)),
        ("1 as value, '2024-03-10' as time", Sample(1.0, NOON - 12 * HOUR)),
    ],
)  # fmt: skip
def test_what_a_row_means(tmp_path, row, sample):
    file(tmp_path)
    assert only(ask(source(tmp_path), f"select {row}")) == sample


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("'12' as value", "'12' is no number: write cast"),
        ("x'00' as value", "is no number"),
        ("1 as a, 2 as b", "no column is named 'value', there are a, b"),
        ("1 as value, 2 as value", "two columns are named 'value'"),
        ("1 as value, -1 as count", "the count -1 is no number of rows"),
        ("1 as value, 1.5 as count", "the count 1.5 is no number of rows"),
        ("1 as value, 1710072000 as time", "the time 1710072000 is no timestamp"),
        ("1 as value, 'noon' as time", "the time 'noon' is no timestamp"),
        ("1 as value, '2024-03-10 12:00:01' as time", "later than 2024-03-10 12:00:00"),
    ],
)
def test_what_a_row_may_not_hold(tmp_path, row, sentence):
    file(tmp_path)
    answer = ask(source(tmp_path), f"select {row}")
    assert sentence in answer.failure
    assert not answer.samples


def test_no_rows_are_no_samples_and_no_failure(warehouse):
    answer = ask(source(warehouse), "select score as value from decisions where at > '2030' and at <= :at")
    assert answer.samples == ()
    assert answer.failure == ""


@pytest.mark.parametrize(
    "text",
    [
        "with x as (select 1) insert into decisions select '', '', 1 from x",
        "with x as (select 1) delete from decisions",
        "select load_extension('x')",
    ],
)
def test_nothing_is_written(warehouse, text):
    before = (warehouse / "w.db").read_bytes()
    assert ask(source(warehouse), text).failure
    assert (warehouse / "w.db").read_bytes() == before
    assert [each.name for each in warehouse.iterdir()] == ["w.db"]


def test_a_file_that_is_missing_is_not_created(tmp_path):
    said = ask(source(tmp_path), "select 1").failure
    assert f"no file {tmp_path / 'w.db'}" in said
    assert not list(tmp_path.iterdir())


def test_a_query_that_runs_for_ever_ends_at_the_limit_and_harms_no_other(warehouse):
    asked = source(warehouse, timeout="200ms")
    endless, good = Query("s", text=ENDLESS), Query("s", text="select count(*) from decisions where at <= :at")
    more = [Query("s", text=ENDLESS, window=n * HOUR) for n in range(2, 10)]
    begun = time.monotonic()
    answers = asked.sample([endless, *more, good], at=NOON)
    assert time.monotonic() - begun < 3
    assert "did not answer within 0.2s" in answers[endless].failure
    assert answers[good].samples[0].value == 240


def test_a_round_ends_before_the_engine_stops_waiting(warehouse, monkeypatch):
    monkeypatch.setattr(round_module, "SECONDS", 0.3)
    good = Query("s", text="select count(*) from decisions where at <= :at")
    endless = [Query("s", text=ENDLESS, window=n * HOUR) for n in range(1, 9)]
    begun = time.monotonic()
    answers = source(warehouse, timeout="20s", connections=1).sample([good, *endless], at=NOON)
    assert time.monotonic() - begun < 10
    assert answers[good].samples[0].value == 240
    assert "the questions to this database took" in answers[endless[-1]].failure


def test_too_many_rows_are_not_even_fetched(warehouse):
    text = "with recursive n(x) as (select 1 union all select x + 1 from n) select x as value, x as label from n"
    assert "more than 1000 rows, at most 1000" in ask(source(warehouse), text).failure


def test_the_past_is_what_each_instant_saw(warehouse):
    text = "select max(score) as value, count(*) as count from decisions where at > :since and at <= :at"
    query = Query("s", text=text, window=2 * HOUR, offset=HOUR)
    asked = source(warehouse, now=NOON + 1000 * HOUR)
    assert isinstance(asked, PastSource)
    found = asked.past([query], start=NOON - 5 * HOUR, end=NOON - HOUR / 2, step=2 * HOUR)[query]
    instants = [NOON - 5 * HOUR, NOON - 3 * HOUR, NOON - HOUR]
    assert found.samples == tuple(asked.sample([query], at=at)[query].samples[0] for at in instants)
    assert [(each.time, each.value) for each in found.samples] == [
        (NOON - 6 * HOUR, 234), (NOON - 4 * HOUR, 236), (NOON - 2 * HOUR, 238)
    ]  # fmt: skip


def test_a_query_without_an_end_answers_only_for_the_present(warehouse):
    text = "select count(*) from decisions where at > :since"
    assert only(ask(source(warehouse), text, at=NOON)).value == 6
    said = ask(source(warehouse, now=NOON + HOUR), text).failure
    assert "does not name :at" in said
    query = Query("s", text=text)
    past = source(warehouse).past([query], start=NOON - HOUR, end=NOON, step=HOUR)[query]
    assert "does not name :at" in past.failure


def test_the_past_that_takes_too_long_is_a_failure(warehouse, monkeypatch):
    monkeypatch.setattr(round_module, "SECONDS", 0.0)
    query = Query("s", text="select count(*) from decisions where at <= :at")
    answer = source(warehouse).past([query], start=NOON - HOUR, end=NOON, step=HOUR)[query]
    assert "not asked to its end" in answer.failure


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"address": "postgresql://gov:hunter2@db/x"}, "put the URL in the environment and name it with address_env"),
        ({"address": "postgresql://gov:p#x?/@db/x"}, "put the URL in the environment"),
        ({"address": "mysql://db/x?password=hunter2"}, "put the URL in the environment"),
        ({"address": "db.example.com"}, "must be a database URL"),
        ({}, "give either `address` or `address_env`"),
        ({"address": "sqlite:///a", "address_env": "A"}, "give either `address` or `address_env`"),
        ({"address_env": "A", "timeout": "0s"}, "must be longer than 0s"),
        ({"address_env": "A", "connections": 0}, "greater than or equal to 1"),
        ({"address_env": "A", "pool": 3}, "Extra inputs"),
    ],
)
def test_settings_that_are_wrong(tmp_path, settings, sentence):
    with pytest.raises(InvalidDocument, match=sentence) as caught:
        plugins.built(plugins.SOURCES, "warehouse", Plugin(kind="sql", **settings), directory=tmp_path)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "the environment variable GOV_TEST_URL is not set"),
        ("hunter2", "GOV_TEST_URL holds no database URL"),
        ("nosuch://gov:hunter2@db/x", "no driver for nosuch://"),
        ("postgresql+nosuch://gov:hunter2@db/x", r"no driver for postgresql\+nosuch://"),
        ("postgresql://gov:hunter2@db:port/x", "GOV_TEST_URL holds no database URL"),
    ],
)
def test_an_address_that_is_wrong_in_the_environment(tmp_path, monkeypatch, value, sentence):
    monkeypatch.setenv("GOV_TEST_URL", value)
    asked = Sql.configured(SqlConfig(address_env="GOV_TEST_URL"), tmp_path)
    query = Query("s", text="select 1")
    with pytest.raises(AssertionError, match=sentence) as caught:
        only(asked.sample([query], at=NOON)[query])
    assert "hunter2" not in str(caught.value)


CARD = """
kind: card
model: m
owners: {team: t}
metrics:
  approvals:
    source: warehouse
    labels: [model]
    query: >
      select model, avg(score) as value from decisions
      where model = :model and at > :since and at <= :at group by model
rules:
  - {rule: low, when: metrics.approvals < 0.5, severity: warning}
"""


def test_a_metric_of_a_card_is_answered_by_its_warehouse(warehouse):
    card, problems = load_text(CARD, "m.yaml", {"card": Card})
    assert card is not None, problems
    plan = evaluation_plan([card], [])
    assert not plan.problems
    plugin = Plugin(kind="sql", address="sqlite:///w.db")
    sources = {"warehouse": plugins.built(plugins.SOURCES, "warehouse", plugin, directory=warehouse)}
    answers = collect(plan.policies[0].rules[0].queries, sources, NOON)
    assert [each.samples for each in answers.values()] == [(Sample(240.0, NOON, labels(model="m")),)]


def test_the_library_is_loaded_only_when_a_question_is_asked():
    code = "import sys, governance.sources.sql; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_driver_that_can_be_interrupted_is_when_its_time_is_over(tmp_path, monkeypatch):
    """The limit of a dialect that the source knows nothing of: no query runs on behind it."""
    said = []
    ended = line_module.Line._ended

    def watched(self, call):
        said.append(call.error)
        ended(self, call)

    monkeypatch.setattr(line_module.Line, "_ended", watched)
    duckdb.connect(str(tmp_path / "w.duckdb")).close()
    asked = Sql(SqlConfig(address=f"duckdb:///{tmp_path}/w.duckdb", timeout="200ms"), tmp_path, lambda: NOON)
    endless = "select sum(a.range * b.range) from range(100000000) a, range(100000000) b where :at is not null"
    assert ask(asked, endless).failure == "did not answer within 0.2s"
    end = time.monotonic() + 10
    while not said and time.monotonic() < end:
        time.sleep(0.01)
    assert "INTERRUPT" in str(said[0])
