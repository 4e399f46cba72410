"""A metric as an author writes it: a query to a source, or a measure over the prediction log."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from governance.core.document import Count, Document, Duration, Share


class Comparison(Document):
    """What a distribution is compared with; exactly one of the three."""

    window: Duration | None = None
    version: str | None = None
    reference: Literal["training"] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Comparison:
        if sum(value is not None for value in (self.window, self.version, self.reference)) != 1:
            raise ValueError('compare with one of {window: 28d}, {version: "…"}, {reference: training}')
        return self


_OF_MEASURES = ("of", "q", "where", "against")
_OF_QUERIES = ("source", "extract", "model_label")


class Metric(Document):
    """A named number about a model; with `source` and `query` asked elsewhere, with `measure` computed over the log.

    `extract` is the CEL expression over `body` that finds the numbers in a JSON answer. With `model_label`, one query
    answers for the whole fleet: a model's samples are those whose label of that name is the model.
    """

    source: str | None = None
    query: str | None = None
    extract: str | None = None
    model_label: str | None = None
    measure: str | None = None
    of: str | None = None
    by: Literal["feature", "slice", "version"] | None = None
    q: Share | None = None
    where: str | None = None
    against: Comparison | None = None
    window: Duration | None = None
    every: Duration | None = None
    stale_after: Duration | None = None
    min_samples: Count = 0
    unit: str = ""
    labels: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _asked_or_computed(self) -> Metric:
        if (self.query is None) == (self.measure is None):
            raise ValueError("a metric has either `source` and `query`, or a `measure` over the log")
        if self.query is not None and self.source is None:
            raise ValueError("a query needs the `source` that answers it")
        misplaced = _OF_MEASURES if self.query is not None else _OF_QUERIES
        found = [name for name in misplaced if getattr(self, name) is not None]
        if found and self.query is not None:
            raise ValueError(f"`{found[0]}` belongs to a `measure` over the log; say it in the query itself")
        if found:
            raise ValueError(
                f"`{found[0]}` belongs to a `query` to a source; a measure is computed over the card's log"
            )
        return self

    def label_names(self) -> tuple[str, ...]:
        """Return the names of the labels each sample carries."""
        if self.by == "slice":
            return ("slice", "value")
        return (self.by,) if self.by else self.labels
