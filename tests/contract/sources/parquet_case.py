"""A prediction log in Parquet files."""

from contextlib import contextmanager
from datetime import timedelta

import duckdb
from contract.sources.case import Case, Fault, Question

from governance.core.metric import LogTable, Query, labels
from governance.sources.prediction_log import PredictionLog

_FILES = "files neither hang nor break a connection"


class ParquetCase(Case):
    kind = "parquet"
    not_applicable = {  # noqa: RUF012 (never changed)
        **dict.fromkeys(["silent", "drip", "refused", "reset"], _FILES),
        "too_many_series": "the label sets are the features and slices that the card declares",
    }

    def __init__(self, directory):
        super().__init__(directory)
        self.path = directory / "logs"
        self.source = PredictionLog(self.path)
        self.write("log", [(self.at - timedelta(minutes=30), 0.25, "v1"), (self.at - timedelta(minutes=20), 0.5, "v2")])

    def write(self, table, rows):
        (self.path / table).mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute("create table t (ts timestamp, p double, ver varchar)")
            connection.executemany("insert into t values (?, ?, ?)", [[at.replace(tzinfo=None), *r] for at, *r in rows])
            connection.execute(f"copy t to '{self.path / table}/a.parquet' (format parquet)")

    def asked(self, measure, table="log", **more):
        log = LogTable("s", table, (("score", "p"), ("time", "ts"), ("version", "ver")))
        return Query("s", measure, log=log, **more)

    def plain(self):
        return Question(self.asked("score_mean"), {(): 0.375})

    def labelled(self):
        expected = {labels(version="v1"): 0.5, labels(version="v2"): 0.5}
        return Question(self.asked("version_share", by="version"), expected, ("version",))

    def unknown(self):
        return self.asked("score_mean", "no_such_table")

    def wrong(self):
        return self.asked("nonsense")

    def not_finite(self, value):
        self.write("odd", [(self.at - timedelta(minutes=30), value, "v1")])
        return self.asked("score_mean", "odd")

    def later(self):
        self.write("young", [(self.at + timedelta(minutes=1), 0.5, "v1")])
        return self.asked("score_mean", "young")

    @contextmanager
    def broken(self, fault: Fault):
        path = self.path / "log" / "a.parquet"
        good = path.read_bytes()
        if fault == "error":
            self.path.rename(self.path.with_name("away"))
        else:
            path.write_bytes(good[: len(good) // 2] if fault == "cut" else b"PAR1 not a log PAR1")
        yield
        if fault == "error":
            self.path.with_name("away").rename(self.path)
        else:
            path.write_bytes(good)


CASES = (ParquetCase,)
