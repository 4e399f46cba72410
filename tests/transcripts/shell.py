"""`gov` as it is run in a directory, within the test's own process."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from governance.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Shell:
    """Runs `gov` in a directory."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, command: str) -> Done:
        """Run a command line that begins with `gov`."""
        self.capture.readouterr()
        code = main.run(shlex.split(command)[1:])
        return Done(code, *self.capture.readouterr())

    def write(self, path: str, text: str) -> None:
        """Write a file, with its directories."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def written(folder: Path, query: str, name: str = "sample.parquet") -> Path:
    """Write the rows of a query as Parquet, or as CSV by the name's ending."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{path}'")
    return path
