"""People's acts go before the engine's own transactions, in one process and between two."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from governance.core.alert import AlertKey
from governance.core.incident import Told, gather
from governance.errors import Unavailable
from governance.store import decision_log, incidents, turns
from governance.store.database import Database

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOON = 20  # seconds after which a test gives up


class Stage:
    """Threads that write to one database in an order that the test directs."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.served: list[str] = []
        self._threads: list[threading.Thread] = []

    def enters(self, name: str, *, patient: bool = False, until: threading.Event | None = None) -> None:
        """Start a writer, which holds the database `until` then; return when it writes or stands in line."""

        def write() -> None:
            with self.database.giving_way() if patient else nullcontext(), self.database.transaction():
                self.served.append(name)
                if until is not None:
                    assert until.wait(SOON)

        self._threads.append(threading.Thread(target=write))
        places = self.places()
        self._threads[-1].start()
        self.wait(lambda: self.places() > places)

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SOON
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def places(self) -> int:
        """Count who has the turn, stands in line, or gives way (a condition keeps those who wait for it)."""
        taken = self.database._turns
        return (taken._writer is not None) + len(taken._changed._waiters)

    def ends(self) -> list[str]:
        for thread in self._threads:
            thread.join(SOON)
            assert not thread.is_alive()
        return self.served


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/org.yaml").write_text("kind: org\nenvironment: test\n")
    database = Database(f"sqlite:///{tmp_path}/.gov/governance.db")
    database.create_tables()
    yield database
    database.close()


def test_an_act_goes_before_a_chunk_that_asked_first(database: Database) -> None:
    stage, go = Stage(database), threading.Event()
    stage.enters("chunk 1", patient=True, until=go)
    stage.enters("chunk 2", patient=True)
    stage.enters("act 1")
    stage.enters("act 2")
    go.set()
    assert stage.ends() == ["chunk 1", "act 1", "act 2", "chunk 2"]


def test_between_two_chunks_of_one_cycle_an_act_is_served(database: Database) -> None:
    stage = Stage(database)
    with database.giving_way():
        with database.transaction():
            stage.enters("act")
        with database.transaction():
            stage.served.append("next chunk")
    assert stage.ends() == ["act", "next chunk"]


def test_who_gave_way_for_long_stands_in_line_like_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    stage, go = Stage(database), threading.Event()
    stage.enters("act 1", until=go)
    stage.enters("act 2")
    stage.enters("chunk", patient=True)
    stage.wait(lambda: len(database._turns._line) == 2)  # its patience is over
    stage.enters("act 3")
    go.set()
    assert stage.ends() == ["act 1", "act 2", "chunk", "act 3"]


def test_manners_end_with_their_block_and_are_each_threads_own(database: Database) -> None:
    stage, go = Stage(database), threading.Event()
    with pytest.raises(KeyError), database.giving_way(), database.giving_way():
        raise KeyError
    stage.enters("chunk 1", patient=True, until=go)
    stage.enters("chunk 2", patient=True)
    threading.Thread(target=lambda: (stage.wait(lambda: len(database._turns._line) == 1), go.set())).start()
    with database.transaction():
        stage.served.append("this thread, which has no manners now")
    assert stage.ends() == ["chunk 1", "this thread, which has no manners now", "chunk 2"]


def test_waiting_has_an_end_and_a_sentence(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, go = Stage(database), threading.Event()
    stage.enters("a task that hangs", until=go)
    monkeypatch.setattr(turns, "BUSY_SECONDS", 0.01)
    with pytest.raises(Unavailable, match=r"other tasks of this program kept .* busy"), database.transaction():
        pass
    go.set()
    assert stage.ends() == ["a task that hangs"]
    with database.transaction():
        pass


def test_a_transaction_inside_another_is_refused_at_once(database: Database) -> None:
    with database.transaction(), pytest.raises(RuntimeError, match="pass on the connection"), database.transaction():
        pass
    with database.transaction():
        pass


def test_the_lock_of_another_program_is_taken_as_soon_as_it_is_free(database: Database) -> None:
    program = (
        "import sqlite3, sys, time; other = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "other.execute('BEGIN IMMEDIATE'); print('held', flush=True); sys.stdin.read(1); other.execute('COMMIT')"
    )
    command = [sys.executable, "-c", program, str(database.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == b"held\n"
        stage = Stage(database)
        stage.enters("we")
        assert stage.served == []
        other.stdin.close()
        assert stage.ends() == ["we"]


def test_a_person_on_the_command_line_is_served_while_the_engine_writes_without_end(
    database: Database, tmp_path: Path
) -> None:
    firing = Told(AlertKey("m", "high"), "firing", AT, "warning", "too high", {})
    change = gather(None, [firing], AT, group="m", next_id=1, reopen_within=timedelta(hours=1))
    assert change is not None
    with database.transaction() as connection:
        incidents.save(connection, change.incident)
        connection.execute(text("CREATE TABLE work (x)"))
    done, chunks = threading.Event(), []

    def work() -> None:
        with database.giving_way():
            while not done.is_set():
                with database.transaction() as connection:
                    chunks.append(connection.execute(text("INSERT INTO work VALUES (1)")))
                    time.sleep(0.03)  # holds the lock, as a chunk does, for nearly all of the time

    engine = threading.Thread(target=work)
    engine.start()
    try:
        command = [
            sys.executable,
            "-c",
            "from governance.cli.main import main; main()",
            "-C",
            str(tmp_path),
            "incidents",
            "ack",
            "1",
        ]
        person = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    finally:
        done.set()
        engine.join()
    assert person.returncode == 0, person.stderr
    assert "INC-1 acknowledged by" in person.stdout
    assert chunks
    checked = decision_log.verify(database)
    assert checked.ok, checked.findings
