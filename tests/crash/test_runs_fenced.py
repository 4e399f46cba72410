"""A process that is frozen in the middle of an act is taken over, and what it does when it wakes changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from crash.keyed import Keyed, counting
from crash.run_scene import RUN, START, engine, steps
from store.databases import KINDS, laid_out_url

from governance.core.run import Run
from governance.engine.running import acting
from governance.store import decision_log, runs
from governance.store.database import Database

TESTS = Path(__file__).parent.parent
SOON = 60  # seconds after which a test gives up


@pytest.fixture(scope="module")
def server() -> Iterator[Keyed]:
    """A server that can keep an answer back."""
    with counting() as keyed:
        yield keyed


@contextmanager
def _led(url: str, home: Path, address: str, names: str) -> Iterator[subprocess.Popen[str]]:
    paths = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "crash.run_leader", url, str(home), address, names]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": paths}, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _run(database: Database) -> Run:
    with database.read() as connection:
        return runs.get(connection, RUN)


def _ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=SOON)
    assert err == ""
    return process.returncode, out


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_frozen_in_an_act_is_taken_over_and_cannot_write(tmp_path: Path, server: Keyed, kind: str) -> None:
    """A server holds the answer: a repeat of one act is dropped, and what became of another a person says."""
    expected = {"alias": "done"} if kind == "postgresql" else {"alias": "done", "order": "unknown"}
    for step, ending in expected.items():
        _frozen_in(tmp_path / step, server, kind, step, ending)


def _frozen_in(folder: Path, server: Keyed, kind: str, step: str, ending: str) -> None:
    folder.mkdir()
    url, key, answer = laid_out_url(kind, folder), f"{RUN}/{step}/1", threading.Event()
    server.begin(folder)
    server.held[key] = answer
    with closing(Database(url, home=folder)) as database:
        database.create_tables()
        with _led(url, folder, server.address, step) as first:
            assert server.asked.wait(SOON)
            first.send_signal(signal.SIGSTOP)
            with _led(url, folder, server.address, step) as second:
                assert _ended(second) == (0, f"epoch 2\n{ending}\n")
            if ending == "unknown":
                _settle(database, server, step, key)
            before = _run(database)
            answer.set()
            first.send_signal(signal.SIGCONT)
            code, said = _ended(first)
        assert code == 4
        assert f"pid {second.pid} took over (epoch 2, ours was 1)" in said
        assert _run(database) == before
        assert before.state == "done"
        assert server.effects == {key: 1}
        decision_log.seal(database, START)
        assert decision_log.verify(database).ok


def _settle(database: Database, server: Keyed, step: str, key: str) -> None:
    """Let a person ask the server, and say what it says."""
    wanted = [each for each in steps(server.address) if each["step"] == step]
    took = server.effects[key] == 1
    acting.settle(
        engine(database, server.address, *wanted), RUN, took_effect=took, actor="bo", at=START, because="I asked it"
    )
