"""Files that are no database or no longer whole, and locks that others hold: what the commands say of them.

Whatever fails, the user reads a sentence, and all goes on when the fault is gone.
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

import pytest
from transcripts.workspace import DAY, GOV, Workspace, environment, prepared, rows

from governance.bootstrap import engine as built
from governance.cli.main import run as gov
from governance.engine.cycle import run_cycle
from governance.engine.dispatch import dispatch
from governance.settings import Settings
from governance.store import turns


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
