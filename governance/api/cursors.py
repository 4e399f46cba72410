"""Cursors of lists: where the next part begins, as text that means nothing to who holds it."""

from __future__ import annotations

import base64
import json
from typing import Annotated

from fastapi import Query

from governance.errors import InvalidDocument

Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
Cursor = Annotated[str, Query(max_length=500, description="`next` of the part before; empty for the first.")]


def behind(*place: str | int) -> str:
    """Return the cursor behind a place in the order of a list."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place(text: str, *kinds: type[str | int]) -> tuple[str | int, ...] | None:
    """Return the place of a cursor, None of an empty one.

    :raises InvalidDocument: when it is none of ours.
    """
    if not text:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        found = None
    fits = isinstance(found, list) and [type(each) for each in found] == list(kinds)
    if not fits or any(isinstance(each, int) and abs(each) >= 2**53 for each in found):
        raise InvalidDocument("cursor: this is none of ours; begin again without one")
    return tuple(found)
