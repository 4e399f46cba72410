"""Play a page of the documentation: its commands are run, and what it shows of their output must appear in order."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def play(page: Path, folder: Path) -> list[str]:
    """Run every `sh` and `console` block of a page in a folder; return the commands of the latter."""
    commands = []
    for language, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "sh":
            done = run(text, folder)
            assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        elif language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, *shown = part.strip("\n").split("\n")
                appear(command, shown, run(command, folder))
                commands.append(command)
    return commands


def appear(command: str, shown: list[str], done: subprocess.CompletedProcess[str]) -> None:
    """Check that lines are in what a command printed, in order."""
    rest = done.stdout + done.stderr
    for line in filter(str.strip, shown):
        assert line.rstrip() in rest, f"{command}: {line!r} is not in\n{done.stdout}{done.stderr}"
        rest = rest.split(line.rstrip(), 1)[1]


def run(command: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the shell as a reader would, without a terminal."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    hidden = {name: value for name, value in os.environ.items() if not name.startswith("GOV_")}
    environment = {**hidden, "PATH": path, "NO_COLOR": "1", **settings}
    return subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def seconds_of_children() -> float:
    """Return the seconds of compute that ended child processes took so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
