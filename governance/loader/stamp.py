"""What tells whether files changed, without reading them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from governance.loader.files import yaml_files

Stamp = tuple[tuple[str, int, int, int], ...]
"""Each file with the time of its last change in nanoseconds, its size and its number on the disk."""


def stamp(paths: Sequence[Path]) -> Stamp:
    """Return the stamp of every file that these paths mean; a file that cannot be looked at has one too."""
    calendars = [each for path in paths if path.is_dir() for each in sorted(path.rglob("*.ics"))]
    return tuple(_of(path) for path in [*yaml_files(paths), *calendars])


def _of(path: Path) -> tuple[str, int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        return str(path), 0, -1, error.errno or 0
    return str(path), found.st_mtime_ns, found.st_size, found.st_ino
