"""Two `gov serve` on one PostgreSQL: one leads, the other stands by, and who was taken over writes nothing any more."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest
from interfaces.serving import FILES, Served, ask, prepared, sample
from sqlalchemy import text
from store.databases import laid_out_url

from governance.engine import leading
from governance.errors import Fenced
from governance.store import lease
from governance.store.database import Database

SOON = 40  # seconds after which a test gives up
WITNESS = """
CREATE TABLE witness (number BIGSERIAL, who TEXT, what TEXT);
CREATE FUNCTION witnessed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO witness (who, what) VALUES (current_setting('application_name'), TG_OP || ' ' || TG_TABLE_NAME);
  RETURN NULL;
END $$;
DO $$ DECLARE name TEXT; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'witness' LOOP
    EXECUTE 'CREATE TRIGGER witnessed AFTER INSERT OR UPDATE OR DELETE ON ' || name || ' EXECUTE FUNCTION witnessed()';
  END LOOP;
END $$;
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A database that notes which process wrote what, in the order of what was committed."""
    made = laid_out_url("postgresql", tmp_path)
    with closing(Database(made)) as database, database.transaction() as connection:
        connection.exec_driver_sql(WITNESS, execution_options={"no_parameters": True})
    return made


def test_a_leader_that_was_frozen_wakes_and_writes_nothing(tmp_path: Path, url: str) -> None:
    folder = prepared(tmp_path / "world", {**FILES, "org.yaml": FILES["org.yaml"].replace("every: 1s", "every: 5s")})
    with (
        closing(Database(url)) as database,
        closing(Served(folder, GOV_DATABASE=url, GOV_HOME="first")) as first,
        closing(Served(folder, GOV_DATABASE=url, GOV_HOME="second", ready="stands by: ")) as second,
    ):
        assert f"pid {first.process.pid} leads; takes over within 10 s of its end" in second.printed
        first.process.send_signal(signal.SIGSTOP)
        late = Late(first)
        second.until(lambda: "started on" in second.printed)
        wrote = witnesses(database)
        second.until(lambda: len(witnesses(database)) > len(wrote) + 5)
        first.process.send_signal(signal.SIGCONT)
        assert first.process.wait(SOON) == 4
        assert re.search(rf"pid {second.process.pid} took over \(epoch 2, ours was 1\)", first.printed)
        assert late.answered() in (503, None)
        wrote = witnesses(database)
        taken = wrote.index(f"gov {second.process.pid}")
        assert set(wrote[:taken]) == {f"gov {first.process.pid}"}
        assert set(wrote[taken:]) == {f"gov {second.process.pid}"}
        with database.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM pushed_sample")).scalar() == 0
        with closing(Served(folder, GOV_DATABASE=url, GOV_HOME="third", ready="stands by: ")) as third:
            assert third.stop() == 0
        assert second.stop() == 0
        verified = ask(folder, "audit", "verify", GOV_DATABASE=url, GOV_HOME="second")
        assert (verified.returncode, verified.stdout[:16]) == (0, "the log is sound"), verified.stdout
        doctor = ask(folder, "doctor", "database", GOV_DATABASE=url, GOV_HOME="second")
        assert f"none; the last one was {leading.this_process().partition(' ')[0]}" in doctor.stdout
        assert "s3cr3t" not in first.printed + second.printed + doctor.stdout + doctor.stderr


class Late:
    """An act that somebody asks of a process that is frozen."""

    def __init__(self, served: Served) -> None:
        self._served, self._status = served, 0
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def answered(self) -> int | None:
        """Return the status that it was answered with; None when the process ended before."""
        self._thread.join(SOON)
        return self._status or None

    def _ask(self) -> None:
        self._served.http.timeout = SOON
        with suppress(httpx.HTTPError):
            self._status = self._served.push(sample()).status_code


def witnesses(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(text("SELECT who FROM witness ORDER BY number")).scalars())


def test_a_leader_that_ends_is_followed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leading, "LOOK", 0.01)
    monkeypatch.setattr(leading, "EVERY", 0.01)
    path, said, led = f"sqlite:///{tmp_path}/gov.db", list[str](), threading.Event()
    first, second = Database(path), Database(path)
    first.create_tables()

    def stand_by() -> None:
        with leading.leading(second, said.append, alone=False):
            led.set()

    thread = threading.Thread(target=stand_by)
    with leading.leading(first, said.append, alone=False) as leadership:
        thread.start()
        while not said:
            assert thread.is_alive()
        leadership.confirm()
        assert not led.is_set()
    assert led.wait(SOON)
    thread.join(SOON)
    held = lease.leader(first)
    assert held is not None
    assert (held.lease.epoch, held.left) == (2, 0)
    assert re.fullmatch(r"stands by: \S+ pid \d+ leads; takes over within 10 s of its end", said[0])
    for each in (first, second):
        each.close()


def test_who_is_taken_over_is_told_and_confirms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leading, "EVERY", 0.01)
    url, lost = f"sqlite:///{tmp_path}/gov.db", threading.Event()
    database, other = Database(url), Database(url)
    database.create_tables()
    with leading.leading(database, print, alone=False) as leadership:
        leadership.raise_if_lost()
        leadership.when_lost(lost.set)
        taken = lease.take(other, "b", leading.TTL, alone=True)
        assert lost.wait(SOON)
        for act in (leadership.confirm, leadership.raise_if_lost):
            with pytest.raises(Fenced, match="b took over"):
                act()
        told = threading.Event()
        leadership.when_lost(told.set)
        assert told.is_set()
    held = lease.leader(other)
    assert held is not None
    assert (held.lease, held.left > 0) == (taken, True)
    for each in (database, other):
        each.close()
