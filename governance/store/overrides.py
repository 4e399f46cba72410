"""The folder of pulls that were written while the engine was away: read, and moved once they are entered."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from governance.errors import Unavailable

FOLDER, ENTERED = "overrides", "entered"
_MOST = 128 * 1024  # bytes of a file that are read; no override is as long


def write(home: Path, name: str, content: bytes) -> Path:
    """Write the file of an override, whole or not at all, and return where it is.

    :raises Unavailable: when it cannot be written.
    """
    path = home / FOLDER / f"{name}.json"
    draft = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from error
    return path


def waiting(home: Path) -> dict[str, bytes]:
    """Return the content of every file that was not entered yet, by its name without `.json`, oldest name first."""
    found: dict[str, bytes] = {}
    folder = home / FOLDER
    if folder.is_dir():
        for path in sorted(folder.glob("*.json")):
            with suppress(OSError), path.open("rb") as file:  # who may not read it cannot enter it
                found[path.stem] = file.read(_MOST)
    return found


def entered(home: Path, name: str) -> None:
    """Put a file away: the engine holds what it said.

    :raises Unavailable: when it cannot be moved.
    """
    path = home / FOLDER / f"{name}.json"
    try:
        (path.parent / ENTERED).mkdir(exist_ok=True)
        path.replace(path.parent / ENTERED / path.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unavailable(f"{path} cannot be moved to {ENTERED}/: {error.strerror}") from error
