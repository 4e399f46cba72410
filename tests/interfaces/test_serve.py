"""`gov serve` from its start to its end, however that comes."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import pytest
from interfaces.serving import FILES, Served, ask, gov, prepared, sample


def incidents(directory: Path) -> str:
    done = ask(directory, "incidents", "list", "--model", "loans")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_pushed_value_becomes_an_incident_that_people_see_and_answer(served: Served) -> None:
    assert served.push(sample(0.9)).json() == {"stored": 1, "replayed": False}
    served.until(lambda: re.search(r"INC-\d+ (opened|worsened)  critical  loans", served.printed))
    assert "critical" in incidents(served.directory)
    assert "Errors at 0.9" in incidents(served.directory)
    number = re.search(r"INC-\d+", incidents(served.directory))
    assert number is not None
    done = ask(served.directory, "incidents", "ack", number[0], "--as", "ana")
    assert done.returncode == 0, done.stderr
    assert "acknowledged by ana" in done.stdout


def test_it_starts_where_nothing_was_imported(tmp_path: Path) -> None:
    served = Served(prepared(tmp_path / "own"), cold=True)
    try:
        assert served.push(sample(0.1)).json() == {"stored": 1, "replayed": False}
        assert served.stop() == 0
        assert "Traceback" not in served.printed
    finally:
        served.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_to(served: Served, number: int) -> None:
    assert served.http.get("/healthz").status_code == 200
    assert served.stop(number) == 0
    assert served.printed.endswith("stopped\n")
    assert "Traceback" not in served.printed
    done = ask(served.directory, "audit", "verify")
    assert "the log is sound" in done.stdout


def test_it_stops_by_itself_after_a_time(tmp_path: Path) -> None:
    done = gov(prepared(tmp_path / "own"), "serve", "--port", "0", "--for", "1s")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("started on http://127.0.0.1:")
    assert done.stdout.splitlines()[-1] == "stopped"


def test_killed_it_goes_on_where_it_was(served: Served) -> None:
    served.push(sample(0.9), key="before")
    served.until(lambda: "critical  loans" in served.printed)
    assert served.stop(signal.SIGKILL) == -signal.SIGKILL
    again = Served(served.directory)
    try:
        again.until(lambda: again.http.get("/readyz").status_code == 200)
        again.push(sample(0.1))
        again.until(lambda: again.figures().get('gov_open_incidents{severity="critical"}') == 0)
        assert "critical" not in incidents(served.directory)
    finally:
        again.close()
    assert "the log is sound" in ask(served.directory, "audit", "verify").stdout


def test_one_engine_per_home(served: Served) -> None:
    done = gov(served.directory, "serve", "--port", "0")
    assert done.returncode == 3
    assert f"process {served.process.pid} serves" in done.stderr
    assert served.http.get("/healthz").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104 (it must be refused)
def test_only_loopback_while_nobody_can_prove_who_they_are(tmp_path: Path, host: str) -> None:
    done = ask(prepared(tmp_path / "own"), "serve", "--host", host)
    assert done.returncode == 3
    assert "is not loopback, and nobody could prove who they are: make a token first" in done.stderr
    assert not (tmp_path / "own" / ".gov").exists()


def test_elsewhere_once_there_is_a_token_for_who_has_one(tmp_path: Path) -> None:
    home = prepared(tmp_path / "own")
    secret = ask(home, "token", "create", "--for", "ana", "--as", "ana").stdout.splitlines()[0]
    served = Served(home, "--host", "0.0.0.0")  # noqa: S104 (that is the point)
    try:
        port = served.url.rpartition(":")[2]
        mine = {"Authorization": f"Bearer {secret}"}
        for url in (f"http://127.0.0.1:{port}", f"http://localhost:{port}"):
            assert served.http.get(f"{url}/v1/fleet").status_code == 401
            assert served.http.get(f"{url}/v1/whoami", headers=mine).json()["actor"] == "ana"
        named = {**mine, "Host": "evil.example"}
        assert served.http.get(f"http://127.0.0.1:{port}/v1/whoami", headers=named).status_code == 421
        assert secret not in served.printed
    finally:
        served.close()


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        done = gov(prepared(tmp_path / "own"), "serve", "--port", port)
    assert done.returncode == 4
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--every", "soon"], "must be a duration"),
        (["--every", "10ms"], "once a second at most"),
        (["--for", "1"], "add a unit"),
        (["--host", "no such host"], "is no address"),
    ],
)
def test_wrong_options(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = ask(prepared(tmp_path / "own"), "serve", "--port", "0", *arguments)
    assert done.returncode == 2
    assert said in " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stderr).split())


def test_policies_with_a_problem_are_not_served(tmp_path: Path) -> None:
    broken = {**FILES, "loans.yaml": FILES["loans.yaml"].replace("metrics.errors > 0.5", "metrics.erors > 0.5")}
    done = ask(prepared(tmp_path / "own", broken), "serve", "--port", "0")
    assert done.returncode == 1
    assert "did you mean 'errors'?" in done.stderr
