"""Real programs that tests start."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


def program(name: str, sentence: str) -> str:
    """Return the path of a program; without it the test is skipped with a sentence, or fails where CI is true."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # which Debian keeps out of the way
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *map(str, debian)]))
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing: {sentence}")
    pytest.skip(f"{name} is missing: {sentence}")


def free_port() -> int:
    """Return a port of the loopback on which nobody listens, below those that the system gives to who calls."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)  # another one in each process, whatever its tests are seeded with
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def running(command: Sequence[str], *, ready: str, log: Path, seconds: float = 30) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; it is ready when the address `ready` answers."""
    with log.open("wb") as output:
        quiet = {**os.environ, "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=quiet, start_new_session=True)
        try:
            _await(ready, process, log, seconds)
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and the processes that it started, which are of its session."""
    process.send_signal(signal.SIGCONT)  # one that a test halted cannot end
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=3)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _await(ready: str, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(ready, timeout=1):  # noqa: S310 (an address of the test)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"{ready} did not answer; the program says:\n{log.read_text(errors='replace')[-2000:]}")
