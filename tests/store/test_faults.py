"""Disks that fill up or refuse to write, files that are no database or no longer whole, locks that others hold.

Whatever fails, the user reads a sentence, nothing is half written, and all goes on when the fault is gone.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from scenarios.story import START, Collector, Story
from sqlalchemy import event
from transcripts.workspace import DAY, GOV, Workspace, environment, prepared, rows

from governance.bootstrap import engine as built
from governance.cli.main import run as gov
from governance.engine import operations
from governance.engine.cycle import run_cycle
from governance.engine.dispatch import dispatch
from governance.errors import Conflict, Unavailable
from governance.settings import Settings
from governance.store import alerts, decision_log, effects, incidents, turns
from governance.store.database import Database

EVERY = timedelta(minutes=10)
STORY = {
    "every": "10m",
    "card": {
        "model": "m",
        "owners": {"team": "t"},
        "metrics": {"x": {"source": "test", "query": "x", "labels": ["feature"]}},
        "rules": [{"rule": "high", "when": "metrics.x > 0.5", "summary": "{labels.feature} is high " + "x" * 1000}],
    },
    "series": {f'x{{feature="f{n}"}}': "0.1 0.9x2" for n in range(12)},
    "org": {"people": {"ana": {}}, "incidents": {"group_by": ["model", "rule"]}},
    "expect": [],
}


class SmallDisk:
    """A database whose file may grow by `pages` pages and no more; None is no limit."""

    def __init__(self, path: Path) -> None:
        self.database = Database(f"sqlite:///{path}")
        self.database.create_tables()
        self.pages: int | None = None
        event.listen(self.database._engine, "checkout", self._limit)

    @contextmanager
    def full_after(self, pages: int) -> Iterator[None]:
        with self.database.read() as connection:
            self.pages = pages + int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        try:
            yield
        finally:
            self.pages = None

    def _limit(self, raw: sqlite3.Connection, *_: object) -> None:
        raw.execute(f"PRAGMA max_page_count = {self.pages or 2**30}")


def state(database: Database) -> tuple[Any, ...]:
    """Return what is known: alerts, incidents, what was told, and the decisions, sealed or waiting."""
    with database.read() as connection:
        firing = {key for key, alert in alerts.active(connection).items() if alert.state == "firing"}
        found = incidents.listed(connection)
        told = sorted(effect.key for each in found for effect in effects.of_incident(connection, each.id))
    story = [(each.id, each.status, each.version, each.findings) for each in found]
    decided = sorted((each.decision.kind, each.decision.id) for each in decision_log.tail(database, 1000))
    return firing, story, told, decided


def check_log(database: Database) -> None:
    """Seal what waits, and check that the log is whole and holds each decision once."""
    decision_log.seal(database, START + timedelta(days=1))
    checked = decision_log.verify(database)
    assert checked.ok, checked.findings
    decided = [number for _, number in state(database)[3]]
    assert len(decided) == len(set(decided))


def check_findings(database: Database) -> None:
    """Check that what fires is what incidents hold, that each was opened by a decision, and that somebody is told."""
    firing, _, told, decided = state(database)
    with database.read() as connection:
        found = incidents.listed(connection)
    assert {finding.key for each in found for finding in each.firing} == firing
    assert sum(kind == "incident.opened" for kind, _ in decided) == len(found)
    assert len(told) >= len(found)


def story(disk: SmallDisk, collector: Collector | None = None) -> Story:
    return Story(STORY, database=disk.database, collector=collector)


def cycles(played: Story, *indices: int) -> None:
    for index in indices:
        run_cycle(played.engine, START + index * EVERY)
        dispatch(played.engine, START + index * EVERY)


def refusal(act: Callable[[], object]) -> bool:
    """Tell whether a full disk keeps an act from being done; it says so."""
    try:
        act()
    except Unavailable as error:
        return "is full; free some space" in str(error) or pytest.fail(str(error))
    return False


def until_it_fits(tmp_path: Path, attempt: Callable[[SmallDisk, int], bool]) -> int:
    """Try with ever more room on the disk until it is enough; return how often it was not."""
    for pages in range(0, 100, 2):
        disk = SmallDisk(tmp_path / f"{pages}.db")
        try:
            if attempt(disk, pages):
                return pages
        finally:
            disk.database.close()
    pytest.fail("it never fitted")


def test_a_disk_that_fills_up_in_a_cycle(tmp_path: Path) -> None:
    plenty = SmallDisk(tmp_path / "plenty.db")
    cycles(story(plenty), 0, 1, 2)
    undisturbed = state(plenty.database)
    plenty.database.close()

    def attempt(disk: SmallDisk, pages: int) -> bool:
        collector = Collector()
        played = story(disk, collector)
        cycles(played, 0)
        with disk.full_after(pages):
            refused = refusal(lambda: cycles(played, 1))
        check_log(disk.database)
        check_findings(disk.database)
        cycles(played, 1, 2)
        check_log(disk.database)
        assert state(disk.database) == undisturbed
        assert [each.message.reason for each in collector.effects] == ["first"]
        return not refused

    assert until_it_fits(tmp_path, attempt) > 3


def test_a_disk_that_fills_up_in_an_act_or_its_sealing(tmp_path: Path) -> None:
    outcomes = set()

    def attempt(disk: SmallDisk, pages: int) -> bool:
        played = story(disk)
        cycles(played, 0, 1)
        act = {"actor": "ana", "because": "noise " * 8000, "at": START + EVERY}
        with disk.full_after(pages):
            refused = refusal(lambda: operations.resolve(played.engine, 1, **act))
        with disk.database.read() as connection:
            status = incidents.listed(connection)[0].status
        check_log(disk.database)
        entries = [kind for kind, _ in state(disk.database)[3]]
        assert entries.count("incident.resolved") == (status == "resolved")
        outcomes.add((bool(refused), status))
        if status == "resolved":  # it was committed; perhaps only its sealing had no room
            with pytest.raises(Conflict, match="was resolved by ana"):
                operations.resolve(played.engine, 1, **act)
        else:
            operations.resolve(played.engine, 1, **act)
        check_log(disk.database)
        return not refused

    until_it_fits(tmp_path, attempt)
    assert outcomes == {(True, "triggered"), (True, "resolved"), (False, "resolved")}


# the commands, in a workspace of their own


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return prepared(tmp_path_factory.mktemp("faults") / "workspace", cycles=(18, 19))


@pytest.fixture
def workspace(seen: Workspace, tmp_path: Path) -> Workspace:
    return seen.copy(tmp_path / "workspace")


class Terminal:
    """Runs commands in a workspace, in this process, as each start of Python takes a second."""

    def __init__(self, workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
        self.database = workspace.database
        self.directory = workspace.directory
        self._capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit code, what was printed, and what was said of errors."""
        self._capsys.readouterr()
        code = gov([*arguments])
        return code, *self._capsys.readouterr()

    def process(self, *before: str, command: Sequence[str]) -> tuple[int, str, str]:
        """The same in a process of its own, started by way of `before`."""
        done = subprocess.run(
            [*before, *GOV, *command],
            cwd=self.directory,
            env=environment({}),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def summary(self) -> tuple[str, str]:
        """Return what the log and the incidents are, as their commands say."""
        verified, listed = self.run("audit", "verify"), self.run("incidents", "list", "--status", "all")
        assert (verified[0], listed[0]) == (0, 0), verified[1] + verified[2] + listed[2]
        return verified[1], listed[1]


@pytest.fixture
def terminal(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    monkeypatch.chdir(workspace.directory)
    for name in environment({}).keys() ^ os.environ.keys():
        monkeypatch.delenv(name)
    yield Terminal(workspace, capsys)
    gc.collect()  # commands leave their connections to the end of the process


LOOK = ("incidents", "list")
JUDGE = ("eval", "loan-risk", "--at", f"{DAY:%Y-%m-%d}T20:00Z")
VERIFY = ("audit", "verify")


def taking(terminal: Terminal) -> tuple[str, ...]:
    """Return the command that takes an incident."""
    listed = rows(terminal.run(*LOOK)[1])
    return "incidents", "ack", next(each[0].removeprefix("INC-") for each in listed if each[1] != "info"), "--as", "ana"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda _: b"these are my notes, " * 300, "is no SQLite database; was another file given"),
        (lambda good: b"\xa5" * len(good), "is no SQLite database"),
        (lambda good: good[:8192], "is damaged; restore it from a backup"),
        (lambda good: good[:5000], "is damaged; restore it from a backup"),
        (lambda good: good[:4096] + bytes(len(good) - 4096), "is damaged; restore it from a backup"),
    ],
    ids=["notes", "noise", "half", "torn", "zeros"],
)
def test_a_file_that_is_no_database(content: Callable[[bytes], bytes], sentence: str, terminal: Terminal) -> None:
    before, take = terminal.summary(), taking(terminal)
    good = terminal.database.read_bytes()
    bad = content(good)
    terminal.database.write_bytes(bad)
    for each in (LOOK, take, JUDGE, VERIFY):
        code, said, wrong = terminal.run(*each)
        assert (code, said) == (4, ""), each
        assert sentence in wrong
        assert len(wrong.splitlines()) == 1
    assert terminal.database.read_bytes() == bad, "what is left of it must stay as it is"
    terminal.database.write_bytes(good)
    assert terminal.summary() == before


