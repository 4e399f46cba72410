"""One process leads at a time, and one that was taken over writes nothing any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from store.databases import KINDS, laid_out_url

from governance.errors import Fenced, Unavailable
from governance.store import lease
from governance.store.database import Database
from governance.store.lease import Lease

TTL = timedelta(seconds=600)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    made = laid_out_url(request.param, tmp_path)
    database = Database(made)
    database.create_tables()
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE deed (who VARCHAR)"))
    database.close()
    return made


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


def taken(database: Database, holder: str, *, alone: bool = False) -> Lease:
    found = lease.take(database, holder, TTL, alone=alone)
    assert found is not None
    return found


def over(database: Database) -> None:
    """Let the time of the lease be over."""
    with database.transaction() as connection:
        connection.execute(text("UPDATE lease SET until = until - 601"))


def act(database: Database, who: str) -> None:
    with database.transaction() as connection:
        connection.execute(text("INSERT INTO deed VALUES (:who)"), {"who": who})


def deeds(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(text("SELECT who FROM deed")).scalars())


def test_the_epoch_grows_with_each_take_over_and_only_then(database: Database) -> None:
    assert lease.leader(database) is None
    first = taken(database, "a")
    assert first == Lease("engine", "a", 1)
    assert lease.take(database, "b", TTL) is None
    assert taken(database, "a") == first
    lease.renew(database, first, TTL)
    held = lease.leader(database)
    assert held is not None
    assert held.lease == first
    assert 500 < held.left <= 600
    over(database)
    second = taken(database, "b")
    assert second.epoch == 2
    lease.release(database, second)
    assert taken(database, "a").epoch == 3
    assert taken(database, "c", alone=True).epoch == 4
    assert lease.take(database, "d", TTL, name="another") == Lease("another", "d", 1)


def test_who_comes_back_after_its_time_leads_anew(database: Database) -> None:
    first = taken(database, "a")
    over(database)
    assert taken(database, "a").epoch == 2
    with pytest.raises(Fenced):
        lease.renew(database, first, TTL)


def test_who_was_not_taken_over_may_go_on_and_renew_after_its_time(database: Database) -> None:
    mine = taken(database, "a")
    over(database)
    with database.led_by(mine):
        act(database, "a")
    lease.renew(database, mine, TTL)
    assert lease.take(database, "b", TTL) is None


def test_after_a_take_over_nothing_is_written(url: str, database: Database) -> None:
    frozen, mine = Database(url), taken(database, "a")
    with frozen.led_by(mine):
        act(frozen, "a")
        over(database)
        act(frozen, "a")
        theirs = taken(database, "b")
        with pytest.raises(Fenced, match=r"b took over \(epoch 2, ours was 1\); nothing was written"):
            act(frozen, "a, late")
        with pytest.raises(Fenced):
            lease.renew(frozen, mine, TTL)
    lease.release(frozen, mine)  # which is not its any more
    with database.led_by(theirs):
        act(database, "b")
    assert deeds(database) == ["a", "a", "b"]
    assert lease.take(database, "c", TTL) is None
    frozen.close()


def test_a_lease_that_is_gone_is_nobodys(database: Database) -> None:
    mine = taken(database, "a")
    with database.transaction() as connection:
        connection.execute(text("DELETE FROM lease"))
    with pytest.raises(Fenced, match="nobody took over"), database.led_by(mine), database.transaction():
        pass


def test_a_thread_is_led_by_itself_and_a_process_as_a_whole(database: Database) -> None:
    mine = taken(database, "a")
    taken(database, "b", alone=True)
    seen: list[Lease | None] = []

    def look() -> None:
        seen.append(database.lease)

    def elsewhere() -> Lease | None:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return seen.pop()

    with database.led_by(mine):
        assert (database.lease, elsewhere()) == (mine, None)
        with database.led_by(Lease("engine", "x", 9)):
            assert database.lease == Lease("engine", "x", 9)
    assert database.lease is None
    act(database, "a")  # who leads nothing, such as a command, is not asked
    with database.lead(mine):
        assert (database.lease, elsewhere()) == (mine, mine)
        with pytest.raises(Fenced):
            act(database, "a")
    assert (database.lease, deeds(database)) == (None, ["a"])


def test_of_many_that_want_it_one_gets_it(url: str) -> None:
    def want(name: str) -> Lease | None:
        with closing(Database(url)) as database:  # its own connections and turns, as another process has
            return lease.take(database, name, TTL)

    with ThreadPoolExecutor(4) as pool:
        got = [each for each in pool.map(want, ["a", "b", "c", "d"]) if each is not None]
    assert [each.epoch for each in got] == [1]


def test_who_is_frozen_while_it_writes_loses_its_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from governance.store import postgresql

    url = laid_out_url("postgresql", tmp_path)
    frozen, other = Database(url), Database(url)
    mine = taken(frozen, "a")
    short = postgresql.WRITE.replace(f"'{postgresql.FROZEN_SECONDS}s'", "'50ms'")
    monkeypatch.setattr(frozen._backend, "write", short)
    ended = pytest.raises(Unavailable, match=r"ended a transaction that had stood still|does not answer")
    with ended, frozen.led_by(mine), frozen.transaction() as connection:
        theirs = taken(other, "b", alone=True)  # waits until the server gave the other up
        connection.execute(text("UPDATE lease SET holder = 'a'"))
    assert theirs.epoch == 2
    held = lease.leader(other)
    assert held is not None
    assert held.lease == theirs
    for each in (frozen, other):
        each.close()
