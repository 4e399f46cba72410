"""The last known state on disk, so that a process starts with it when the engine cannot be reached.

A first line says what the file is and the SHA-256 of the rest; the rest is one JSON object. The file is replaced as a
whole, so that processes may share it: each writes only what the engine has just told it, and a reader never sees half.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model_governance_openfeature.answer import Held, content_of, restored
from model_governance_openfeature.switch import Unreadable

FORMAT = "model-governance-switches/1"
LARGEST = 64 * 2**20


def save(path: Path, engine: str, held: Held) -> None:
    """Write the state of an engine, and have it on disk before this returns.

    :raises OSError: when the disk or its permissions say no; then the file is as it was.
    """
    content = json.dumps({"engine": engine, **content_of(held)}, separators=(",", ":")).encode()
    head = json.dumps({"format": FORMAT, "sha256": hashlib.sha256(content).hexdigest()}).encode()
    number, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(head + b"\n" + content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    _persist(path.parent)


def load(path: Path, engine: str) -> Held | None:
    """Read the state of an engine; None when there is no file.

    :raises Unreadable: when the file is damaged, of another program or of another engine.
    :raises OSError: when it cannot be read.
    """
    try:
        with path.open("rb") as file:
            head, _, content = file.read(LARGEST).partition(b"\n")
    except FileNotFoundError:
        return None
    said = _read(head, "it is no snapshot of switches")
    if said.get("format") != FORMAT:
        raise Unreadable("it is no snapshot of switches")
    if said.get("sha256") != hashlib.sha256(content).hexdigest():
        raise Unreadable("its content does not have the checksum that its first line names")
    found = _read(content, "its content is no JSON object")
    if found.get("engine") != engine:
        raise Unreadable(f"it is of the engine at {found.get('engine')}, not of {engine}")
    return restored(found)


def _read(text: bytes, otherwise: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(otherwise) from error
    if not isinstance(found, dict):
        raise Unreadable(otherwise)
    return found


def _persist(directory: Path) -> None:
    """Have the new name on disk as well, where directories can be synchronised."""
    with contextlib.suppress(OSError):
        number = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