def test_a_database_of_a_newer_version_is_not_touched(terminal: Terminal) -> None:
    take = taking(terminal)
    with closing(sqlite3.connect(terminal.database)) as connection, connection:
        connection.execute("update schema_version set version = 99")
        before = list(connection.iterdump())
    for each in (LOOK, take, JUDGE, VERIFY):
        code, said, wrong = terminal.run(*each)
        assert (code, said) == (4, "")
        assert "has layout 99, written by a newer version of this program" in wrong
    with closing(sqlite3.connect(terminal.database)) as connection:
        assert list(connection.iterdump()) == before


@pytest.mark.parametrize("gone", [False, True], ids=["emptied", "deleted"])
def test_a_database_that_was_lost_is_not_begun_anew(gone: bool, terminal: Terminal) -> None:
    before, take, good = terminal.summary(), taking(terminal), terminal.database.read_bytes()
    if gone:
        terminal.database.unlink()
    else:
        terminal.database.write_bytes(b"")
    for each in (LOOK, take):
        code, said, wrong = terminal.run(*each)
        assert (code, said) == (4, ""), each
        assert f"is {'gone' if gone else 'empty'}, but" in wrong
        assert "put the database back from its backup" in wrong
    assert terminal.database.exists() is not gone
    terminal.database.write_bytes(good)
    assert terminal.summary() == before


