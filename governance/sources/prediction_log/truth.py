"""Count predictions together with their truth, whichever of the two comes first.

Outcomes are keyed by the hour of the prediction and by the hour in which the truth became known, so that a question
about the past never sees a label that came later. Requests are joined by a 64-bit hash, which keeps the memory small:
among ten million requests two share one with a chance of three in a million.
"""

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

    def fresh(self) -> str:
        """Return the SQL that reads new files of labels; of several labels of a request the earliest counts."""
        request, label, known = (quoted(self._log.column(role) or "") for role in ("request", "label", "label_time"))
        return (
            "create or replace temp table fresh_truth as select request, min(known) as known, "
            f"arg_min(label, row(known, label)) as label from (select hash(({request})::varchar) as request, "
            f"({known})::timestamp as known, {finite(label)} as label from read_parquet(?, union_by_name = true) "
            f"where {request} is not null) where label is not null and isfinite(known) "
            "and request not in (select request from truth) group by 1"
        )

    def matched(self, *, labels: bool, predictions: bool) -> Iterator[str]:
        """Return the SQL that counts outcomes: of new labels with waiting predictions, and of new predictions.

        Labels are kept, so that a request which is logged twice counts twice, whenever its second row comes.
        """
        if labels:
            yield (
                "create or replace temp table matched as select awaiting.*, fresh_truth.known, fresh_truth.label "
                "from awaiting join fresh_truth on awaiting.request = fresh_truth.request"
            )
            yield self._counted()
            yield "delete from awaiting where request in (select request from matched)"
            yield "insert into truth from fresh_truth"
        if predictions:
            yield (
                "create or replace temp table matched as select scored.*, truth.known, truth.label "
                f"from ({self._selected('hash(r_request::varchar)')} where r_request is not null) as scored "
                "left join truth on scored.request = truth.request"
            )
            yield "insert into awaiting select * exclude (known, label) from matched where known is null"
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
        likely = "least(greatest(score, 1e-6), 1 - 1e-6)"
        loss = f"case when score between 0 and 1 then -ln(case when label > 0 then {likely} else 1 - {likely} end) end"
        parts = [_struct("", "''"), *(_struct(name, f"coalesce({column}, 'null')") for name, column in self._slices)]
        return (
            f"insert into outcomes select hour, {hour('known')}, each.slice, each.value, bin, decision, label > 0, "
            "count(*), sum(loss), sum(score - label), sum(abs(score - label)), sum((score - label) * (score - label)), "
            "sum(case when score is not null then abs(label) end), max(scored_at) "
            f"from (select *, {_score_bin()} as bin, {loss} as loss, unnest([{', '.join(parts)}]) as each from matched "
            "where known is not null) group by 1, 2, 3, 4, 5, 6, 7"
        )


def _score_bin() -> str:
    """Return the SQL of bins that order scores: the odds of a probability, so that rare events are told apart."""
    return (
        f"case when score < 0 then -{_SIDE} + {bin_sql('score')} when score > 1 then {_SIDE} + {bin_sql('score')} "
        f"when score = 1 then {INFINITE} else {bin_sql('(score / (1 - score))')} end"
    )


def _struct(name: str, value: str) -> str:
    return f"struct_pack(slice := {text(name)}, value := {value})"
