"""What a kind of source shows the contract suite: a system that holds known numbers, and ways to break it.

A module `<kind>_case.py` beside this one is found by its name; its `CASES` lists its subclasses of Case. The suite
makes one object per test, calls `close` at its end, and asks as of `at` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Literal

from governance.core.metric import Labels, Query
from governance.ports import MetricSource

Fault = Literal["silent", "drip", "refused", "reset", "cut", "error", "garbage"]
"""What happens to the system behind the source.

silent: it accepts and never answers; drip: it sends a byte now and then; refused: nobody listens; reset: the connection
is torn down before the answer; cut: in its middle; error: it says that it failed (HTTP 503, an SQL error); garbage: it
answers with bytes that mean nothing.
"""

LIMIT = 0.5
"""Seconds that a source under test may take for one exchange."""
SERIES = 5
"""How many samples one answer may have (`max_series`)."""


@dataclass(frozen=True)
class Question:
    """A query, the labels that its metric declares, and the right answer: a value per label set."""

    query: Query
    expected: Mapping[Labels, float]
    labels: tuple[str, ...] = ()


class Case:
    """One kind of source; `source` is configured with LIMIT and SERIES and, where it takes one, with `secret`.

    The suite sets the environment variable CASE_SECRET to `secret`, for sources that take their credential by name.

    `not_applicable` maps a point of the suite (the name of its test without `test_`, or of a Fault) to the reason why
    the kind cannot be asked for it; the reason is shown.
    """

    kind: ClassVar[str]
    secret: ClassVar[str] = "s3cr3t-of-the-case"  # noqa: S105 (no secret: it is looked for in failures)
    not_applicable: ClassVar[Mapping[str, str]] = {}
    at: datetime = datetime(2024, 3, 10, 12, tzinfo=UTC)
    source: MetricSource

    def __init__(self, directory: Path) -> None:
        """Start the system, in files below `directory` where it needs any, and the source that asks it."""
        self.directory = directory

    def close(self) -> None:
        """End what was started: sockets, processes, connections."""

    def plain(self) -> Question:
        """Return a question with one number and no labels."""
        raise NotImplementedError

    def labelled(self) -> Question:
        """Return a question with at least two samples, each with at least one label."""
        raise NotImplementedError

    def unknown(self) -> Query:
        """Return a question about a thing that the system does not have; it is never answered with a value."""
        raise NotImplementedError

    def wrong(self) -> Query:
        """Return a question that cannot be understood; the source answers it with a failure."""
        raise NotImplementedError

    def too_many(self) -> Query:
        """Return a question with SERIES + 2 samples; its failure names SERIES."""
        raise NotImplementedError

    def not_finite(self, value: float) -> Query:
        """Return a question whose only number is NaN or an infinity."""
        raise NotImplementedError

    def later(self) -> Query:
        """Return a question whose only number became known, or speaks for an instant, after `at`."""
        raise NotImplementedError

    def broken(self, fault: Fault) -> AbstractContextManager[None]:
        """Break the system behind `source` for a while; afterwards it is well again, and `source` is the same."""
        raise NotImplementedError
