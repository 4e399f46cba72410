"""What is asked of a metric source, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

Labels = tuple[tuple[str, str], ...]
"""A label set: (name, value) pairs sorted by name; hashable and comparable."""

MissingReason = Literal["no_data", "too_few", "stale", "error"]


def labels(**pairs: str) -> Labels:
    """Return the pairs as a label set."""
    return tuple(sorted(pairs.items()))


@dataclass(frozen=True, slots=True)
class Against:
    """What a distribution is compared with: the reference rows (both None), the preceding window, or a version."""

    window: timedelta | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Feature:
    """One logged input of a model.

    `kind` decides the bins; `low`/`high` is the declared range; `against` overrides the measure's comparison
    (a seasonal feature is compared with its recent past, not with training). `default` stands in for unknown values.
    """

    name: str
    kind: Literal["number", "category", "text"]
    low: float | None = None
    high: float | None = None
    against: Against | None = None
    default: float | str | None = None


@dataclass(frozen=True, slots=True)
class LogTable:
    """Where a model's prediction log lies and which column plays which role.

    `columns` maps a role (time, request, version, score, decision, latency, cost, error, fallback, override,
    label, label_time, feature_time) to a column. `labels` names a second table with the request, label and
    label_time columns when the truth is not in the same table; `reference` one with the training-time rows;
    `slices` are (name, SQL expression over the log's columns).
    """

    source: str
    table: str
    columns: tuple[tuple[str, str], ...]
    features: tuple[Feature, ...] = ()
    slices: tuple[tuple[str, str], ...] = ()
    labels: str | None = None
    reference: str | None = None
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        """Hash once: logs and queries are keys that a cycle looks up a hundred thousand times."""
        object.__setattr__(self, "_hash", hash((self.source, self.table, self.columns, self.features)))

    def __hash__(self) -> int:
        """Return the hash that was computed when it was made."""
        return self._hash

    def column(self, role: str) -> str | None:
        """Return the column of a role, or None when the card maps none."""
        return dict(self.columns).get(role)


@dataclass(frozen=True, slots=True)
class Query:
    """One distinct question to one source; equal queries of many models are sent once.

    The window is (end − window, end] with end = at − offset; `offset` is the label delay where truth is needed.
    `text` is the source's own query language where it has one, with the `parameters` it names and, for a source of
    JSON, the CEL expression `extract` that finds the numbers; otherwise `measure` is computed over `log`.
    """

    source: str
    measure: str = ""
    text: str = ""
    log: LogTable | None = None
    window: timedelta = timedelta(hours=1)
    offset: timedelta = timedelta(0)
    by: Literal["", "feature", "slice", "version"] = ""
    of: str = ""
    q: float | None = None
    where: str = ""
    against: Against = Against()
    parameters: Labels = ()
    extract: str = ""
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        """Hash once, as a LogTable does."""
        asked = (self.source, self.measure, self.text, self.log, self.window, self.offset, self.by, self.of)
        object.__setattr__(self, "_hash", hash((*asked, self.parameters)))

    def __hash__(self) -> int:
        """Return the hash that was computed when it was made."""
        return self._hash


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer for one label set.

    `time` is the instant the value speaks for (the end of its window), not when it was fetched; `count` how many
    rows it rests on (None where the source cannot tell). A missing value is None with its `reason` and `detail`.
    """

    value: float | None
    time: datetime
    labels: Labels = ()
    count: int | None = None
    reason: MissingReason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """All samples that answer one query; `failure` says why there are none when the source itself failed."""

    samples: tuple[Sample, ...] = ()
    failure: str = ""
