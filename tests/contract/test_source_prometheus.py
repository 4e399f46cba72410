"""PromQL to a real Prometheus that holds March 2013, and to one that scrapes us now."""

import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from contract.sources.fault_server import FaultServer
from contract.sources.programs import free_port, program, running

from governance.core.metric import Query, labels
from governance.ports import PastSource
from governance.sources.prometheus import Prometheus, PrometheusConfig

START = datetime(2013, 3, 1, tzinfo=UTC)
END = datetime(2013, 3, 31, tzinfo=UTC)
NOON = datetime(2013, 3, 10, 12, tzinfo=UTC)
STEP = timedelta(minutes=5)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ORIGINS = ("EWR", "JFK", "LGA")
GET = "apt-get install prometheus"


def share(origin, at):
    """Return the share of errors that the server was told for an origin and an instant."""
    return (ORIGINS.index(origin) + 1) / 100 + at.hour / 1000 + at.day / 100_000


def counted(at):
    """Return the number of predictions since the start of the month: ten a minute, more each day."""
    return int((at - START) / MINUTE) * 10 + at.day


def metrics_of_march():
    instants = [START + n * STEP for n in range((END - START) // STEP + 1)]
    yield "# TYPE error_share gauge"
    for origin in ORIGINS:
        for at in instants:
            yield f'error_share{{origin="{origin}"}} {share(origin, at)!r} {at.timestamp():.0f}'
    yield "# TYPE predictions counter"
    for at in instants:
        yield f"predictions_total {counted(at)} {at.timestamp():.0f}"
    yield "# EOF"


def source(address, **more):
    return Prometheus(PrometheusConfig(address=address, **more))


@pytest.fixture(scope="session")
def march(tmp_path_factory):
    """The address of a Prometheus whose blocks hold March 2013."""
    promtool, prometheus = program("promtool", GET), program("prometheus", GET)
    path = tmp_path_factory.mktemp("prometheus")
    (path / "march.txt").write_text("\n".join(metrics_of_march()) + "\n")
    (path / "empty.yml").write_text("scrape_configs: []\n")
    one_block = "--max-block-duration=744h"  # one for each two hours would take twenty seconds
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", one_block, path / "march.txt", path / "data"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with served(prometheus, path, "empty.yml", "--storage.tsdb.retention.time=100y") as (address, _):
        yield address


@contextmanager
def served(prometheus, path, config, *more):
    """Run Prometheus over <path>/data; its address."""
    address = f"http://127.0.0.1:{free_port()}"
    command = [
        prometheus,
        f"--config.file={path / config}",
        f"--storage.tsdb.path={path / 'data'}",
        f"--web.listen-address={address.removeprefix('http://')}",
        *more,
    ]
    with running(command, ready=f"{address}/-/ready", log=path / "log") as process:
        yield address, process


def ask(asked, text, *, at=NOON, **more):
    query = Query("s", text=text, **more)
    return asked.sample([query], at=at)[query]


def by_labels(answer):
    assert not answer.failure
    return {sample.labels: sample.value for sample in answer.samples}


@pytest.mark.parametrize("at", [START, NOON, NOON + timedelta(hours=7, minutes=5), END])
def test_instant(march, at):
    found = by_labels(ask(source(march), "error_share", at=at))
    assert found == {labels(origin=each): share(each, at) for each in ORIGINS}


def test_the_offset_moves_the_question_back(march):
    answer = ask(source(march), 'error_share{origin="JFK"}', offset=timedelta(days=2))
    assert [(each.value, each.time) for each in answer.samples] == [
        (share("JFK", NOON - timedelta(days=2)), NOON - timedelta(days=2))
    ]


def test_functions_and_scalars(march):
    assert by_labels(ask(source(march), "scalar(sum(error_share))")) == {
        (): pytest.approx(sum(share(each, NOON) for each in ORIGINS))
    }
    rate = by_labels(ask(source(march), "increase(predictions_total[1h])"))
    assert rate == {(): pytest.approx(600, rel=0.01)}


def test_what_comes_later_is_not_in_the_answer(march):
    just_before = NOON + STEP - timedelta(microseconds=1)
    assert by_labels(ask(source(march), 'error_share{origin="EWR"}', at=just_before)) == {
        labels(origin="EWR"): share("EWR", NOON)
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rate(error_share[5m]", "bad_data: "),
        ("error_share[5m]", "avg_over_time"),
        ('"text"', "gives a text"),
        ("error_share offset -1h", "looks into the future"),
        ("error_share OFFSET # a comment\n -1h", "looks into the future"),
        ("max_over_time(error_share[1h:5m] offset -1h)", "looks into the future"),
        ("error_share @ 1363000000", "the modifier @"),
        ("", "answers queries in PromQL"),
        ("error_share * on() group_left() error_share", "execution: "),
    ],
)
def test_what_cannot_be_answered_says_why(march, text, sentence):
    answer = ask(source(march), text)
    assert sentence in answer.failure
    assert not answer.samples


def test_an_at_sign_in_quotes_is_no_modifier(march):
    assert by_labels(ask(source(march), 'error_share{origin="a@b offset -1h"}')) == {}


def test_no_data_after_the_end(march):
    assert by_labels(ask(source(march), "error_share", at=END + timedelta(minutes=4)))
    assert by_labels(ask(source(march), "error_share", at=END + timedelta(minutes=6))) == {}


@pytest.mark.parametrize(("text", "detail"), [("0/0", "NaN"), ("vector(1)/0", "+Inf"), ("-vector(1)/0", "-Inf")])
def test_not_finite(march, text, detail):
    (sample,) = ask(source(march), text).samples
    assert (sample.value, sample.reason, sample.detail) == (None, "no_data", detail)


def test_too_many_series(march):
    failure = ask(source(march, max_series=2), "error_share").failure
    assert failure.startswith("3 series, at most 2 are taken")
    assert len(ask(source(march, max_series=3), "error_share").samples) == 3


def test_past(march):
    query, bad = Query("s", text="error_share", offset=HOUR), Query("s", text="sum(")
    assert isinstance(source(march), PastSource)
    answers = source(march).past([query, bad], start=NOON, end=NOON + HOUR, step=10 * MINUTE)
    assert "bad_data" in answers[bad].failure
    instants = [NOON - HOUR + n * 10 * MINUTE for n in range(7)]
    found = {(each.labels, each.time): each.value for each in answers[query].samples}
    assert found == {(labels(origin=o), at): share(o, at) for o in ORIGINS for at in instants}


def test_a_long_past_takes_several_requests_and_is_whole(march):
    query = Query("s", text="predictions_total")
    answer = source(march).past([query], start=START, end=END, step=MINUTE)[query]
    assert not answer.failure
    assert len(answer.samples) > 11_000
    assert [each.time for each in answer.samples] == [START + n * MINUTE for n in range(30 * 24 * 60 + 1)]
    assert answer.samples[-1].value == counted(END)


def test_past_is_what_each_instant_would_have_been_answered(march):
    query = Query("s", text="sum(error_share)")
    start, step = NOON + timedelta(seconds=7, microseconds=123_456), timedelta(minutes=3)
    past = source(march).past([query], start=start, end=start + 5 * step, step=step)[query]
    single = [ask(source(march), query.text, at=start + n * step).samples[0] for n in range(6)]
    assert list(past.samples) == single


def test_past_stops_at_the_end(march):
    query = Query("s", text="vector(1)")
    answer = source(march).past([query], start=NOON, end=NOON + timedelta(minutes=59), step=HOUR)[query]
    assert [each.time for each in answer.samples] == [NOON]


def test_a_tenant_and_a_user_are_named_to_the_server(monkeypatch):
    monkeypatch.setenv("PROM_PASSWORD", "pass-word")
    server = FaultServer()
    try:
        server.told["/prom/api/v1/query"] = {"status": "success", "data": {"resultType": "vector", "result": []}}
        asked = source(
            f"{server.address}/prom/",
            user="gov",
            password_env="PROM_PASSWORD",  # noqa: S106 (the name of a variable)
            headers={"X-Scope-OrgID": "flights"},
        )
        assert by_labels(ask(asked, "up")) == {}
    finally:
        server.close()
    (request,) = server.asked
    assert request.headers["x-scope-orgid"] == "flights"
    assert request.headers["authorization"] == "Basic Z292OnBhc3Mtd29yZA=="
    assert request.form == {"query": "up", "time": "1362916800.000", "timeout": "10s", "partial_response": "false"}


REMOTE = """
scrape_configs: []
remote_read: [{url: "http://127.0.0.1:PORT/read", read_recent: true, remote_timeout: 1s}]
"""


def test_an_answer_that_may_lack_a_part_is_a_failure(tmp_path):
    """A Prometheus whose remote storage is gone answers with what it has, and a warning."""
    (tmp_path / "remote.yml").write_text(REMOTE.replace("PORT", str(free_port())))
    with served(program("prometheus", GET), tmp_path, "remote.yml") as (address, _):
        query = Query("s", text="sum(error_share) or vector(0)")
        now = ask(source(address), query.text)
        past = source(address).past([query], start=NOON - HOUR, end=NOON, step=MINUTE)[query]
    for answer in (now, past):
        assert answer.failure.startswith("the server warns that its answer may not be whole: ")
        assert "connection refused" in answer.failure
        assert not answer.samples


@pytest.mark.parametrize(
    ("more", "whole"),
    [
        ({"warnings": ["PromQL info: metric might not be a counter"]}, True),
        ({"infos": ["PromQL info: metric might not be a counter"], "warnings": []}, True),
        ({"warnings": ["no StoreAPIs matched for this query"]}, False),
    ],
)
def test_what_is_said_of_the_style_of_a_query_is_no_warning(more, whole):
    server = FaultServer()
    try:
        data = {"resultType": "scalar", "result": [NOON.timestamp(), "1"]}
        server.told["/api/v1/query"] = {"status": "success", "data": data, **more}
        answer = ask(source(server.address), "1")
    finally:
        server.close()
    assert bool(answer.samples) == whole
    assert bool(answer.failure) != whole


class Metrics(BaseHTTPRequestHandler):
    """A model server that reports how many predictions it made."""

    def do_GET(self):
        body = b'# TYPE served gauge\nserved{version="7"} 42\n'
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Stay quiet."""


def test_the_present_is_scraped_and_asked_and_a_halted_server_is_a_failure_until_it_goes_on(tmp_path):
    prometheus = program("prometheus", GET)
    with ThreadingHTTPServer(("127.0.0.1", 0), Metrics) as target:
        threading.Thread(target=target.serve_forever, daemon=True).start()
        (tmp_path / "live.yml").write_text(
            "scrape_configs:\n- job_name: models\n  scrape_interval: 200ms\n  static_configs:\n"
            f"  - targets: ['127.0.0.1:{target.server_port}']\n"
        )
        with served(prometheus, tmp_path, "live.yml") as (address, process):
            asked = source(address, timeout="500ms")
            answer = _soon(lambda: ask(asked, 'served{job="models"}', at=datetime.now(UTC)))
            process.send_signal(signal.SIGSTOP)
            halted = ask(asked, "served", at=datetime.now(UTC))
            process.send_signal(signal.SIGCONT)
            again = ask(source(address), "served", at=datetime.now(UTC))
        gone = ask(asked, "served", at=datetime.now(UTC))
        target.shutdown()
    (sample,) = answer.samples
    assert sample.value == 42
    assert dict(sample.labels).items() >= {"job": "models", "version": "7"}.items()
    assert halted.failure == f"{address} did not answer within 500ms"
    assert [each.value for each in again.samples] == [42]
    assert gone.failure == f"no connection to {address}: [Errno 111] Connection refused"


def _soon(asked, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = asked()
        if answer.samples or answer.failure:
            return answer
        time.sleep(0.1)
    pytest.fail("nothing was scraped")
