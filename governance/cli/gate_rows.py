"""Where `gov gate` takes the rows of a version from: the prediction log, or a file of an offline evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from governance.core.card import Card
    from governance.engine.gate import Side
    from governance.engine.parts import Engine
    from governance.sources.prediction_log.rows import Rows

_HOUR = timedelta(hours=1)


def without_rows(version: str) -> Side:
    """Return a version of a model that has no prediction log: only other systems tell of it."""
    from governance.engine.gate import Side
    from governance.views.gate import RowsView

    return Side(RowsView(version=version, rows=0), "", _HOUR, None)


def side_of(
    rows: Rows, version: str, since: datetime | None, at: datetime, scratch: Path, table: str, offline: Path | None
) -> Side:
    """Take the rows of a version with since < time ≤ at into a table of its own."""
    from governance.engine.gate import Side
    from governance.sources.prediction_log import ParquetConfig, PredictionLog
    from governance.views.gate import RowsView

    taken = rows.take(version, since, at, scratch / f"{table}.parquet")
    begin = (taken.oldest or at).replace(minute=0, second=0, microsecond=0) - _HOUR
    told = RowsView(
        version=version,
        rows=taken.rows,
        oldest=taken.oldest,
        newest=taken.newest,
        offline=str(offline) if offline else "",
        told_apart=rows.told_apart,
    )
    columns = frozenset(each.lower() for each in rows.columns) if offline else None
    source = PredictionLog.configured(ParquetConfig(path=scratch), scratch)
    return Side(told, table, full_hour(at) - begin, source, columns)


@contextmanager
def opened_rows(
    engine: Engine, card: Card, offline: Path | None, scratch: Path
) -> Iterator[tuple[Rows | None, datetime | None]]:
    """Open the rows of the log, or of a file; with the full hour after the newest row of the file."""
    import duckdb

    from governance.draft.sample import opened
    from governance.errors import InvalidDocument
    from governance.sources.prediction_log.log import files
    from governance.sources.prediction_log.rows import Rows, link

    log = card.log
    if log is None:
        if offline is not None:
            raise InvalidDocument(f"{card.model} maps no columns (log.columns), so that {offline} cannot be read")
        yield None, None
        return
    directory = _directory(engine, log.source)
    for name in filter(None, (log.reference, log.labels if offline is None else None)):
        if directory is not None:
            link(directory, name, scratch)
    newest = None
    if offline is not None:
        with opened(offline) as sample:
            path = scratch / "offline.parquet"
            sample.copy(path)
        paths = [path]
    elif directory is None:
        raise InvalidDocument(
            f"the log of {card.model} lies in '{log.source}', which holds no Parquet files: say --from"
        )
    else:
        paths = [Path(each[0]) for each in files(directory, log.table)]
        if not paths:
            raise InvalidDocument(f"no Parquet files of '{log.table}' in {directory}")
    with duckdb.connect(":memory:") as connection:
        rows = Rows(connection, paths, log.columns.time, log.columns.version)
        if offline is None and not rows.told_apart:
            raise InvalidDocument(
                f"the log of {card.model} does not tell versions apart (log.columns.version): "
                "say --from with rows of this version alone"
            )
        if offline is not None:
            last = rows.newest()
            newest = full_hour(last) if last is not None else None
        yield rows, newest


def _directory(engine: Engine, source: str) -> Path | None:
    plugin = engine.organisation.sources.get(source)
    if plugin is None or plugin.kind != "parquet":
        return None
    return (Path.cwd() / str(plugin.settings().get("path"))).resolve()


def full_hour(at: datetime) -> datetime:
    """Return the full hour at or after an instant: the rows before it are counted whole."""
    floor = at.replace(minute=0, second=0, microsecond=0)
    return floor if floor == at else floor + _HOUR
