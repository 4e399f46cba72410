"""A prediction log in Parquet files, counted with DuckDB."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

from governance.core.metric import Answer, LogTable, Query
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
            answers: dict[Query, Answer] = {}
            for log, asked in by_log.items():
                answers.update(self._answered(log, asked, at))
            return answers

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
