"""Count the rows of a prediction log once, as they come, into tables that any window is a sum over.

Every table is keyed by the end of the hour that the rows fall into, in UTC: a row at 09:59 and one at exactly 10:00
belong to the hour that ends at 10:00.
"""

# ruff: noqa: S608  (the names are quoted; what a card says in SQL is meant as SQL)

from __future__ import annotations

from collections.abc import Iterator

from governance.core.metric import Feature, LogTable
from governance.core.statistics.bins import GAMMA, INFINITE, REST, SMALLEST

SCORE = "\x00score"
"""The score is counted like a feature, under a name that no column can have."""
VERSION = "\x00version"
"""The version is counted like a slice, under a name that no slice can have."""
MOST_CATEGORIES = 10_000
"""Categories kept per feature and hour; the rarest beyond are counted together."""
_FILE = "\x00file"

_FEATURES = "(hour timestamp, feature varchar, bin integer, category varchar, n bigint, outside bigint)"


def quoted(name: str) -> str:
    """Return a column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def hour(time: str) -> str:
    """Return the SQL of the end of the hour that a time falls into."""
    return f"date_trunc('hour', ({time})::timestamp - interval 1 microsecond) + interval 1 hour"


def finite(value: str) -> str:
    """Return the SQL of a number that is null when it is not finite."""
    return f"case when isfinite(({value})::double) then ({value})::double end"


def bin_sql(value: str) -> str:
    """Return the SQL of the sketch bin of a number; null and NaN have none."""
    # The difference of logarithms, since the quotient of a huge number and SMALLEST is infinite.
    size = f"ceil((ln(abs({value})) - ln({SMALLEST!r})) / ln({GAMMA!r})) + 1"
    return (
        f"case when {value} is null or isnan({value}) then null when abs({value}) < {SMALLEST!r} then 0 "
        f"when isinf({value}) then sign({value}) * {INFINITE} else sign({value}) * ({size}) end::integer"
    )


def tables() -> Iterator[str]:
    """Return the statements that make the empty tables of one log, but those of its truth."""
    yield (
        "create or replace table traffic (hour timestamp, version varchar, n bigint, errors bigint, fallbacks bigint, "
        "overrides bigint, decided bigint, positive bigint, cost double, costed bigint, score double, scored bigint, "
        "old_features bigint, newest timestamp)"
    )
    yield "create or replace table spans (path varchar, oldest timestamp)"
    yield "create or replace table latency (hour timestamp, bin integer, n bigint)"
    yield f"create or replace table features {_FEATURES}"
    yield f"create or replace table reference {_FEATURES}"
    yield "drop table if exists template"


class Counting:
    """The statements that count one log's fresh rows; they read the table `fresh` and add to the counts."""

    def __init__(self, log: LogTable, where: str = "") -> None:
        self._log, self._where = log, where

    def template(self) -> str:
        """Return the SQL that remembers the columns of the first files, so that later ones may lack some."""
        return f"create table if not exists template as select * from {_FILES} limit 0"

    def declared(self) -> Iterator[str]:
        """Return the SQL that adds features which no file has: all their values are missing."""
        for each in self._log.features:
            yield f"alter table template add column if not exists {quoted(each.name)} varchar"

    def fresh(self) -> str:
        """Return the SQL that reads new files into `fresh` with one column per role, feature and slice."""
        time = quoted(self._log.column("time") or "")
        roles = [role for role, _ in self._log.columns if not (role.startswith("label") and self._log.labels)]
        columns = [self._role(role) for role in roles]
        columns += [_feature(each) for each in self._log.features]
        columns += [f"({sql}\n)::varchar as s_{index}" for index, (_, sql) in enumerate(self._log.slices)]
        # The hour comes last: a name given earlier in a SELECT could be taken for a column by the card's expressions.
        return (
            f"create or replace temp table fresh as select {', '.join(columns)}, {quoted(_FILE)} as path, "
            f"{hour(time)} as hour from (select * from {_FILES} union all by name select * from template) "
            f"where {time} is not null and isfinite(({time})::timestamp){_and(self._where)}"
        )

    def traffic(self) -> str:
        """Return the SQL that counts predictions."""
        score, cost = self.role("score", "double"), self.role("cost", "double")
        decision = self.role("decision", "boolean")
        old = f"{self.role('feature_time', 'timestamp')} < r_time - interval 1 hour"
        parts = [
            "hour",
            f"coalesce({self.role('version', 'varchar')}, '')",
            "count(*)",
            *(f"sum(({self.role(role, 'boolean')})::integer)" for role in ("error", "fallback", "override")),
            f"count({decision})",
            f"sum(({decision})::integer)",
            f"sum({cost})",
            f"count({cost})",
            f"sum({score})",
            f"count({score})",
            f"sum(({old})::integer)",
            "max(r_time)",
        ]
        filled = [parts[0], parts[1], *(f"coalesce({each}, 0)" for each in parts[2:-1]), parts[-1]]
        return f"insert into traffic select {', '.join(filled)} from fresh group by 1, 2"

    def spans(self) -> str:
        """Return the SQL that remembers the oldest prediction of each file."""
        return "insert into spans select path, min(r_time) from fresh group by 1"

    def latency(self) -> str | None:
        """Return the SQL that counts latencies, None where none are logged."""
        if self._log.column("latency") is None:
            return None
        return f"insert into latency select hour, {bin_sql('r_latency::double')}, count(*) from fresh group by 1, 2"

    def features(self) -> str | None:
        """Return the SQL that counts every feature, and the score as one more; None where there are none."""
        return _counted_features("features", "hour", self._log.features, scored=self._log.column("score") is not None)

    def role(self, role: str, kind: str) -> str:
        """Return the SQL of a role in `fresh`; null where the card maps no column to it."""
        mapped = self._log.column(role) is not None and not (role.startswith("label") and self._log.labels)
        return f"r_{role}::{kind}" if mapped else f"null::{kind}"

    def _role(self, role: str) -> str:
        column = quoted(self._log.column(role) or "")
        if role in {"score", "cost", "label"}:
            return f"{finite(column)} as r_{role}"
        return f"({column})::timestamp as r_{role}" if "time" in role else f"{column} as r_{role}"


