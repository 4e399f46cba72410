"""SQL to a real PostgreSQL: its types, its time zones, what may not be written, and its death in the middle."""

import threading
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from contract.sources.postgresql import PASSWORD, Proxy, server

from governance.core.metric import Query, Sample, labels
from governance.sources.sql import Sql, SqlConfig

NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)  # five hours after the clocks of New York, the server's zone, changed
HOUR = timedelta(hours=1)


@pytest.fixture
def postgresql():
    """A server on which `m` was asked at each full hour; a column each for instants with and without a zone."""
    made = server()
    made.execute(
        "create table t (at timestamptz, plain timestamp, day date, n int)",
        "insert into t select x, x at time zone 'UTC', x at time zone 'UTC', row_number() over () "
        "from generate_series(timestamptz '2024-03-09 00:00Z', '2024-03-10 20:00Z', '1 hour') x",
    )
    yield made
    made.execute("drop table t")


@pytest.fixture
def source(postgresql, monkeypatch, tmp_path):
    return built(postgresql.port, monkeypatch, tmp_path)


def built(port, monkeypatch, directory, *, password=PASSWORD, host="127.0.0.1", **settings):
    url = f"postgresql://owner:{quote(password, safe='')}@{host}:{port}/postgres"
    monkeypatch.setenv("GOV_TEST_URL", url)
    settings = {"timeout": "5s", **settings}
    return Sql(SqlConfig(address_env="GOV_TEST_URL", **settings), directory, lambda: NOON)


def ask(source, text, **more):
    query = Query("s", text=text, parameters=labels(model="m"), **more)
    return source.sample([query], at=NOON)[query]


def only(answer):
    assert not answer.failure, answer.failure
    assert len(answer.samples) == 1
    return answer.samples[0]


def failure(answer):
    assert not answer.samples
    return answer.failure


def backends(postgresql):
    """Return what our sessions do."""
    return postgresql.execute("select state, query from pg_stat_activity where application_name = 'gov'")


def gone(postgresql, seconds=3):
    end = time.monotonic() + seconds
    while backends(postgresql) and time.monotonic() < end:
        time.sleep(0.02)
    return not backends(postgresql)


@pytest.mark.parametrize("column", ["at", "plain"])
def test_the_window_is_right_with_and_without_a_zone(source, column):
    text = f"select count(*) as value, max({column}) as time from t where {column} > :since and {column} <= :at"
    assert only(ask(source, text, window=3 * HOUR, offset=HOUR)) == Sample(3.0, NOON - HOUR)


def test_a_date_is_its_midnight(source):
    text = "select count(*) as value, max(day) as time from t where at <= :at"
    assert only(ask(source, text)) == Sample(37.0, NOON - 12 * HOUR)


def test_casts_percent_signs_and_colons_are_left_alone(source):
    text = """
        select :model::text as model, '10:30'::time as "at:", 'a%' like 'a%' as b, 7 % 4 as value -- it's :nobody
        where :at::timestamptz is not null /* :nobody */"""
    assert only(ask(source, text)) == Sample(3.0, NOON, labels(**{"model": "m", "at:": "10:30:00", "b": "true"}))
    assert only(ask(source, "select 7 % 4 as value, 'a%:x' as label")).labels == labels(label="a%:x")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1.5::numeric", 1.5),
        ("9007199254740993::bigint", 9007199254740992.0),
        ("(select avg(n) from t)", 23.0),
        ("'NaN'::numeric", "NaN"),
        ("'NaN'::float8", "NaN"),
        ("'-Infinity'::numeric", "-inf"),
        ("'Infinity'::float4", "+inf"),
        ("1e400::numeric", "+inf"),
        ("null::numeric", "no rows in the window"),
    ],
)
def test_numbers(source, expression, value):
    sample = only(ask(source, f"select {expression} as value"))
    assert (sample.detail if sample.value is None else sample.value) == value
    assert (sample.reason == "no_data") == (sample.value is None)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("true", "the value True is no number: write avg(case"),
        ("'5'::text", "is no number: write cast"),
        ("interval '1 hour'", "is no number"),
        ("array[1]", "is no number"),
    ],
)
def test_what_is_no_number(source, expression, sentence):
    assert sentence in failure(ask(source, f"select {expression} as value"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("with x as (insert into t (n) values (1) returning n) select n as value from x", "data-modifying"),
        ("select nextval('numbers') as value", "read-only transaction"),
        ("select n as value from t for update", "read-only transaction"),
        ("select 1 as value into copy_of_t", "INTO"),
        ("select set_config('transaction_read_only', 'off', true)", "must be set before any query"),
        ("select 1); delete from t; --", "more than one statement"),
        ("select 1 from (select 1) x); select (1", "more than one statement"),
        ("select 1) union (select 2", "syntax error"),
    ],
)
def test_nothing_is_written(source, postgresql, text, sentence):
    postgresql.execute("create sequence numbers")
    before = postgresql.execute("select count(*), sum(n) from t")
    try:
        assert sentence in failure(ask(source, text))
        assert postgresql.execute("select count(*), sum(n) from t") == before
        assert postgresql.execute("select is_called from numbers") == [(False,)]
    finally:
        postgresql.execute("drop sequence numbers")


