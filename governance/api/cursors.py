"""Cursors of lists: where the next part begins, as text that means nothing to who holds it.

A cursor names a place in the order of a list, and no number of elements: what is added or goes meanwhile moves nobody
from one part into another.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import HTTPException, Query

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Place = tuple[str | int, ...]
"""Where an element stands among the others of its list; no two stand at the same place."""
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
Cursor = Annotated[str, Query(max_length=4000, description="`next` of the part before; empty for the first.")]


def part(
    found: Sequence[T], place: Callable[[T], Place], *asked: object, limit: int, cursor: str
) -> tuple[list[T], str | None]:
    """Return the elements behind a cursor, and the cursor behind those; None at the end.

    `asked` is the name of the list and how it was narrowed: a cursor is good for the same question only.

    :raises HTTPException: 400 for a cursor that is none of ours, or of another question.
    """
    since = _read(cursor, _mark(asked))
    ordered = sorted(found, key=place)
    if since is not None and ordered:
        if [type(each) for each in since] != [type(each) for each in place(ordered[0])]:
            raise _refused("this is none of ours")
        ordered = [each for each in ordered if place(each) > since]
    taken = ordered[:limit]
    return taken, _written(_mark(asked), place(taken[-1])) if len(ordered) > limit else None


def place_in(cursor: str, *asked: object) -> Place | None:
    """Return the place behind which a cursor begins, None for the first part; raises as `part` does."""
    return _read(cursor, _mark(asked))


def instant(at: datetime) -> int:
    """Return an instant as it stands in a place: microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def _mark(asked: Sequence[object]) -> str:
    """Return by what the cursors of one question are known."""
    return hashlib.sha256(repr(asked).encode("utf-8", "backslashreplace")).hexdigest()[:12]


def _written(mark: str, place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([mark, *place]).encode()).decode().rstrip("=")


def _read(text: str, mark: str) -> Place | None:
    if not text:
        return None
    try:
        found: Any = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not found or not isinstance(found[0], str):
        raise _refused("this is none of ours")
    if found[0] != mark:
        raise _refused("this is of another list, or of one that was narrowed otherwise")
    return tuple(found[1:])


def _refused(why: str) -> HTTPException:
    return HTTPException(HTTPStatus.BAD_REQUEST.value, f"cursor: {why}; begin again without one")
