"""Check what rules propose or do: a throttle has a share, and what acts by itself is a kill switch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from governance.core.authored import Authored, Path
from governance.core.document import Severity
from governance.core.placed import placed
from governance.core.problem import Problem
from governance.core.rule import Enforcement, Then

SHORTEST = timedelta(minutes=1)
"""A pull ends at a beat of the engine; a shorter one would only look exact."""
_NOTHING = "a rule that acts needs `then: {switch: …}` or `then: {runbook: …}`, which says what it does"
_INFO = "a rule that acts tells people, so it is a warning at least; `info` is only recorded"


def then_problems(owner: Authored[Any], path: Path, then: Then | None) -> Iterator[Problem]:
    """Check a proposal by itself; `path` is that of its rule."""
    if then is None:
        return
    if then.switch == "throttle" and not 0 < (then.share or 0) < 1:
        message = "a throttle needs the share of requests that get the fallback, more than 0% and less than 100%"
        where = (*path, "then", "share") if then.share is not None else (*path, "then", "switch")
        yield placed(owner, where, "throttle-share", message, "for all of them use fallback" if then.share else "")
    elif then.switch != "throttle" and then.share is not None:
        yield placed(owner, (*path, "then", "share"), "share-without-throttle", "only a throttle has a share")
    if then.expires is not None and then.expires < SHORTEST:
        yield placed(owner, (*path, "then", "expires"), "short-expiry", "a pull lasts a minute or longer")


def acting_problem(enforcement: Enforcement | None, then: Then | None, severities: Sequence[Severity]) -> str:
    """Return why a rule cannot act as its author wants, "" when it can or need not."""
    if enforcement != "act":
        return ""
    if then is None or (then.switch is None and then.runbook is None):
        return _NOTHING
    return _INFO if set(severities) == {"info"} else ""
