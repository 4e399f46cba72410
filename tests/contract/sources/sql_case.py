"""SQL to a SQLite file, to a DuckDB file, and to a real PostgreSQL through a proxy that fails."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from urllib.parse import quote

import duckdb
from contract.sources.case import LIMIT, SERIES, Case, Fault, Question
from contract.sources.postgresql import Proxy, server

from governance.core.metric import Query, labels
from governance.sources.sql import Sql, SqlConfig

MEAN = "select avg(score) as value from decisions where model = :model and at > :since and at <= :at"


def config(**address):
    return SqlConfig(timeout=f"{LIMIT * 1000:.0f}ms", max_series=SERIES, **address)


class SqlCase(Case):
    kind = "sql"

    def rows(self):
        """Return (model, origin, instant, score): two in the window (the last hour), two around it."""
        minutes = [(-30, "JFK", 0.25), (-20, "LGA", 0.5), (-90, "JFK", 9.0), (1, "JFK", 9.0)]
        yield from (("m", origin, self.at + timedelta(minutes=each), score) for each, origin, score in minutes)
        yield "young", "JFK", self.at + timedelta(minutes=1), 0.5

    def asked(self, text):
        return Query("s", text=text, parameters=labels(model="m"))

    def plain(self):
        return Question(self.asked(MEAN), {(): 0.375})

    def labelled(self):
        query = self.asked(MEAN.replace("select", "select origin,") + " group by origin")
        return Question(query, {labels(origin="JFK"): 0.25, labels(origin="LGA"): 0.5}, ("origin",))

    def unknown(self):
        return self.asked("select avg(score) from no_such_table where at <= :at")

    def wrong(self):
        return self.asked("select avg(score from decisions where at <= :at")

    def too_many(self):
        numbers = " union all ".join(f"select {n}" for n in range(SERIES + 2))
        return self.asked(f"select n as value, n as label from ({numbers.replace('select 0', 'select 0 as n')}) as t "
                          "where :at is not null")  # fmt: skip

    def later(self):
        return self.asked("select score as value, at as time from decisions where model = 'young' and :at is not null")


class SqliteCase(SqlCase):
    not_applicable = dict.fromkeys(["drip", "refused", "reset"], "a file has no connection")

    def __init__(self, directory):
        super().__init__(directory)
        self.path = directory / "warehouse.db"
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("create table decisions (model text, origin text, at text, score real)")
            rows = [(model, origin, f"{at:%Y-%m-%d %H:%M:%S}", score) for model, origin, at, score in self.rows()]
            connection.executemany("insert into decisions values (?, ?, ?, ?)", rows)
        self.source = Sql.configured(config(address="sqlite:///warehouse.db"), directory)

    def not_finite(self, value):
        numbers = {"nan": "9e999 - 9e999", "inf": "9e999", "-inf": "-9e999"}
        return self.asked(f"select {numbers[str(value)]} as value where :at is not null")

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        if fault == "silent":  # another program holds it
            with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
                other.execute("begin exclusive")
                yield
            return
        good = self.path.read_bytes()
        if fault == "error":
            self.path.unlink()
        else:
            self.path.write_bytes(good[: len(good) // 2] if fault == "cut" else b"no database " * 1000)
        yield
        self.path.write_bytes(good)


class DuckdbCase(SqlCase):
    """A dialect that the source knows nothing of: any other SQLAlchemy URL."""

    not_applicable = dict.fromkeys(["silent", "drip", "refused", "reset"], "a file has no connection")

    def __init__(self, directory):
        super().__init__(directory)
        self.path = directory / "warehouse.duckdb"
        with duckdb.connect(str(self.path)) as connection:
            connection.execute('create table decisions (model text, origin text, "at" timestamptz, score double)')
            connection.executemany("insert into decisions values (?, ?, ?, ?)", [list(row) for row in self.rows()])
        self.source = Sql.configured(config(address=f"duckdb:///{self.path}?access_mode=read_only"), directory)

    def asked(self, text):
        return super().asked(re.sub(r"(?<![:\w])at\b(?! is)", '"at"', text))

    def not_finite(self, value):
        return self.asked(f"select '{value}'::double as value where :at is not null")

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        good = self.path.read_bytes()
        if fault == "error":
            self.path.unlink()
        else:
            self.path.write_bytes(good[: len(good) // 2] if fault == "cut" else b"no database " * 1000)
        yield
        self.path.write_bytes(good)


class PostgresqlCase(SqlCase):
    secret = "s3cr3t:of/the@case %"  # noqa: S105 (looked for in failures)

    def __init__(self, directory):
        super().__init__(directory)
        owner = server()
        owner.execute(
            "drop table if exists decisions",
            "drop role if exists reader",
            f"create role reader login password '{self.secret}'",
            "create table decisions (model text, origin text, at timestamptz, score double precision)",
            *(
                f"insert into decisions values ('{model}', '{origin}', '{at.isoformat()}', {score})"
                for model, origin, at, score in self.rows()
            ),
            "grant select on decisions to reader",
        )
        self.proxy = Proxy(owner.port)
        os.environ["CASE_URL"] = (
            f"postgresql://reader:{quote(self.secret, safe='')}@127.0.0.1:{self.proxy.port}/postgres"
        )
        self.source = Sql.configured(config(address_env="CASE_URL"), directory)

    def close(self):
        del os.environ["CASE_URL"]
        self.proxy.close()
        server().execute("drop table decisions", "drop role reader")

    def not_finite(self, value):
        return self.asked(f"select '{value}'::float8 as value where :at is not null")

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        if fault == "error":
            server().execute("alter role reader nologin")
            yield
            server().execute("alter role reader login")
        else:
            with self.proxy.broken(fault):
                yield


CASES = (SqliteCase, DuckdbCase, PostgresqlCase)