def trimmed() -> Iterator[str]:
    """Return the SQL that counts together the rarest categories of a feature that has too many in an hour."""
    yield (
        "create or replace temp table rare as select hour, feature, category, sum(n) as n from features "
        f"where category <> {text(REST)} and hour in (select hour from fresh) group by 1, 2, 3 "
        f"qualify row_number() over (partition by hour, feature order by sum(n) desc, category) > {MOST_CATEGORIES}"
    )
    yield (
        "delete from features using rare where features.hour = rare.hour and features.feature = rare.feature "
        "and features.category = rare.category"
    )
    yield f"insert into features select hour, feature, null, {text(REST)}, sum(n), 0 from rare group by 1, 2"


def columns() -> str:
    """Return the SQL that lists the columns of files."""
    return "describe select * from read_parquet(?, union_by_name = true)"


def reference(log: LogTable, present: frozenset[str], where: str = "") -> Iterator[str]:
    """Return the SQL that reads (first) and counts (second) the training-time rows; no statement when none is needed.

    A feature that the reference lacks has no counts there. `present` are its columns in lower case.
    """
    known = [each for each in log.features if each.name.lower() in present]
    score = log.column("score")
    scored = score is not None and score.lower() in present
    count = _counted_features("reference", "null::timestamp", known, scored=scored)
    if count is None:
        return
    columns = [_feature(each) for each in known]
    if scored:
        columns.append(f"{finite(quoted(score or ''))} as r_score")
    yield (
        f"create or replace temp table fresh as select {', '.join(columns)} from read_parquet(?, union_by_name = true) "
        f"where true{_and(where)}"
    )
    yield count


_FILES = f"read_parquet(?, union_by_name = true, filename = {text(_FILE)})"


def _and(where: str) -> str:
    """Return the SQL of a further condition of the card; its own line ends a comment in it."""
    return f" and ({where}\n)" if where else ""


def _feature(feature: Feature) -> str:
    column, name = quoted(feature.name), quoted("f_" + feature.name)
    if feature.kind != "number":
        return f"({column})::varchar as {name}"
    return f"case when not isnan(({column})::double) then ({column})::double end as {name}"


def _counted_features(
    into: str, when: str, features: tuple[Feature, ...] | list[Feature], *, scored: bool
) -> str | None:
    parts = [_part(each) for each in features]
    if scored:
        parts.append(_struct(SCORE, "r_score", "null"))
    if not parts:
        return None
    # The bin is written once, after the values stand below each other: planning a long statement takes longest.
    return (
        f"insert into {into} select hour, each.feature, {bin_sql('each.value')} as bin, each.category, count(*), "
        "coalesce(sum((each.value < each.low or each.value > each.high)::integer), 0) "
        f"from (select {when} as hour, unnest([{', '.join(parts)}]) as each from fresh) group by 1, 2, 3, 4"
    )


def _part(feature: Feature) -> str:
    column = quoted("f_" + feature.name)
    if feature.kind != "number":
        return _struct(feature.name, "null", column)
    return _struct(feature.name, column, "null", feature.low, feature.high)


def _struct(name: str, value: str, category: str, low: float | None = None, high: float | None = None) -> str:
    limits = ["null" if each is None else f"'{each!r}'" for each in (low, high)]
    return (
        f"{{feature: {text(name)}, value: {value}::double, category: {category}::varchar, "
        f"low: {limits[0]}::double, high: {limits[1]}::double}}"
    )
