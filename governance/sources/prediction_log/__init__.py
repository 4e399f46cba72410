"""A prediction log in Parquet files, counted with DuckDB."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict

from governance.core.metric import Answer, LogTable, Query, Sample
from governance.errors import GovernanceError
from governance.sources.prediction_log.counting import quoted, text

if TYPE_CHECKING:
    from governance.sources.prediction_log.log import CountedLog


class ParquetConfig(BaseModel):
    """Where the logs lie: a table `t` is every Parquet file below <path>/t/, or <path>/t.parquet."""

    model_config = ConfigDict(extra="forbid")
    path: Path


class Part(NamedTuple):
    """The rows of a log for which the SQL `where` is true; all of them without one."""

    log: LogTable | None
    where: str = ""


class PredictionLog:
    """Answers measures over prediction logs; each file is read once, and no answer rests on what came later than `at`.

    Counts are complete up to the last full hour, so a window ends there; it holds every hour that it touches. A part of
    a log that a question picks out has counts of its own, for which the files are read once more.
    """

    Config: ClassVar[type[BaseModel]] = ParquetConfig

    def __init__(self, path: Path) -> None:
        self._path = path
        self._logs: dict[Part, CountedLog] = {}
        self._lock = threading.Lock()

    @classmethod
    def configured(cls, config: ParquetConfig, directory: Path) -> PredictionLog:
        """Build the source from its settings; a relative path starts at `directory`."""
        return cls(directory / config.path)

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query as of `at`; what is wrong with one log fails only the questions about it."""
        with self._lock:
            by_part: dict[Part, list[Query]] = {}
            for query in queries:
                by_part.setdefault(_part(query), []).append(query)
            return self._side_by_side(by_part, at)

    def _side_by_side(self, by_part: Mapping[Part, Sequence[Query]], at: datetime) -> Mapping[Query, Answer]:
        """Answer the questions to several logs on all cores: each part has a database and a thread of its own."""
        waiting = deque(by_part.items())
        answers: dict[Query, Answer] = {}

        def work() -> None:
            while True:
                try:
                    part, asked = waiting.popleft()
                except IndexError:
                    return
                answers.update(self._answered(part, asked, at))

        # Daemons: files on a disk that hangs must not keep the process from ending.
        helping = [
            threading.Thread(target=work, daemon=True) for _ in range(min(len(by_part), os.cpu_count() or 1) - 1)
        ]
        for each in helping:
            each.start()
        work()
        for each in helping:
            each.join()
        return answers

    def past(
        self, queries: Sequence[Query], *, start: datetime, end: datetime, step: timedelta
    ) -> Mapping[Query, Answer]:
        """Answer every query as of each instant, from the same counts."""
        found: dict[Query, list[Sample]] = {query: [] for query in queries}
        failures: dict[Query, str] = {}
        at = start
        while at <= end:
            for query, answer in self.sample(queries, at=at).items():
                found[query].extend(answer.samples)
                if answer.failure:
                    failures[query] = answer.failure
            at += step
        return {query: Answer(tuple(found[query]), failures.get(query, "")) for query in queries}

    def _answered(self, part: Part, queries: Sequence[Query], at: datetime) -> Mapping[Query, Answer]:
        import duckdb

        from governance.sources.prediction_log.answers import Answers

        log = part.log
        if log is None:
            return dict.fromkeys(queries, Answer(failure="a Parquet source answers measures over a log, not queries"))
        try:
            answers = Answers(self._counted(part), at, lambda version: self._counted(_of_version(part, version)))
            return {query: answers.answer(query) for query in queries}
        except (duckdb.Error, OSError, GovernanceError) as error:
            if isinstance(error, duckdb.InternalException | duckdb.FatalException):
                self._forget(log)  # its database answers nothing any more
            sentence = (str(error) or type(error).__name__).splitlines()[0]
            failed = dict.fromkeys(queries, Answer(failure=f"{log.table}: {sentence}"))
            others = [each for each in queries if each.by != "slice"] if log.slices else []
            if not others:
                return failed
            # A slice that cannot be read must not blind the rest of the card: what needs none is asked without them.
            return {**failed, **self._answered(Part(replace(log, slices=()), part.where), others, at)}

    def _forget(self, log: LogTable) -> None:
        for part in [each for each in list(self._logs) if each.log and each.log.table == log.table]:
            self._logs.pop(part, None)

    def _counted(self, part: Part) -> CountedLog:
        from governance.sources.prediction_log.log import CountedLog

        assert part.log is not None  # noqa: S101 (the caller looked)
        if not self._path.is_dir():
            raise NotADirectoryError(f"no directory {self._path}")
        if part not in self._logs:
            self._logs[part] = CountedLog(part.log, self._path, part.where)
        self._logs[part].refresh()
        return self._logs[part]


def _part(query: Query) -> Part:
    """Return what a question is about; the training-time rows only where it compares with them.

    They may lack the columns that its `where` names.
    """
    from governance.sources.prediction_log.answers import compares

    log = query.log
    if log is not None and query.where and not compares(query):
        log = replace(log, reference=None)
    return Part(log, query.where)


def _of_version(part: Part, version: str) -> Part:
    """Return the rows of one version, of which only what it saw and gave is counted."""
    assert part.log is not None  # noqa: S101 (the caller looked)
    columns = tuple(pair for pair in part.log.columns if not pair[0].startswith("label"))
    same = f"({quoted(part.log.column('version') or '')})::varchar = {text(version)}"
    log = replace(part.log, columns=columns, labels=None, reference=None, slices=())
    return Part(log, f"({part.where}\n) and {same}" if part.where else same)
