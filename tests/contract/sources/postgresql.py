"""A real PostgreSQL on the loopback, with a password, and a proxy before it that can fail in every way."""

from __future__ import annotations

import atexit
import os
import pwd
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from contract.sources.programs import free_port, program

PASSWORD = "s3cr3t of/the:server"  # noqa: S105 (of a server that only tests know)
_GET = "apt-get install postgresql"
_SETTINGS = ("fsync = off", "full_page_writes = off", "max_connections = 40", "timezone = 'America/New_York'")
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: closing sends RST


class PostgreSQL:
    """A cluster of its own in a temporary directory; stopped and removed by `remove`."""

    def __init__(self) -> None:
        self._control = program("pg_ctl", _GET)
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="gov-postgresql-"))
        secret = self.directory / "password"
        secret.write_text(PASSWORD)
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            owner = pwd.getpwnam("postgres")
            for each in (self.directory, secret):
                os.chown(each, owner.pw_uid, owner.pw_gid)
        data = str(self.directory / "data")
        self._run(program("initdb", _GET), "-D", data, "-U", "owner", "-A", "scram-sha-256", "--no-sync",
                  "-E", "UTF8", "--locale=C", f"--pwfile={secret}")  # fmt: skip
        with (self.directory / "data" / "postgresql.conf").open("a") as config:
            config.write("\n".join(_SETTINGS))
        self.start()

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.directory}"
        self._run(self._control, "-D", str(self.directory / "data"), "-l", str(self.directory / "log"), "-w", "-s",
                  "-o", options, "start")  # fmt: skip

    def stop(self) -> None:
        """Stop as if the power had been cut."""
        self._run(self._control, "-D", str(self.directory / "data"), "-m", "immediate", "-w", "-s", "stop")

    def remove(self) -> None:
        with suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Hold a table so that nobody else can read it."""
        with self._connected() as connection, connection.transaction():
            connection.execute(f"lock table {table}")
            yield

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the owner; return the rows of the last one."""
        with self._connected() as connection:
            for each in statements:
                cursor = connection.execute(each)
            return cursor.fetchall() if cursor.description else []

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="owner", password=PASSWORD, dbname="postgres", autocommit=True
        )

    def _run(self, *command: str) -> None:
        as_owner = ("runuser", "-u", "postgres", "--") if os.getuid() == 0 else ()
        subprocess.run([*as_owner, *command], check=True, capture_output=True, cwd=self.directory, timeout=60)


@cache
def server() -> PostgreSQL:
    """Return the one server of this process."""
    made = PostgreSQL()
    atexit.register(made.remove)
    return made


class Proxy:
    """Passes bytes between the source and a port, until `fault` is one of case.Fault, or `stalled` is set."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.fault: str | None = None
        self.stalled = False
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listen(0)
        self.port: int = self._listener.getsockname()[1]

    @contextmanager
    def broken(self, fault: str) -> Iterator[None]:
        """Have a fault for a while."""
        self.fault = fault
        if fault == "refused":
            self._hang_up()
        try:
            yield
        finally:
            self.fault = None
            if fault == "refused":
                self._listen(self.port)

    def close(self) -> None:
        self._over.set()
        self._hang_up()
        for each in self._threads:
            each.join(timeout=5)

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self._begin(self._accept, self._listener)

    def _begin(self, work: Any, *arguments: Any) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _hang_up(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                self._begin(self._served, listener.accept()[0])

    def _served(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if self.fault == "silent":
                self._over.wait(timeout=3)
            elif self.fault == "drip":
                self._drip(client)
            elif self.fault == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            elif self.fault == "garbage":
                client.recv(4096)
                client.sendall(b"<html>\x00\x07 not what was asked\r\n" * 50)
            else:
                with socket.create_connection(("127.0.0.1", self._target), timeout=5) as server:
                    self._pump(client, server)

    def _drip(self, client: socket.socket) -> None:
        """Begin a long message of the protocol, byte by byte."""
        end = time.monotonic() + 3
        client.recv(4096)
        client.sendall(b"R" + struct.pack(">I", 1500))
        while self.fault == "drip" and time.monotonic() < end:
            client.sendall(b"x")
            self._over.wait(timeout=0.05)

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        is_asked = False
        while not self._over.is_set():
            ready = select.select([client, server], [], [], 0.05)[0]
            if self.stalled:
                self._over.wait(timeout=0.02)
                continue
            for each in ready:
                data = each.recv(65536)
                if not data:
                    return
                is_asked = is_asked or b"DECLARE" in data
                if self.fault == "cut" and each is server and is_asked:
                    client.sendall(data[: len(data) // 2])
                    return
                (server if each is client else client).sendall(data)
