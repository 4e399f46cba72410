"""One engine per home: a lock that the system gives back when its process ends, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from governance.errors import Conflict, Unavailable


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Be the only engine that works in `home` meanwhile.

    :raises Conflict: when another process is, with its id.
    :raises Unavailable: when `home` cannot be written.
    """
    path = home / "serve.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="ascii")
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            who = file.read(20).strip() or "of unknown id"
            raise Conflict(
                f"process {who} serves {home.resolve()} already; stop it first, or set GOV_HOME to another directory"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