def test_a_session_that_was_told_to_write_is_told_again_not_to(postgresql, monkeypatch, tmp_path):
    asked = built(postgresql.port, monkeypatch, tmp_path, connections=1)
    told = "select pg_backend_pid() as pid, set_config('default_transaction_read_only', 'off', false) as x, 1 as value"
    first, second = Query("s", text=told), Query("s", text="select pg_backend_pid() as pid, 1 as value")
    third = Query("s", text="select n as value from t for update")
    answers = asked.sample([first, second, third], at=NOON)
    assert only(answers[first]).labels[0] == only(answers[second]).labels[0]  # one session
    assert "read-only transaction" in failure(answers[third])


def test_what_even_a_read_only_transaction_may_make_is_rolled_back(source, postgresql):
    ask(source, "select lo_create(0)::bigint as value")
    assert postgresql.execute("select count(*) from pg_largeobject_metadata") == [(0,)]


def test_a_query_that_runs_for_ever_ends_on_the_server_too(postgresql, monkeypatch, tmp_path):
    asked = built(postgresql.port, monkeypatch, tmp_path, timeout="300ms")
    begun = time.monotonic()
    said = failure(ask(asked, "select 1 as value from pg_sleep(60)"))
    assert time.monotonic() - begun < 10
    assert said.startswith("did not answer within 0.3s")
    assert gone(postgresql)


def test_a_query_that_lifts_its_own_limit_ends_too(postgresql, monkeypatch, tmp_path):
    asked = built(postgresql.port, monkeypatch, tmp_path, timeout="300ms")
    text = "select count(*) from (select set_config('statement_timeout', '0', true)) x, lateral pg_sleep(2)"
    begun = time.monotonic()
    assert failure(ask(asked, text)).startswith("did not answer within 0.3s")
    assert time.monotonic() - begun < 1.5


def test_a_locked_table_is_waited_for_no_longer(postgresql, monkeypatch, tmp_path):
    asked = built(postgresql.port, monkeypatch, tmp_path, timeout="300ms")
    with postgresql.locked("t"):
        assert failure(ask(asked, "select n as value from t")).startswith("did not answer within 0.3s")
    assert only(ask(asked, "select count(*) from t")).value == 45


def test_a_hundred_million_rows_are_not_fetched(source):
    said = failure(ask(source, "select generate_series(1, 1000000000) as value, 1 as label"))
    assert "more than 1000 rows, at most 1000" in said


def test_connections_are_few_and_none_is_left(postgresql, monkeypatch, tmp_path):
    asked = built(postgresql.port, monkeypatch, tmp_path, connections=2)
    assert gone(postgresql)  # of the tests before
    text = "select count(*) from pg_stat_activity, pg_sleep(0.05) where application_name = 'gov' and :at is not null"
    queries = [Query("s", text=text, window=n * HOUR) for n in range(1, 9)]
    answers = asked.sample(queries, at=NOON)
    assert 1 <= max(only(each).value for each in answers.values()) <= 2
    assert gone(postgresql)


