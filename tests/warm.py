"""Processes of `gov` that begin where all its modules have been imported already, as a fork of one that did only that.

Importing takes a server of ours four times as long as starting, and the tests start hundreds. What they prove is the
same: a process of its own with its own memory, files, environment and signals, that can be killed. That a command also
starts where nothing was imported is shown by those that tests start as users do, and by tests/test_imports.py.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO

_NUMBER = struct.Struct("i")
_TESTS = Path(__file__).parent


class Forked:
    """What `subprocess.Popen` is of a program, of a piece of Python that a fork of the warm process runs."""

    def __init__(
        self,
        code: str,
        arguments: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdout: IO[bytes],
        stderr: IO[bytes],
    ) -> None:
        """Run `code` with the arguments of a command line; standard input is empty."""
        self.args = [code, *arguments]
        self.returncode: int | None = None
        self._lock = Lock()
        asked = json.dumps([code, [*arguments], str(cwd.absolute()), dict(env)]).encode()
        self._told, theirs = socket.socketpair()
        with theirs, open(os.devnull, "rb") as nothing:  # noqa: PTH123 (a device)
            files = [each.fileno() for each in (nothing, stdout, stderr, theirs)]
            _warm().begin(asked, files)
        self.pid: int = _NUMBER.unpack(self._told.recv(_NUMBER.size, socket.MSG_WAITALL))[0]

    def poll(self) -> int | None:
        """Return how it ended, or nothing while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit code, or the negative number of the signal that ended it.

        :raises subprocess.TimeoutExpired: when it runs on after `timeout` seconds
        """
        with self._lock:
            if self.returncode is None:
                self._told.settimeout(timeout)
                try:
                    said = self._told.recv(_NUMBER.size, socket.MSG_WAITALL)
                except (TimeoutError, BlockingIOError):
                    raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
                self._told.close()
                self.returncode = _NUMBER.unpack(said)[0]
            return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def run(
    code: str, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run it to its end and return what it wrote; it is killed after `timeout` seconds.

    :raises subprocess.TimeoutExpired: when that was necessary
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = Forked(code, arguments, cwd=cwd, env=env, stdout=out, stderr=err)
        try:
            process.wait(timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
        return subprocess.CompletedProcess(arguments, process.returncode or 0, _written(out), _written(err))


def _written(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@cache
def _warm() -> Warm:
    made = Warm()
    atexit.register(made.close)
    return made


class Warm:
    """The process that the others are forked from; it ends with the one that started it."""

    def __init__(self) -> None:
        """Start it."""
        self._lock = Lock()
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env={name: value for name, value in os.environ.items() if not name.startswith("GOV_")},
            )  # fmt: skip

    def begin(self, asked: bytes, files: Sequence[int]) -> None:
        """Hand over what to run, with its standard streams and where to tell of it."""
        with self._lock:
            self._ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(asked))
            socket.send_fds(self._ours, [asked], files)

    def close(self) -> None:
        """End it; what was forked from it lives on."""
        self._ours.close()
        self._process.wait()


def _imported() -> None:
    """Import all that is ours, and with it most of what others wrote, and build what is built once in a process."""
    import governance
    from governance.core.expression.grammar import parser

    for each in pkgutil.walk_packages(governance.__path__, "governance."):
        if not each.name.endswith(".__main__"):
            importlib.import_module(each.name)
    for name in ("duckdb", "psycopg", "uvicorn.loops.auto", "uvicorn.protocols.http.auto"):
        importlib.import_module(name)
    parser()
    tasks = Path("/proc/self/task")
    assert not tasks.exists() or len([*tasks.iterdir()]) == 1, "a fork has only one of its parent's threads"


def _next_life(channel: socket.socket) -> str:
    """Fork whenever that is asked for, and tell of ends, for as long as somebody may ask; return a fork's code."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    lives: dict[int, int] = {}  # by number, where to tell of it
    while True:
        ready, _, _ = select.select([channel, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _bury(lives)
        if channel not in ready:
            continue
        asked, files, _, _ = socket.recv_fds(channel, 1 << 22, 4)
        if not asked:
            os._exit(0)
        child = os.fork()
        if not child:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for each in (woken, wake, channel.detach(), *lives.values()):
                os.close(each)
            return _born(json.loads(asked), files)
        for each in files[:3]:
            os.close(each)
        lives[child] = files[3]
        os.write(files[3], _NUMBER.pack(child))


def _bury(lives: dict[int, int]) -> None:
    while lives:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        told = lives.pop(child)
        with open(told, "wb") as file:  # noqa: PTH123 (it is a number)
            file.write(_NUMBER.pack(os.waitstatus_to_exitcode(status)))


def _born(asked: tuple[str, list[str], str, dict[str, str]], files: Sequence[int]) -> str:
    """Be what was asked for: its directory, environment, command line and streams."""
    code, arguments, directory, environment = asked
    for number, each in enumerate(files[:3]):
        os.dup2(each, number)
    for each in files:
        os.close(each)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = ["-c", *arguments]
    return code


if __name__ == "__main__":
    sys.path[0] = str(_TESTS)
    _imported()
    _code = _next_life(socket.socket(fileno=int(sys.argv[1])))
    exec(_code, {"__name__": "__main__"})  # noqa: S102 (what a test gave)
