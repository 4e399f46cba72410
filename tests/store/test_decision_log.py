"""Decisions written, sealed in order, read back; the database refuses changes; crashes lose and double nothing."""

# ruff: noqa: PT012  a transaction and what happens in it are one act

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from governance.core.decision import Decision, canonical
from governance.core.merkle import Frontier, leaf_hash, verify_inclusion
from governance.errors import Conflict, NotFound, Unavailable
from governance.store import decision_log as log
from governance.store import sequencer
from governance.store.database import Database
from governance.store.heads_file import Head, HeadsFile

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def decided(number: int, kind: str = "alert.firing", model: str = "flight-delay") -> Decision:
    at = AT + timedelta(milliseconds=number)
    return Decision(at, kind, "engine", {"model": model}, {"n": number}, f"d{number}")


def written(database: Database, *decisions: Decision) -> None:
    with database.transaction() as connection:
        log.append(connection, decisions)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/gov.db")
    database.create_tables()
    yield database
    database.close()


def heads(database: Database) -> list[Head | None]:
    return [head for number, head in HeadsFile(Path(f"{database.path}.heads")).lines() if number]


def test_sealed_in_order_with_the_root_of_rfc_6962(database: Database) -> None:
    decisions = [decided(number) for number in range(7)]
    written(database, *decisions[:3])
    assert log.oldest_unsealed(database) == decisions[0].at
    assert log.seal(database, AT) == 3
    written(database, *decisions[3:])
    assert log.seal(database, AT) == 4
    assert log.seal(database, AT) == 0
    frontier = Frontier()
    for seq, decision in enumerate(decisions):
        assert log.entry(database, seq).content == canonical(decision, seq)
        assert log.entry(database, seq).decision == decision
        frontier.append(leaf_hash(canonical(decision, seq)))
    assert log.head(database) == Head(7, frontier.root(), AT)
    assert [head.size for head in heads(database) if head] == [3, 7]
    assert log.oldest_unsealed(database) is None
    assert log.verify(database) == log.Verification(7, frontier.root().hex(), 7, ())


def test_every_entry_has_a_receipt(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 4)
    written(database, *(decided(number) for number in range(11)))
    log.seal(database, AT)
    assert [head.size for head in heads(database) if head] == [4, 8, 11]
    for seq in range(11):
        proof = log.receipt(database, seq)
        assert verify_inclusion(seq, proof.head.size, proof.leaf_hash, proof.path, proof.head.root)
    with pytest.raises(NotFound, match="no entry 11; it has 11"):
        log.receipt(database, 11)


def test_tail(database: Database) -> None:
    kinds = ["incident.opened", "incidents.counted", "incident.note.added", "alert.firing"]
    written(database, *(decided(n, kinds[n % 4], "abc"[n % 3]) for n in range(12)))
    log.seal(database, AT)

    def seqs(limit: int = 100, **selected: object) -> list[int]:
        return [entry.seq for entry in log.tail(database, limit, **selected)]  # type: ignore[arg-type]

    assert seqs(3) == [9, 10, 11]
    assert seqs(kind="incident") == [0, 2, 4, 6, 8, 10]
    assert seqs(kind="incident.opened") == [0, 4, 8]
    assert seqs(2, model="b") == [7, 10]
    assert seqs(2, since_seq=3) == [4, 5]
    assert seqs(since_seq=11) == []
    assert seqs(kind="alert.firing", model="a", since_seq=0) == [3]


def test_lookup(database: Database) -> None:
    written(database, decided(1))
    assert log.entry_of(database, "d1") is None
    assert log.count(database) == 0
    assert log.head(database) is None
    log.seal(database, AT)
    found = log.entry_of(database, "d1")
    assert found is not None
    assert found.seq == 0
    with pytest.raises(NotFound, match="no entry 1; it has 1 entries"):
        log.entry(database, 1)


def test_rolled_back_with_its_transaction(database: Database) -> None:
    with pytest.raises(KeyError), database.transaction() as connection:
        log.append(connection, [decided(1)])
        raise KeyError
    assert log.seal(database, AT) == 0


