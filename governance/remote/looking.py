"""Look at a server before acting on it, or afterwards: what only reads has failed where it is not answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from governance.core.performance import Outcome
from governance.errors import Unavailable
from governance.remote.call import Answer, Caller, Lost, NotSent


class Ended(Unavailable):
    """The act ends here, before anything was changed."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.detail)
        self.outcome = outcome


def looked(
    caller: Caller, path: str, query: Mapping[str, str] | None = None, *, none: Collection[int] = (404,)
) -> dict[str, Any] | None:
    """Return the JSON object at a path, None for the statuses that say that there is none.

    :raises Ended: for any other status.
    :raises NotSent: when there is no answer, or one that is no JSON object.
    """
    from governance.remote.judging import untaken

    try:
        answer = caller.call("GET", f"{path}?{urlencode(query)}" if query else path)
        if answer.status in none:
            return None
        if not 200 <= answer.status < 300:
            raise Ended(untaken(answer, harmless=True))
        return an_object(answer)
    except Lost as error:
        raise NotSent(str(error)) from None


def an_object(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of an answer.

    :raises Lost: when it is none.
    """
    found = answer.json
    if not isinstance(found, dict):
        raise Lost(f"HTTP {answer.status}, but the answer is no JSON object: {answer.shown}")
    return found


def part(document: Mapping[str, Any] | None, *names: str) -> Mapping[str, Any]:
    """Return an object within an object, an empty one where there is none."""
    found: Any = document
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def text(document: Mapping[str, Any], name: str, most: int = 500) -> str:
    """Return a text or number of an object as one short text; "" where there is none."""
    found = document.get(name)
    return str(found)[:most] if isinstance(found, (str, int, float)) and not isinstance(found, bool) else ""
