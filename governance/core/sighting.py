"""When a version of a model was seen: first, last, and by what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Sighting:
    """A version as one question saw it, or pushes; `earlier`: of the time before `first` nothing is known."""

    version: str
    by: str
    first: datetime
    last: datetime
    earlier: bool = False


def sightings(
    by: str, spans: Sequence[tuple[str, datetime, datetime]], window: timedelta = timedelta(0)
) -> list[Sighting]:
    """Return the sightings of the answers to one question: (version, oldest answer, newest answer) that names it.

    An answer names all versions of its `window`: one that the newest answer does not name any more was last there
    when the window of its own last answer began, or later. What the oldest answer names may have been there before.
    """
    begun = min((first for _, first, _ in spans), default=None)
    newest = max((last for _, _, last in spans), default=None)
    return [
        Sighting(version, by, first, last if last == newest else max(first, last - window), earlier=first == begun)
        for version, first, last in spans
    ]


def together(found: Iterable[Sighting]) -> dict[str, list[Sighting]]:
    """Return the sightings of each version."""
    versions: dict[str, list[Sighting]] = {}
    for each in found:
        versions.setdefault(each.version, []).append(each)
    return versions