def test_one_id_is_one_decision(database: Database) -> None:
    written(database, decided(1))
    with pytest.raises(Conflict, match="already has"):
        written(database, decided(2), decided(1))
    log.seal(database, AT)
    with pytest.raises(Conflict, match="already has the decision d1"):
        written(database, decided(2), decided(1))
    with pytest.raises(Conflict):
        written(database, decided(3), decided(3))
    assert log.seal(database, AT) == 0


def test_without_a_file_in_memory() -> None:
    database = Database("sqlite://")
    database.create_tables()
    written(database, decided(1))
    assert log.seal(database, AT) == 1
    assert log.verify(database).ok
    database.close()


REST = "at, kind, model, content, leaf_hash FROM log_entries LIMIT 1"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_entries SET content = x'00' WHERE seq = 1",
        "UPDATE OR REPLACE log_entries SET seq = 0 WHERE seq = 1",
        "DELETE FROM log_entries",
        "DELETE FROM log_entries WHERE seq = 2",
        "INSERT OR REPLACE INTO log_entries SELECT 1, 'x', {rest}",
        "INSERT OR REPLACE INTO log_entries SELECT 3, decision_id, {rest}",
        "INSERT OR IGNORE INTO log_entries SELECT 9, 'x', {rest}",
        "INSERT INTO log_entries SELECT -1, 'x', {rest}",
        "INSERT INTO log_entries SELECT NULL, 'x', {rest}",
        "INSERT INTO log_entries SELECT * FROM log_entries WHERE true ON CONFLICT (seq) DO UPDATE SET kind = 'x'",
        "REPLACE INTO log_nodes VALUES (1, 0, x'00')",
        "INSERT INTO log_nodes VALUES (1, 7, x'00')",
        "INSERT INTO log_nodes VALUES (0, 0, x'00')",
        "UPDATE log_nodes SET hash = x'00'",
        "DELETE FROM log_nodes",
        "REPLACE INTO log_heads VALUES (3, x'00', '')",
        "INSERT INTO log_heads VALUES (2, x'00', '')",
        "UPDATE log_heads SET root = x'00'",
        "DELETE FROM log_heads",
    ],
)
@pytest.mark.parametrize("recursive", ["OFF", "ON"])
def test_the_database_refuses_changes(database: Database, statement: str, recursive: str) -> None:
    written(database, *(decided(number) for number in range(3)))
    log.seal(database, AT)
    with pytest.raises(DatabaseError, match=r"is append-only|takes only the next row"), database.transaction() as c:
        c.exec_driver_sql(f"PRAGMA recursive_triggers = {recursive}")
        c.execute(text(statement.format(rest=REST)))
    assert log.verify(database).ok
    assert log.count(database) == 3


def fails(*_: object) -> None:
    raise Unavailable("killed")


def test_killed_between_commit_and_publishing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    written(database, decided(0))
    log.seal(database, AT)
    written(database, decided(1))
    with monkeypatch.context() as patched, pytest.raises(Unavailable, match="killed"):
        patched.setattr(HeadsFile, "extend", fails)
        log.seal(database, AT)
    assert log.count(database) == 2
    assert [head.size for head in heads(database) if head] == [1]
    assert log.verify(database).ok
    assert log.seal(database, AT) == 0
    assert heads(database)[-1] == log.head(database)


@pytest.mark.parametrize("step", ["insert", "delete"])
def test_killed_inside_the_batch(database: Database, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    written(database, *(decided(number) for number in range(5)))
    with monkeypatch.context() as patched, pytest.raises(Unavailable, match="killed"):
        patched.setattr(sequencer, step, fails)
        log.seal(database, AT)
    assert log.count(database) == 0
    assert heads(database) == []
    assert log.seal(database, AT) == 5
    assert log.verify(database).ok


@pytest.mark.parametrize("left", [1, 20, 60, -1])
def test_killed_inside_a_line_of_heads(database: Database, left: int) -> None:
    file = Path(f"{database.path}.heads")
    for number in range(2):
        written(database, decided(number))
        log.seal(database, AT)
    first, second = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first + second[:left])
    assert log.verify(database).ok
    log.seal(database, AT)
    assert file.read_bytes() == first + second


