"""A prediction log in Parquet files, counted with DuckDB."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

from governance.core.metric import Answer, LogTable, Query, Sample
from governance.errors import GovernanceError

if TYPE_CHECKING:
    from governance.sources.prediction_log.log import CountedLog


class ParquetConfig(BaseModel):
    """Where the logs lie: a table `t` is every Parquet file below <path>/t/, or <path>/t.parquet."""

    model_config = ConfigDict(extra="forbid")
    path: Path


class PredictionLog:
    """Answers measures over prediction logs; each file is read once, and no answer rests on what came later than `at`.

    Counts are complete up to the last full hour, so a window ends there; it holds every hour that it touches.
    """

    Config: ClassVar[type[BaseModel]] = ParquetConfig

    def __init__(self, path: Path) -> None:
        self._path = path
        self._logs: dict[LogTable, CountedLog] = {}
        self._lock = threading.Lock()

    @classmethod
    def configured(cls, config: ParquetConfig, directory: Path) -> PredictionLog:
        """Build the source from its settings; a relative path starts at `directory`."""
        return cls(directory / config.path)

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query as of `at`; what is wrong with one log fails only the questions about it."""
        with self._lock:
            by_log: dict[LogTable | None, list[Query]] = {}
            for query in queries:
                by_log.setdefault(query.log, []).append(query)
            return self._side_by_side(by_log, at)

    def _side_by_side(self, by_log: Mapping[LogTable | None, Sequence[Query]], at: datetime) -> Mapping[Query, Answer]:
        """Answer the questions to several logs on all cores: each log has a database and a thread of its own."""
        waiting = deque(by_log.items())
        answers: dict[Query, Answer] = {}

        def work() -> None:
            while True:
                try:
                    log, asked = waiting.popleft()
                except IndexError:
                    return
                answers.update(self._answered(log, asked, at))

        # Daemons: files on a disk that hangs must not keep the process from ending.
        helping = [threading.Thread(target=work, daemon=True) for _ in range(min(len(by_log), os.cpu_count() or 1) - 1)]
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

    def _answered(self, log: LogTable | None, queries: Sequence[Query], at: datetime) -> Mapping[Query, Answer]:
        import duckdb

        from governance.sources.prediction_log.answers import Answers

        if log is None:
            return dict.fromkeys(queries, Answer(failure="a Parquet source answers measures over a log, not queries"))
        try:
            answers = Answers(self._counted(log), at)
            return {query: answers.answer(query) for query in queries}
        except (duckdb.Error, OSError, GovernanceError) as error:
            if isinstance(error, duckdb.InternalException | duckdb.FatalException):
                self._logs.pop(log, None)  # its database answers nothing any more
            sentence = (str(error) or type(error).__name__).splitlines()[0]
            return dict.fromkeys(queries, Answer(failure=f"{log.table}: {sentence}"))

    def _counted(self, log: LogTable) -> CountedLog:
        from governance.sources.prediction_log.log import CountedLog

        if not self._path.is_dir():
            raise NotADirectoryError(f"no directory {self._path}")
        if log not in self._logs:
            self._logs[log] = CountedLog(log, self._path)
        self._logs[log].refresh()
        return self._logs[log]
