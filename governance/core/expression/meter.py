"""What one evaluation may cost: items and steps of its macros, and the size of the texts and lists that it builds.

The limits of Kubernetes' CEL are the model: a cost for each step, and for each ten characters.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

ITEMS = 20_000  # that macros, `in` and == may visit
STEPS = 140_000  # operations in the bodies of macros, of a tenth of a microsecond each on the fast way
TO_THE_LETTER = 4  # steps that an operation takes on the exact way
REFUSAL = 16  # steps that an operation takes besides if it raises
PATTERN = 100  # steps that it takes to compile a regular expression
SIZE = 1_000_000  # characters of texts and items of lists
_SHARE = 10  # reading ten characters costs as much as writing one
_STEPS = f"the macros take more than {STEPS:,} steps"


class OverBudget(Exception):
    """The evaluation costs too much; `reason` is one sentence for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Meter:
    """Counts what is left to one evaluation; `patterns` are the regular expressions that it has compiled."""

    __slots__ = ("items", "patterns", "size", "steps")

    def __init__(self) -> None:
        self.items = ITEMS
        self.size = SIZE
        self.steps = STEPS
        self.patterns: dict[str, Any] = {}

    def visit(self, count: int, weight: int = 0) -> None:
        """Pay for visiting items, and for a body of so many operations with each.

        :raises OverBudget: there is not so much left
        """
        self.items -= count
        if self.items < 0:
            raise OverBudget(f"the macros visit more than {ITEMS:,} items")
        self.steps -= count * weight
        if self.steps < 0:
            raise OverBudget(_STEPS)

    def left(self, weight: int) -> int:
        """Return how many items can be paid for, with a body of so many operations."""
        return min(self.items, self.steps // weight)

    def take(self, steps: int) -> None:
        """Pay for steps.

        :raises OverBudget: there is not so much left
        """
        self.steps -= steps
        if self.steps < 0:
            raise OverBudget(_STEPS)

    def build(self, size: int) -> None:
        """Pay for a text or list of that size.

        :raises OverBudget: there is not so much left
        """
        self.size -= size
        if self.size < 0:
            raise OverBudget(f"the expression builds texts and lists of more than {SIZE:,} characters and items")

    def read(self, *values: object) -> None:
        """Pay for reading through texts."""
        self.build(sum(len(each) for each in values if isinstance(each, (str, bytes))) // _SHARE)

    def built(self, value: object) -> object:
        """Pay for a value if it is a text or a list, and return it."""
        if isinstance(value, Sized) and not isinstance(value, dict):
            self.build(len(value))
        return value
