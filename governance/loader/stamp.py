"""What tells whether files changed, without reading them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from governance.loader.files import TESTS, yaml_files

Stamp = tuple[tuple[str, int, int, int], ...]
"""Each file with the time of its last change in nanoseconds, its size and its number on the disk."""


def stamp(paths: Sequence[Path]) -> Stamp:
    """Return the stamp of every file that these paths mean; a file that cannot be looked at has one too."""
    calendars = [each for path in paths if path.is_dir() for each in sorted(path.rglob("*.ics"))]
    return tuple(_of(path) for path in [*yaml_files(paths), *calendars])


def stamp_of_tests(directories: Sequence[Path]) -> Stamp:
    """Return the stamp of every file of tests below directories: they rule nothing, and are looked at apart."""
    walks = ((root, name) for directory in directories for root, _, names in os.walk(directory) for name in names)
    return tuple(_of(Path(root, name)) for root, name in sorted(walks) if name.endswith(TESTS))


def _of(path: Path) -> tuple[str, int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        return str(path), 0, -1, error.errno or 0
    return str(path), found.st_mtime_ns, found.st_size, found.st_ino