def test_rubbish_in_the_heads_is_closed_off_and_reported(database: Database) -> None:
    file = Path(f"{database.path}.heads")
    written(database, decided(0))
    log.seal(database, AT)
    with file.open("ab") as opened:
        opened.write(b"\0\0\0")
    written(database, decided(1))
    log.seal(database, AT)
    assert [head.size if head else None for head in heads(database)] == [1, None, 2]
    assert log.verify(database).findings == ("line 2 of the published heads is not a head",)


def test_heads_that_cannot_be_written(database: Database, tmp_path: Path) -> None:
    written(database, decided(0))
    with pytest.raises(Unavailable, match=r"published heads .* cannot be opened: Is a directory"):
        log.seal(database, AT, tmp_path)


def test_a_database_from_a_backup_is_not_sealed_on(database: Database, tmp_path: Path) -> None:
    written(database, decided(0))
    log.seal(database, AT)
    other = Database(f"sqlite:///{tmp_path}/other.db")
    other.create_tables()
    for number in (7, 8):
        written(other, decided(number))
        with pytest.raises(Unavailable, match="cut, rewritten or restored from a backup"):
            log.seal(other, AT, Path(f"{database.path}.heads"))
        log.Sequencer(other, None).seal(AT)
    other.close()


def together(*works: Callable[[], None]) -> None:
    """Run each in its thread; raise what any of them raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(work) for work in works]:
            future.result()


def test_appending_while_two_seal(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 7)
    writing = {"w0", "w1"}

    def write(writer: str) -> None:
        for number in range(30):
            written(database, Decision(AT, "alert.firing", writer, {}, {"n": number}))
        writing.remove(writer)

    def seal() -> None:
        while writing:
            log.seal(database, AT)

    together(lambda: write("w0"), lambda: write("w1"), seal, seal)
    log.seal(database, AT)
    entries = log.tail(database, 1000)
    assert [entry.seq for entry in entries] == list(range(60))
    for writer in ("w0", "w1"):
        assert [e.decision.body["n"] for e in entries if e.decision.actor == writer] == list(range(30))
    assert log.verify(database).ok


SEALS_FOREVER = """
import sys
from datetime import UTC, datetime
from governance.core.decision import Decision
from governance.store import decision_log as log
from governance.store.database import Database
database, at, number = Database(sys.argv[1]), datetime(2026, 3, 1, tzinfo=UTC), 0
while True:
    with database.transaction() as connection:
        log.append(connection, [Decision(at, "alert.firing", sys.argv[2], {}, {"n": number})])
    print(number, flush=True)
    log.seal(database, at)
    number += 1
"""


def test_two_processes_seal_and_are_killed(database: Database) -> None:
    for trial in range(2):
        command = [sys.executable, "-c", SEALS_FOREVER, f"sqlite:///{database.path}"]
        running = [subprocess.Popen([*command, f"{trial}{n}"], stdout=subprocess.PIPE, text=True) for n in range(2)]
        printed = [[int(next(process.stdout or iter(()))) for _ in range(15)] for process in running]
        for process, numbers in zip(running, printed, strict=True):
            process.kill()
            numbers.extend(map(int, process.communicate()[0].split()))
        committed = [numbers[-1] for numbers in printed]
        log.seal(database, AT)
        for n, last in enumerate(committed):
            mine = [e.decision.body["n"] for e in log.tail(database, 10_000) if e.decision.actor == f"{trial}{n}"]
            assert mine[: last + 1] == list(range(last + 1))
            assert len(mine) <= last + 2  # the last one may be committed and not yet printed
        assert log.verify(database).ok
        assert heads(database)[-1] == log.head(database)
