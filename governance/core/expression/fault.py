"""No value: as a value, which travels through an expression until && or || can do without it; and as an exception."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from governance.core.expression.reference import Reference
from governance.core.expression.values import OperationError

_NONE: frozenset[Reference] = frozenset()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no value; `missing` are the references it rests on, `absent` says that a field is not there."""

    reason: str
    missing: frozenset[Reference] = _NONE
    absent: bool = False


def combined(values: Iterable[object]) -> Fault | None:
    """Return what is wrong with several values: a failure before anything missing, as it needs mending first."""
    faults = [each for each in values if isinstance(each, Fault)]
    if not faults:
        return None
    failure = next((each for each in faults if not each.missing), None)
    return failure or Fault(faults[0].reason, _NONE.union(*(each.missing for each in faults)))


class Unclear(Exception):
    """The fast way does not know; the exact one decides."""


GIVES_UP = (
    Unclear,
    OperationError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
)
"""What the fast way raises where the exact one decides: it may be no failure there, as in `1 / 0 > 1 || true`."""
