"""Somebody who holds the database file changes it; each change is found and named."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from governance.core.decision import Decision, canonical
from governance.core.merkle import leaf_hash
from governance.errors import Unavailable
from governance.store import decision_log as log
from governance.store.database import Database
from governance.store.heads_file import Head

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TRIGGERS = [f"log_{t}_{n}" for t in ("entries", "nodes", "heads") for n in ("no_update", "no_delete", "in_order")]


def decided(number: int, actor: str = "engine") -> Decision:
    return Decision(AT, "waiver.approved", actor, {"model": "fraud"}, {"n": number}, f"d{number}")


def filled(path: Path, actors: dict[int, str], size: int = 20) -> Database:
    """Return a log of `size` entries in batches of 4, with other actors at some entries."""
    database = Database(f"sqlite:///{path}")
    database.create_tables()
    for start in range(0, size, 4):
        with database.transaction() as connection:
            log.append(connection, [decided(n, actors.get(n, "engine")) for n in range(start, min(start + 4, size))])
        log.seal(database, AT)
    return database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = filled(tmp_path / "gov.db", {})
    yield database
    database.close()


def tamper(database: Database, *statements: str, parameters: tuple[object, ...] = ()) -> None:
    connection = sqlite3.connect(str(database.path), isolation_level=None)
    for trigger in TRIGGERS:
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        assert connection.execute(statement, parameters).rowcount > 0
    connection.close()


def test_untouched(database: Database) -> None:
    found = log.verify(database)
    assert found.ok
    assert (found.size, found.checked, len(found.root)) == (20, 20, 64)


FORGED = canonical(decided(5, "mallory"), 5)
DROPPED = "the head of 8 entries was published but is missing in the database"


@pytest.mark.parametrize(
    ("statement", "findings"),
    [
        ("UPDATE log_entries SET content = x'7b7d' WHERE seq = 17", ["entry 17: its content does not match its hash"]),
        ("UPDATE log_entries SET content = CAST(content || ' ' AS BLOB) WHERE seq IN (3, 4)",
         ["entry 3: its content does not match its hash", "entry 4: its content does not match its hash"]),
        ("DELETE FROM log_entries WHERE seq BETWEEN 17 AND 18", ["entries 17–18 are missing"]),
        ("DELETE FROM log_entries WHERE seq = 0", ["entry 0 is missing"]),
        ("DELETE FROM log_entries WHERE seq IN (2, 5, 6)", ["entry 2 is missing", "entries 5–6 are missing"]),
        ("DELETE FROM log_entries WHERE seq >= 18",
         ["the tree has a node 9 of level 1 over no entries", "the tree has a node 4 of level 2 over no entries",
          "the log ends at 18 but a head in the database names 20 entries",
          "the log ends at 18 but a published head names 20 entries"]),
        ("UPDATE log_entries SET kind = 'x' WHERE seq = 2",
         ["entry 2: its column kind says 'x', but its content says 'waiver.approved'"]),
        ("UPDATE log_entries SET model = NULL WHERE seq = 2",
         ["entry 2: its column model says None, but its content says 'fraud'"]),
        ("UPDATE log_entries SET at = '2020' WHERE seq = 2",
         ["entry 2: its column at says '2020', but its content says '2026-03-01T12:00:00.000000Z'"]),
        ("UPDATE log_entries SET decision_id = CAST(x'ff' AS TEXT) WHERE seq = 2",
         ["entry 2: its column decision_id says '\ufffd', but its content says 'd2'"]),
        ("UPDATE log_nodes SET hash = x'00' WHERE level = 2 AND position = 1",
         ["the tree node over entries 4–7 does not match them"]),
        ("UPDATE log_nodes SET hash = 'text' WHERE level = 1 AND position = 1",
         ["the tree node over entries 2–3 does not match them"]),
        ("DELETE FROM log_nodes WHERE level = 1 AND position = 3", ["the tree node over entries 6–7 is missing"]),
        ("DELETE FROM log_nodes WHERE level = 4", ["the tree node over entries 0–15 is missing"]),
        ("INSERT INTO log_nodes VALUES (1, 99, x'00')", ["the tree has a node 99 of level 1 over no entries"]),
        ("INSERT INTO log_nodes VALUES (1, -1, x'00')", ["the tree has a node -1 of level 1 twice"]),
        ("UPDATE log_heads SET root = x'00' WHERE size = 8",
         ["the head of 8 entries in the database does not match them"]),
        ("UPDATE log_heads SET root = x'00' WHERE size > 8",
         ["the head of 12 entries in the database does not match them (nor do 2 other heads)"]),
        ("UPDATE log_heads SET at = '2020' WHERE size = 8",
         ["the head of 8 entries says it was sealed at 2020, but was published as of 2026-03-01T12:00:00.000000Z"]),
        ("DELETE FROM log_heads WHERE size = 8", [DROPPED]),
        ("DELETE FROM log_heads WHERE size = 20",
         [DROPPED.replace("8", "20"), "the log has 20 entries but its last head in the database names 16"]),
        ("INSERT INTO log_entries SELECT -5, 'x', at, kind, model, content, leaf_hash FROM log_entries LIMIT 1",
         ["entry -5: its content says that it is entry 0",
          "entry -5: its column decision_id says 'x', but its content says 'd0'",
          "entry -5 is before the first entry, 0"]),
        ("DROP TABLE log_nodes", ["the table log_nodes is missing"]),
    ],
)  # fmt: skip
def test_each_change_is_named(database: Database, statement: str, findings: list[str]) -> None:
    if statement.startswith("DROP"):
        with database.transaction() as connection:
            connection.exec_driver_sql(statement)
    else:
        tamper(database, statement)
    assert list(log.verify(database).findings) == findings


def test_an_entry_rewritten_with_its_hash(database: Database) -> None:
    tamper(
        database,
        "UPDATE log_entries SET content = ?, leaf_hash = ? WHERE seq = 5",
        parameters=(FORGED, leaf_hash(FORGED)),
    )
    assert log.verify(database).findings == (
        "the tree node over entries 4–5 does not match them",
        "the head of 8 entries in the database does not match them (nor do 3 other heads)",
        "the published head of 8 entries does not match the log: its past was rewritten (nor do 3 other heads)",
    )


def test_content_that_is_no_decision_under_a_fitting_hash(database: Database) -> None:
    tamper(
        database,
        "UPDATE log_entries SET content = ?, leaf_hash = ? WHERE seq = 5",
        parameters=(b"{}", leaf_hash(b"{}")),
    )
    assert log.verify(database).findings[0] == "entry 5: its content is not a decision"
    with pytest.raises(Unavailable, match="entry 5 of the decision log cannot be read"):
        log.entry(database, 5)


def test_two_entries_swapped(database: Database) -> None:
    tamper(
        database,
        "UPDATE log_entries SET seq = 1000 WHERE seq = 3",
        "UPDATE log_entries SET seq = 3 WHERE seq = 4",
        "UPDATE log_entries SET seq = 4 WHERE seq = 1000",
    )
    assert log.verify(database).findings[0] == "entry 3: its content says that it is entry 4"


def test_a_past_rewritten_as_a_whole_fits_itself_but_no_published_head(database: Database, tmp_path: Path) -> None:
    forged = filled(tmp_path / "forged.db", {9: "mallory"})
    assert log.verify(forged).ok
    found = log.verify(forged, Path(f"{database.path}.heads"))
    assert found.findings == (
        "the published head of 12 entries does not match the log: its past was rewritten (nor do 2 other heads)",
    )
    forged.close()


def test_a_cut_tail_fits_itself_but_no_published_head(database: Database, tmp_path: Path) -> None:
    cut = filled(tmp_path / "cut.db", {}, size=12)
    assert log.verify(cut, Path(f"{database.path}.heads")).findings == (
        "the log ends at 12 but a published head names 20 entries",
    )
    cut.close()


def test_a_few_heads_kept_elsewhere_suffice(database: Database, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(Path(f"{database.path}.heads").read_bytes().splitlines(keepends=True)[2])
    assert log.verify(database, kept).ok
    kept.write_bytes(Head(12, b"\1" * 32, AT).line())
    assert "its past was rewritten" in log.verify(database, kept).findings[-1]


def test_heads_out_of_order_or_gone(database: Database) -> None:
    file = Path(f"{database.path}.heads")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[1] + lines[0] + Head(0, b"", AT).line())
    assert log.verify(database).findings == (
        "line 2 of the published heads is out of order",
        "line 3 of the published heads is out of order",
    )
    file.unlink()
    assert "does not exist, so a rewritten past or a cut tail would not show" in log.verify(database).findings[0]


def test_many_findings_are_cut(database: Database, tmp_path: Path) -> None:
    large = filled(tmp_path / "large.db", {}, size=120)
    tamper(large, "UPDATE log_entries SET content = x''")
    found = log.verify(large).findings
    assert len(found) == 101
    assert found[-1] == "and 20 more"
    large.close()


def test_a_tampered_end_is_not_sealed_on(database: Database) -> None:
    tamper(database, "UPDATE log_nodes SET hash = x'00' WHERE level = 4")
    with database.transaction() as connection:
        log.append(connection, [decided(99)])
    with pytest.raises(Unavailable, match="does not end where its last head says"):
        log.seal(database, AT)
    assert log.count(database) == 20


def test_a_copy_is_verified_read_only(database: Database, tmp_path: Path) -> None:
    database.close()
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("gov.db", "gov.db.heads"):
        shutil.copy(tmp_path / name, folder / name)
        (folder / name).chmod(0o400)
    folder.chmod(0o500)
    copy = Database(f"sqlite:///{folder}/gov.db", read_only=True)
    assert log.verify(copy).ok
    copy.close()
    folder.chmod(0o700)


def test_verifying_while_sealing(database: Database) -> None:
    for number in range(100, 110):
        with database.transaction() as connection:
            log.append(connection, [decided(number)])
        log.seal(database, AT)
        assert log.verify(database).ok
