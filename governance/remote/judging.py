"""What an answer, or its lack, says of an act: it failed, or nobody knows. What is done is known by who asked."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from governance.core.performance import Outcome
from governance.posting import retry_after
from governance.remote.call import Answer, Lost, NotSent

_PASSING = frozenset({
    HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.LOCKED, HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
})  # fmt: skip
"""Answers of the 400s after which it may be taken later; 409 is what a server says that works on the same key."""
_ELSEWHERE = frozenset({
    HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT,
})  # fmt: skip
"""Redirects that say: not here. After the others (302, 303) the request may have been taken."""
_NOT_US = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_NEVER = frozenset({HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED})
LONGEST_WAIT = timedelta(hours=1)
"""How long a server may ask us to wait."""


def unsent(error: NotSent) -> Outcome:
    """Return the outcome of what never left."""
    return Outcome("failed", str(error), again=error.again)


def lost(error: Lost, *, harmless: bool = False) -> Outcome:
    """Return the outcome of what has no answer; `harmless`: it changes nothing, so that it simply failed."""
    return Outcome("failed" if harmless else "unknown", str(error))


def untaken(answer: Answer, *, harmless: bool = False) -> Outcome:
    """Return the outcome of an answer that is not the one which says that it is done.

    An error of the server (500 to 599) may come after the act, and one of a proxy before it: nobody knows. A server
    that says when to come again (503 with Retry-After) has not taken it.
    """
    status, wait = answer.status, retry_after(answer.headers)
    wait = min(wait, LONGEST_WAIT) if wait is not None else None
    moved = " (redirects are not followed)" if 300 <= status < 400 else ""
    detail = f"HTTP {status}{moved}" + (f": {answer.shown}" if answer.shown else "")
    if harmless:
        return Outcome("failed", detail, again=not 300 <= status < 400 and status not in _NOT_US, wait=wait)
    if status in _PASSING or (status == HTTPStatus.SERVICE_UNAVAILABLE and wait is not None):
        return Outcome("failed", detail, wait=wait)
    if 400 <= status < 500 or status in _ELSEWHERE or status in _NEVER:
        return Outcome("failed", detail, again=False, wait=wait)
    return Outcome("unknown", detail, wait=wait)
