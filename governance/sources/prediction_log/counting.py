"""Count the rows of a prediction log once, as they come, into tables that any window is a sum over.

Every table is keyed by the end of the hour that the rows fall into, in UTC: a row at 09:59 and one at exactly 10:00
belong to the hour that ends at 10:00. Outcomes are keyed by the hour in which their truth became known as well, so that
a question about the past never sees a label that came later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from governance.core.metric import LogTable
from governance.core.statistics.bins import GAMMA, SMALLEST
from governance.core.statistics.quality import SCORE_BINS

SCORE = "\x00score"
"""The score is counted like a feature, under a name that no column can have."""


def quoted(name: str) -> str:
    """Return a column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def hour(time: str) -> str:
    """Return the SQL of the end of the hour that a time falls into."""
    return f"date_trunc('hour', ({time})::timestamp - interval 1 microsecond) + interval 1 hour"


def bin_sql(value: str) -> str:
    """Return the SQL of the sketch bin of a number; null and NaN have none."""
    size = f"ceil(ln(abs({value}) / {SMALLEST!r}) / ln({GAMMA!r})) + 1"
    return (
        f"case when {value} is null or isnan({value}) then null when abs({value}) < {SMALLEST!r} then 0 "
        f"when isinf({value}) then sign({value}) * 100000 else sign({value}) * ({size}) end::integer"
    )


def tables() -> Iterator[str]:
    """Return the statements that make the empty tables of one log."""
    yield (
        "create or replace table traffic (hour timestamp, version varchar, n bigint, errors bigint, fallbacks bigint, "
        "overrides bigint, decided bigint, positive bigint, cost double, costed bigint, score double, scored bigint, "
        "old_features bigint, newest timestamp, oldest timestamp)"
    )
    yield "create or replace table latency (hour timestamp, bin integer, n bigint)"
    yield (
        "create or replace table features (hour timestamp, feature varchar, bin integer, category varchar, n bigint, "
        "outside bigint)"
    )
    yield (
        "create or replace table outcomes (hour timestamp, known timestamp, slice varchar, value varchar, bin integer, "
        "decision boolean, label double, n bigint, score double, loss double, absolute double, squared double, "
        "newest timestamp)"
    )


