"""Clients that mean harm: none of them keeps others from reading a kill switch."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import resource
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from benchmarks import listening
from interfaces.serving import Served, prepared
from interfaces.switches import FLAGS, MODELS, evaluated, known, switched

IMPATIENT = """
import governance.api.ofrep.events as events, governance.api.patience as patience
patience.IDLE = patience.HEADERS = patience.BODY = patience.READING = 1.0
events.MOST = 100
"""
"""Seconds and streams so few that a test can wait for their end."""
HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(prepared(tmp_path_factory.mktemp("attacks") / "own", MODELS), before=IMPATIENT)
    yield made
    made.close()


@contextmanager
def connected(engine: Served) -> Iterator[socket.socket]:
    with closing(socket.create_connection(("127.0.0.1", engine.port), timeout=20)) as connection:
        yield connection


def answered(engine: Served, request: bytes) -> tuple[int, bytes, bytes]:
    """Send bytes as they are; return the status, the head and the body of the first answer."""
    with connected(engine) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, str(answer.headers).encode(), answer.read()


def asking(path: bytes, body: bytes = b"{}", more: bytes = b"") -> bytes:
    return b"POST %b HTTP/1.1\r\n%b%bContent-Length: %d\r\n\r\n%b" % (path, HOST, more, len(body), body)


def dripped(connection: socket.socket, first: bytes, each: bytes) -> float:
    """Send a beginning and then a little now and then; return after how many seconds the server had enough."""
    started = time.monotonic()
    try:
        connection.sendall(first)
        while time.monotonic() < started + 20:
            connection.sendall(each)
            readable, _, _ = select.select([connection], [], [], 0.1)
            if readable and connection.recv(65536) == b"":
                break
    except OSError:
        pass
    return time.monotonic() - started


@pytest.mark.parametrize(
    ("first", "each"),
    [
        (b"", b""),
        (b"POST", b"X"),
        (b"POST / HTTP/1.1\r\n" + HOST, b"X-Slow: 1\r\n"),
        (asking(b"/ofrep/v1/evaluate/flags/loans.serve")[:-2].replace(b": 2", b": 100000"), b" "),
        (b"POST " + FLAGS.encode() + b" HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (asking(b"/v1/samples")[:-2].replace(b": 2", b": 100000"), b" "),
    ],
    ids=["nothing", "a long first line", "ever more headers", "a slow body", "a slow body in chunks", "slow samples"],
)
def test_who_sends_slowly_loses_the_connection(engine: Served, first: bytes, each: bytes) -> None:
    with connected(engine) as connection:
        seconds = []
        drip = threading.Thread(target=lambda: seconds.append(dripped(connection, first, each)))
        drip.start()
        while drip.is_alive():
            assert evaluated(engine, "loans.serve")["value"] is True
        assert seconds[0] < 20


def test_a_request_after_a_slow_but_timely_one_has_its_own_deadline(engine: Served) -> None:
    request = asking(b"/ofrep/v1/evaluate/flags/loans.serve")
    with connected(engine) as connection:
        for _ in range(4):
            connection.sendall(request[:30])
            time.sleep(0.4)
            connection.sendall(request[30:])
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert (answer.status, answer.read()[:1]) == (200, b"{")


def test_who_does_not_read_the_answers_loses_the_connection(engine: Served) -> None:
    with closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", engine.port))
        connection.setblocking(False)
        poll = select.poll()
        poll.register(connection, select.POLLOUT)
        request = asking(FLAGS.encode()) * 100
        end = time.monotonic() + 40
        while not poll.poll(100) or not poll.poll(0)[0][1] & (select.POLLHUP | select.POLLERR):
            assert time.monotonic() < end
            try:
                connection.send(request)
            except BlockingIOError:
                assert evaluated(engine, "loans.serve")["value"] is True
            except OSError:
                break


@pytest.mark.parametrize("path", [FLAGS, FLAGS + "/loans.serve", "/v1/confirmations"])
def test_a_body_that_is_too_large_is_refused(engine: Served, path: str) -> None:
    large = b'{"context": {"targetingKey": "' + b"k" * 2**21 + b'"}}'
    assert engine.http.post(path, content=large).status_code == 413
    with suppress(httpx.TransportError):  # it hangs up while we are still sending, which says the same
        assert engine.http.post(path, content=iter([large] * 20)).status_code == 413
    assert evaluated(engine, "loans.serve")["value"] is True


@pytest.mark.parametrize(
    "key",
    [
        b"../../../v1/samples",
        b"%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        b"loans.serve%00",
        b"loans.serve/",
        b"//loans.serve",
        b"loans.serve%2f..",
        b"loans.serve%0d%0aX-Injected:%20yes",
        b"%22%7d%5d%3cscript%3e",
        b"%ff%fe",
        b"%1b%5b31m",
        b"%",
        b"loans.serve;a=b",
        b"LOANS.SERVE",
        b"k" * 8000,
        b"' OR 1=1 --".replace(b" ", b"%20"),
    ],
)
def test_no_name_of_a_flag_leads_elsewhere(engine: Served, key: bytes) -> None:
    status, head, body = answered(engine, asking(b"%b/%b" % (FLAGS.encode(), key)))
    assert status == 404
    assert b"x-injected" not in head.lower()
    found = json.loads(body)
    assert found["errorCode"] == "FLAG_NOT_FOUND"
    assert len(found["key"]) <= 400
    assert found["key"].isprintable()


@pytest.mark.parametrize(
    "request_",
    [
        b"POST " + FLAGS.encode() + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /ofrep\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"X-A: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"X" + b"-" * 2**17 + b": 1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["two lengths", "a null in the path", "a null in a header", "endless headers", "TLS"],
)
def test_what_is_no_http_is_refused(engine: Served, request_: bytes) -> None:
    with suppress(ConnectionError):  # it hangs up while we are still sending
        assert answered(engine, request_)[0] == 400
    assert evaluated(engine, "loans.serve")["value"] is True


def test_headers_cannot_be_injected_through_what_is_answered(engine: Served) -> None:
    more = b'If-None-Match: "x", W/, ,,*, \xff\r\nLast-Event-ID: 7\r\n'
    status, head, _ = answered(engine, asking(FLAGS.encode() + b"?model=a%0d%0aSet-Cookie:b", more=more))
    assert status == 200
    assert b"cookie" not in head.lower()
    for model in ("loans\r\nX-Injected: yes", "é", "\ud800".encode("utf-8", "surrogatepass")):
        body = {"instance": "pod-1", "seq": 1, "models": [model if isinstance(model, str) else "x"]}
        assert engine.http.post("/v1/confirmations", json=body).status_code == 200


def test_another_host_is_not_answered(engine: Served) -> None:
    evil = asking(FLAGS.encode()).replace(HOST, b"Host: evil.example\r\n")
    assert answered(engine, evil)[0] == 421


def test_more_streams_than_there_may_be_are_refused_and_reads_go_on(engine: Served) -> None:
    with ExitStack() as stack:
        streams = [stack.enter_context(connected(engine)) for _ in range(100)]
        for each in streams:
            each.sendall(b"GET /ofrep/v1/events HTTP/1.1\r\n" + HOST + b"\r\n")
        assert {each.recv(15) for each in streams} == {b"HTTP/1.1 200 OK"}
        refused = engine.http.get("/ofrep/v1/events")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        figures = engine.figures()
        assert (figures["gov_event_streams"], figures["gov_refused_event_streams_total"]) == (100, 1)
        assert "poll, or try again later" in refused.json()["detail"]
        known(engine, "fraud", switched(engine, "fraud", "stopped"))
        assert evaluated(engine, "fraud.serve")["value"] is False
        for each in streams:
            while b'"seq":1' not in each.recv(65536):
                pass
    engine.until(lambda: _opened(engine))


@pytest.mark.skipif(not os.environ.get("SOAK"), reason="it takes half a minute; make soak runs it")
def test_ten_thousand_streams_are_told_and_others_read_on(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10_000, hard // 2)
    served = Served(prepared(tmp_path / "own", MODELS))

    async def told() -> int:
        listeners = await listening.opened(served.port, count)
        assert served.http.get("/ofrep/v1/events").status_code == 503
        seq = switched(served, "fraud", "stopped")
        known(served, "fraud", seq)
        found = len(await listening.seen(listeners, seq, seconds=120))
        await listening.closed(listeners)
        return found

    try:
        assert asyncio.run(told()) == count
        assert evaluated(served, "fraud.serve")["value"] is False
    finally:
        served.close()


def _opened(engine: Served) -> bool:
    with engine.http.stream("GET", "/ofrep/v1/events") as stream:
        return stream.status_code == 200
