"""Count predictions together with their truth, whichever of the two comes first.

Outcomes are keyed by the hour of the prediction and by the hour in which the truth became known, so that a question
about the past never sees a label that came later. Requests are joined by a 64-bit hash, which keeps the memory small:
among ten million requests two share one with a chance of three in a million.
"""

# ruff: noqa: S608  (the names are quoted; what a card says in SQL is meant as SQL)

from __future__ import annotations

from collections.abc import Iterator

from governance.core.metric import LogTable
from governance.core.statistics.bins import INFINITE
from governance.sources.prediction_log.counting import VERSION, Counting, bin_sql, finite, hour, quoted, text

_SIDE = 2 * INFINITE
"""Scores outside [0, 1] have bins beyond this, on their side."""


class Truths:
    """The statements that match labels with predictions and count the outcomes."""

    def __init__(self, log: LogTable) -> None:
        self._log = log
        self._role = Counting(log).role
        versions = [(VERSION, "version")] if log.column("version") else []
        self._slices = [*((name, f"s_{index}") for index, (name, _) in enumerate(log.slices)), *versions]

    def tables(self) -> Iterator[str]:
        """Return the statements that make the empty tables; `awaiting` holds predictions whose truth has not come."""
        yield (
            "create or replace table outcomes (hour timestamp, known timestamp, slice varchar, value varchar, "
            "bin integer, decision boolean, positive boolean, n bigint, loss double, bias double, absolute double, "
            "squared double, magnitude double, newest timestamp)"
        )
        yield "create or replace table truth (request ubigint, known timestamp, label double)"
        slices = "".join(f", {column} varchar" for _, column in self._slices)
        yield (
            "create or replace table awaiting (request ubigint, hour timestamp, scored_at timestamp, score double, "
            f"decision boolean{slices})"
        )

    def learned(self) -> str:
        """Return the SQL that reads new files of labels; the first label of a request counts, by its time in a file.

        Labels are kept, so that a request which is logged twice counts twice, whenever its second row comes.
        """
        request, label, known = (quoted(self._log.column(role) or "") for role in ("request", "label", "label_time"))
        return (
            "insert into truth select request, min(known), arg_min(label, row(known, label)) "
            f"from (select hash(({request})::varchar) as request, ({known})::timestamp as known, "
            f"{finite(label)} as label from read_parquet(?, union_by_name = true) where {request} is not null) "
            "as read where label is not null and isfinite(known) "
            # An anti join, which asks the few new requests of the many known ones; `not in` would hash all of these.
            "and not exists (select 1 from truth where truth.request = read.request) group by 1"
        )

    def awaited(self) -> str:
        """Return the SQL that remembers fresh predictions until their truth comes."""
        return f"insert into awaiting {self._selected('hash(r_request::varchar)')} where r_request is not null"

    def matched(self) -> Iterator[str]:
        """Return the SQL that counts the outcomes of waiting predictions whose truth is known; they wait no longer."""
        yield (
            "create or replace temp table matched as select awaiting.*, truth.known, truth.label "
            "from awaiting join truth on awaiting.request = truth.request"
        )
        yield "delete from awaiting where request in (select request from matched)"
        yield self._counted()

    def labelled(self) -> Iterator[str]:
        """Return the SQL that counts outcomes where the label stands in the prediction's own row.

        Without a column for the label's time it counts as known at once; where only the value is missing, as unknown.
        """
        known = self._role("label_time" if self._log.column("label_time") else "time", "timestamp")
        selected = self._selected("null::ubigint", f", {known} as known, r_label as label")
        yield f"create or replace temp table matched as {selected} where r_label is not null"
        yield self._counted()

    def _selected(self, request: str, more: str = "") -> str:
        slices = "".join(
            f", {self._role('version', 'varchar')} as version" if column == "version" else f", {column}"
            for _, column in self._slices
        )
        return (
            f"select {request} as request, hour, r_time as scored_at, {self._role('score', 'double')} as score, "
            f"{self._role('decision', 'boolean')} as decision{slices}{more} from fresh"
        )

    def _counted(self) -> str:
        parts = [_struct("", "''"), *(_struct(name, f"coalesce({column}, 'null')") for name, column in self._slices)]
        return (
            f"insert into outcomes select hour, {hour('known')}, each.slice, each.value, bin, decision, label > 0, "
            "count(*), sum(loss), sum(error), sum(abs(error)), sum(error * error), sum(magnitude), max(scored_at) "
            f"from (select *, {_score_bin()} as bin, unnest([{', '.join(parts)}]) as each from ({_losses()})) "
            "group by 1, 2, 3, 4, 5, 6, 7"
        )


def _losses() -> str:
    likely = "least(greatest(case when label > 0 then score else 1 - score end, 1e-6), 1 - 1e-6)"
    return (
        f"select *, score - label as error, case when score is not null then abs(label) end as magnitude, "
        f"case when score between 0 and 1 then -ln({likely}) end as loss, "
        "case when score >= 0 and score < 1 then score / (1 - score) else score end as odds "
        "from matched where known is not null"
    )


def _score_bin() -> str:
    """Return the SQL of bins that order scores: the odds of a probability, so that rare events are told apart."""
    side = f"case when score < 0 then -{_SIDE} when score > 1 then {_SIDE} else 0 end"
    return f"case when score = 1 then {INFINITE} else {side} + {bin_sql('odds')} end"


def _struct(name: str, value: str) -> str:
    return f"struct_pack(slice := {text(name)}, value := {value})"
