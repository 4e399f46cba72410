"""A workspace as a user has it: policies, a prediction log in Parquet, and a database that a few cycles filled."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import warm

from governance.bootstrap import engine
from governance.engine.cycle import run_cycle
from governance.engine.dispatch import dispatch
from governance.settings import Settings

HERE = Path(__file__).parent
GOV = (sys.executable, "-c", "from governance.cli.main import main; main()")
HOSTILE = "v2\x1b[31m[red]\x1b]0;owned\x07"
DAY = datetime(2026, 1, 5, tzinfo=UTC)
CYCLES = (16, 17, 18, 19, 20)
"""The full hours at which the engine looked; each sees the predictions of the hour before."""

_LOG = """
    copy (
        select timestamp '2026-01-05 00:00:30' + to_minutes(i) as at, 'r' || i as request,
               case when i >= 19 * 60 then $version else 'v1' end as version,
               case when i // 60 = 16 then 0.05 when i >= 18 * 60 then 0.9 else 0.2 end as score
        from range(20 * 60) t(i)
    ) to '{path}' (format parquet)
"""


@dataclass(frozen=True)
class Workspace:
    """A directory that `gov` runs in."""

    directory: Path

    @property
    def database(self) -> Path:
        """The file of the engine's database."""
        return Settings(home=self.directory / ".gov").database_file

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the real command here, without a terminal and without the settings of whoever runs the tests."""
        return warm.run(GOV[-1], arguments, cwd=self.directory, env=environment(settings))

    def ask(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command in this process, which takes a twentieth of the time of one of its own."""
        from governance.cli.main import run

        before, out, err = dict(os.environ), _stream(), _stream()
        shown = environment(settings)
        try:
            os.environ.clear()
            os.environ.update(shown)
            with chdir(self.directory), redirect_stdout(out), redirect_stderr(err):
                code = run(list(arguments))
        finally:
            os.environ.clear()
            os.environ.update(before)
        return subprocess.CompletedProcess(arguments, code, _written(out), _written(err))

    def copy(self, directory: Path) -> Workspace:
        """Return another workspace like this one."""
        shutil.copytree(self.directory, directory)
        return Workspace(directory)


def _stream() -> io.TextIOWrapper:
    """Return a stream such as a process has that writes into a pipe."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8")


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Return an environment in which only `settings` say something to `gov`."""
    hidden = ("GOV_", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LOAN_HOOK")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(hidden)}, **settings}


def prepared(directory: Path, cycles: Sequence[int] = CYCLES) -> Workspace:
    """Write the files and let the engine look at them at each hour."""
    (directory / "policies").mkdir(parents=True)
    (directory / "data" / "loans").mkdir(parents=True)
    for name in ("org.yaml", "loan-risk.yaml"):
        shutil.copy(HERE / name, directory / "policies" / name)
    # Without the rules about the engine itself, which would speak of the hook that nobody answers.
    (directory / "policies" / "packs").mkdir()
    (directory / "policies" / "packs" / "engine.yaml").write_text("kind: pack\npack: engine\n", encoding="utf-8")
    path = directory / "data" / "loans" / "2026-01-05.parquet"
    with duckdb.connect() as connection:
        connection.execute(_LOG.format(path=path), {"version": HOSTILE})
    built = engine(Settings(home=directory / ".gov", policies=directory / "policies"), base=directory)
    for hour in cycles:
        run_cycle(built, DAY + timedelta(hours=hour))
        dispatch(built, DAY + timedelta(hours=hour))
    built.database.close()
    return Workspace(directory)


def rows(table: str) -> list[list[str]]:
    """Return the cells of a printed table, without its head."""
    lines = [line for line in table.splitlines() if line.strip() and not line.startswith("last judged")]
    return [re.split(r"\s{2,}", line.strip()) for line in lines[2:]]


def parsed(text: str) -> Any:
    """Return a JSON document; it must be all that was printed."""
    return json.loads(text)