class Counting:
    """The statements that count one log's fresh rows; they read the table `fresh` and add to the counts."""

    def __init__(self, log: LogTable) -> None:
        self._log = log
        self.time = quoted(log.column("time") or "")

    def fresh(self) -> str:
        """Return the SQL that reads new files into `fresh` with one column per role, feature and slice."""
        roles = [role for role, _ in self._log.columns if role not in {"label", "label_time"} or not self._log.labels]
        columns = [f"{quoted(self._log.column(role) or '')} as {quoted('r_' + role)}" for role in roles]
        columns += [f"{quoted(each.name)} as {quoted('f_' + each.name)}" for each in self._log.features]
        columns += [f"(({sql}))::varchar as s_{index}" for index, (_, sql) in enumerate(self._log.slices)]
        return (
            f"create or replace temp table fresh as select {hour(self.time)} as hour, {', '.join(columns)} "  # noqa: S608
            f"from read_parquet(?, union_by_name = true) where {self.time} is not null"
        )

    def awaiting(self) -> str:
        """Return the SQL that makes the empty table of predictions whose truth has not come."""
        slices = "".join(f", s_{index} varchar" for index in range(len(self._log.slices)))
        return f"create or replace table awaiting (request varchar, hour timestamp, scored_at timestamp, score double, decision boolean{slices})"

    def traffic(self) -> str:
        """Return the SQL that counts predictions."""
        score, cost = self._role("score", "double"), self._role("cost", "double")
        decision = self._role("decision", "boolean")
        old = f"{self._role('feature_time', 'timestamp')} < r_time::timestamp - interval 1 hour"
        parts = [
            "hour",
            f"coalesce({self._role('version', 'varchar')}, '')",
            "count(*)",
            *(
                f"sum(case when {self._role(role, 'boolean')} then 1 else 0 end)"
                for role in ("error", "fallback", "override")
            ),
            f"count({decision})",
            f"sum(case when {decision} then 1 else 0 end)",
            f"coalesce(sum({cost}), 0)",
            f"count({cost})",
            f"coalesce(sum({score}), 0)",
            f"count({score})",
            f"sum(case when {old} then 1 else 0 end)",
            "max(r_time::timestamp)",
            "min(r_time::timestamp)",
        ]
        return f"insert into traffic select {', '.join(parts)} from fresh group by 1, 2"  # noqa: S608

    def latency(self) -> str | None:
        """Return the SQL that counts latencies, None where none are logged."""
        if self._log.column("latency") is None:
            return None
        return (
            f"insert into latency select hour, {bin_sql('r_latency::double')} as bin, count(*) from fresh group by 1, 2"  # noqa: S608
        )

    def features(self, into: str = "features", *, timed: bool = True) -> str | None:
        """Return the SQL that counts every feature, and the score as one more."""
        when = "hour" if timed else "null::timestamp"
        parts = [self._feature(when, each.name, each.kind, each.low, each.high) for each in self._log.features]
        if self._log.column("score") is not None:
            parts.append(
                f"select {when}, {text(SCORE)}, {bin_sql('r_score::double')} as bin, null, count(*), 0 from fresh group by 1, 3"  # noqa: S608
            )
        return f"insert into {into} {' union all '.join(parts)}" if parts else None

    def predictions(self) -> str:
        """Return the SQL that remembers fresh predictions until their truth comes."""
        return f"insert into awaiting {self._selected()} from fresh"

    def outcomes(self) -> Iterator[str]:
        """Return the SQL that counts the labels in `truth` (request, known, label) that match a waiting prediction.

        The first label of a request counts; the prediction then waits no longer.
        """
        yield (
            "create or replace temp table matched as select awaiting.*, truth.known, truth.label from awaiting "
            "join (select request, min(known) as known, arg_min(label, known) as label from truth group by 1) as truth "
            "on awaiting.request = truth.request"
        )
        yield from self._counted()
        yield "delete from awaiting where request in (select request from matched)"
        yield "delete from truth where request in (select request from matched)"

    def labelled_rows(self) -> Iterator[str]:
        """Return the SQL that counts outcomes where the label stands in the prediction's own row."""
        known = f"coalesce({self._role('label_time', 'timestamp')}, r_time::timestamp)"
        yield (
            f"create or replace temp table matched as {self._selected()}, r_label::double as label, {known} as known "
            "from fresh where r_label is not null"
        )
        yield from self._counted()

    def _counted(self) -> Iterator[str]:
        clipped = "least(greatest(score, 1e-6), 1 - 1e-6)"
        loss = f"case when score between 0 and 1 then case when label > 0 then -ln({clipped}) else -ln(1 - {clipped}) end end"
        for name, column in [("", "''"), *((name, f"s_{i}") for i, (name, _) in enumerate(self._log.slices))]:
            yield (
                f"insert into outcomes select hour, {hour('known')}, {text(name)}, coalesce({column}, 'null') as value, "  # noqa: S608
                f"case when score between 0 and 1 then least(floor(score * {SCORE_BINS}), {SCORE_BINS - 1}) end::integer as bin, "
                f"decision, label, count(*), coalesce(sum(score), 0), coalesce(sum({loss}), 0), "
                "coalesce(sum(abs(score - label)), 0), coalesce(sum((score - label) * (score - label)), 0), max(scored_at) "
                "from matched group by 1, 2, 3, 4, 5, 6, 7"
            )

    def _selected(self) -> str:
        slices = "".join(f", s_{index}" for index in range(len(self._log.slices)))
        request = self._role("request", "varchar")
        score, decision = self._role("score", "double"), self._role("decision", "boolean")
        return f"select {request} as request, hour, r_time::timestamp as scored_at, {score} as score, {decision} as decision{slices}"

    def _feature(self, when: str, name: str, kind: str, low: float | None, high: float | None) -> str:
        column = quoted("f_" + name)
        if kind != "number":
            return f"select {when}, {text(name)}, null, {column}::varchar, count(*), 0 from fresh group by 1, 4"  # noqa: S608
        value = f"{column}::double"
        limits = [f"{value} {sign} {limit!r}" for sign, limit in (("<", low), (">", high)) if limit is not None]
        outside = f"sum(case when {' or '.join(limits)} then 1 else 0 end)" if limits else "0"
        return (
            f"select {when}, {text(name)}, {bin_sql(value)} as bin, null, count(*), {outside} from fresh group by 1, 3"  # noqa: S608
        )

    def _role(self, role: str, kind: str) -> str:
        mapped = self._log.column(role) is not None and not (role.startswith("label") and self._log.labels)
        return f"r_{role}::{kind}" if mapped else f"null::{kind}"


def known_labels(log: LogTable) -> str:
    """Return the SQL that reads new truth files into `truth`."""
    request, label = quoted(log.column("request") or ""), quoted(log.column("label") or "")
    known = quoted(log.column("label_time") or "")
    return (
        f"insert into truth select {request}::varchar, {known}::timestamp, {label}::double "  # noqa: S608
        f"from read_parquet(?, union_by_name = true) where {label} is not null and {known} is not null"
    )


def reference(log: LogTable) -> Sequence[str]:
    """Return the SQL that counts the training-time rows; `fresh` is read from them without times."""
    counting = Counting(log)
    columns = [f"{quoted(each.name)} as {quoted('f_' + each.name)}" for each in log.features]
    if log.column("score") is not None:
        columns.append(f"{quoted(log.column('score') or '')} as r_score")
    if not columns:
        return ()
    statement = counting.features("reference", timed=False)
    read = (
        f"create or replace temp table fresh as select {', '.join(columns)} from read_parquet(?, union_by_name = true)"  # noqa: S608
    )
    return (read, statement) if statement else ()