def test_a_database_that_another_process_holds(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "BUSY_SECONDS", 0.05)
    before, take = terminal.summary(), taking(terminal)
    with held(terminal.database):
        code, said, wrong = terminal.run(*take)
        assert (code, said) == (4, "")
        assert "another program kept the database" in wrong
        assert terminal.run(*VERIFY)[0] == 0, "looking waits for nobody"
        assert terminal.run(*JUDGE)[0] == 1
    assert terminal.summary() == before
    assert terminal.run(*take)[0] == 0


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Let another process hold the write lock."""
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('begin immediate'); "
    code += "print('held', flush=True); sys.stdin.read()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code, str(path)], **pipes) as other:  # type: ignore[call-overload]
        assert other.stdout.readline() == "held\n"
        yield
        other.stdin.close()


def test_a_directory_in_which_this_user_may_not_write(terminal: Terminal) -> None:
    before, take = terminal.summary(), taking(terminal)
    with protected(terminal.directory) as without_rights:
        code, said, wrong = terminal.process(*without_rights, command=take)
        assert (code, said) == (4, "")
        assert "cannot be written" in wrong or "cannot be opened" in wrong
        assert len(wrong.splitlines()) == 1
        assert terminal.process(*without_rights, command=VERIFY)[0] == 0
        assert terminal.process(*without_rights, command=JUDGE)[0] == 1
    assert terminal.summary() == before
    assert terminal.run(*take)[0] == 0


@contextmanager
def protected(directory: Path) -> Iterator[Sequence[str]]:
    """Make everything below a directory read-only; root obeys that only without its capability to override it."""
    paths = [directory, *directory.rglob("*")]
    modes = {each: each.stat().st_mode for each in paths}
    for each in paths:
        each.chmod(0o555 if each.is_dir() else 0o444)
    try:
        yield ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    finally:
        for each, mode in modes.items():
            each.chmod(mode)


@pytest.mark.parametrize("kilobytes", [0, 8])
def test_a_file_system_that_takes_no_more(kilobytes: int, terminal: Terminal) -> None:
    """No file may grow beyond a size: neither the journal of the database, nor the published heads."""
    before, take = terminal.summary(), taking(terminal)
    limited = ("bash", "-c", f'ulimit -f {kilobytes} && exec "$0" "$@"')
    code, _, wrong = terminal.process(*limited, command=take)
    assert code == 4
    assert len(wrong.splitlines()) == 1
    assert terminal.summary() == before
    assert terminal.run(*take)[0] == 0


@pytest.mark.parametrize(
    "damaged",
    [
        lambda good: good[: len(good) // 2],
        lambda good: good[:-4],
        lambda good: b"\xa5" * len(good),
        lambda good: good[:4] + b"\xa5" * (len(good) - 12) + good[-8:],
        lambda _: b"",
    ],
    ids=["half", "torn", "noise", "noise in a frame", "empty"],
)
def test_a_prediction_log_that_is_damaged_for_a_while(damaged: Callable[[bytes], bytes], terminal: Terminal) -> None:
    """Nothing that fires is cleared, the source is named, and when the file is whole again all goes on."""
    (file,) = (terminal.directory / "data" / "loans").glob("*.parquet")
    good, high = file.read_bytes(), "The mean score of the last hour is 0.9"
    assert high in terminal.run(*LOOK)[1]
    file.write_bytes(damaged(good))
    judged(terminal, 20, 0)
    code, said, _ = terminal.run(*JUDGE)
    assert code in (1, 4)  # 1 where a rule that needs no log fails besides
    assert "loans:" in said
    assert "scores-high" in said
    open_now = terminal.run(*LOOK)[1]
    assert high in open_now
    assert "predictions" in open_now
    assert "answers" not in open_now  # of the version that nobody has heard of, which the file would show
    file.write_bytes(good)
    judged(terminal, 20, 30)
    assert "answers" in terminal.run(*LOOK)[1]
    assert terminal.run(*VERIFY)[0] == 0


def judged(terminal: Terminal, hour: int, minute: int) -> None:
    """Let a new engine, as after a restart, judge once."""
    made = built(Settings(home=Path(".gov"), policies=Path("policies")))
    at = DAY + timedelta(hours=hour, minutes=minute)
    run_cycle(made, at)
    dispatch(made, at)
    made.database.close()