@pytest.mark.parametrize("password", ["wr0ng pass/word:@", "hunter2hunter2"])
def test_a_wrong_password_is_told_and_not_shown(postgresql, monkeypatch, tmp_path, password):
    said = failure(ask(built(postgresql.port, monkeypatch, tmp_path, password=password), "select 1"))
    assert "password authentication failed" in said
    assert password not in said
    assert quote(password, safe="") not in said


def test_a_host_that_is_not_there(monkeypatch, tmp_path):
    said = failure(ask(built(5432, monkeypatch, tmp_path, host="no-such-host.invalid"), "select 1"))
    assert "no-such-host.invalid" in said
    assert PASSWORD not in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("select n from nowhere", 'relation "nowhere" does not exist'),
        ("select 1 / 0", "division by zero"),
        ("select n as value from t where at > 'noon'", "invalid input syntax"),
    ],
)
def test_the_servers_own_sentence(source, text, sentence):
    said = failure(ask(source, text))
    assert sentence in said
    assert "\n" not in said


def test_a_session_that_is_ended_fails_its_question_only(source, postgresql):
    slow = Query("s", text="select 1 as value from pg_sleep(5)")
    quick = [Query("s", text="select 2 as value", window=n * HOUR) for n in range(1, 9)]
    ended = threading.Thread(target=_end_the_sleeper, args=(postgresql,))
    ended.start()
    answers = source.sample([slow, *quick], at=NOON)
    ended.join()
    assert "terminating connection" in failure(answers[slow])
    assert {only(answers[each]).value for each in quick} == {2.0}


def _end_the_sleeper(postgresql):
    end = time.monotonic() + 4
    sleeper = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'"
    while not postgresql.execute(sleeper) and time.monotonic() < end:
        time.sleep(0.02)


def test_a_server_that_dies_and_comes_back(source, postgresql):
    assert only(ask(source, "select count(*) from t")).value == 45
    postgresql.stop()
    try:
        assert "onnection refused" in failure(ask(source, "select count(*) from t"))
    finally:
        postgresql.start()
    assert only(ask(source, "select count(*) from t")).value == 45


def test_a_network_that_swallows_everything_in_the_middle(postgresql, monkeypatch, tmp_path):
    proxy = Proxy(postgresql.port)
    asked = built(proxy.port, monkeypatch, tmp_path, timeout="500ms", connections=1)
    stalled = threading.Timer(0.15, lambda: setattr(proxy, "stalled", True))
    queries = [Query("s", text="select 1 as value from pg_sleep(0.3)", window=n * HOUR) for n in range(1, 20)]
    try:
        stalled.start()
        begun = time.monotonic()
        answers = asked.sample(queries, at=NOON)
        assert time.monotonic() - begun < 5, "each of them waited for its time limit"
        assert failure(answers[queries[-1]]) == "not asked, as the database does not answer"
        for each in [each for each in threading.enumerate() if each.name == "sql"]:
            each.join(timeout=10)
            assert not each.is_alive(), "a thread was left to wait for a network that answers nothing"
        proxy.stalled = False
        assert only(ask(asked, "select count(*) from t")).value == 45
    finally:
        stalled.join()
        proxy.close()


def test_the_past_comes_over_one_connection(postgresql, monkeypatch, tmp_path):
    asked = built(postgresql.port, monkeypatch, tmp_path)
    text = "select count(*) as value, pg_backend_pid() as pid from t where plain > :since and plain <= :at"
    query = Query("s", text=text, window=2 * HOUR)
    samples = asked.past([query], start=NOON - 9 * HOUR, end=NOON, step=HOUR)[query].samples
    assert [each.time for each in samples] == [NOON - n * HOUR for n in range(9, -1, -1)]
    assert {each.value for each in samples} == {2.0}
    assert len({each.labels for each in samples}) == 1
