"""Prometheus, and what speaks its HTTP API as it does: Thanos, Mimir.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from governance.core.duration import format_duration
from governance.core.metric import Answer, Labels, Query, Sample
from governance.errors import Unavailable
from governance.sources.remote import Remote, RemoteConfig

if TYPE_CHECKING:
    from governance.sources.remote.exchange import Exchange

_POINTS = 1000
"""Instants per request; Prometheus allows 11,000, but a thousand series of those would be too large an answer."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`|#[^\n]*')
_AHEAD = re.compile(r"\boffset\s*\(?\s*-", re.IGNORECASE)
_INFO = "PromQL info:"  # said of the style of a query; some versions send it among the warnings
_UNSUITABLE = {
    "matrix": "gives a stretch of samples, not one number: leave out the [range], or write avg_over_time(…) around it",
    "string": "gives a text, no number",
}


class PrometheusConfig(RemoteConfig):
    """The server's address without /api/v1; `headers` may name a tenant, such as X-Scope-OrgID."""


class Prometheus:
    """Answers PromQL; a sample speaks for the instant that was asked, as Prometheus looks back for its values."""

    Config: ClassVar[type[BaseModel]] = PrometheusConfig

    def __init__(self, config: PrometheusConfig) -> None:
        self._remote = Remote(config)
        self._most = config.max_series
        self._timeout = format_duration(config.timeout)

    @classmethod
    def configured(cls, config: PrometheusConfig, directory: Path) -> Prometheus:  # noqa: ARG003 (the plug-ins' shape)
        """Build the source from its settings."""
        return cls(config)

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query as of `at` less its offset."""
        return self._remote.answers(queries, lambda exchange, query: self._now(exchange, query, at))

    def past(
        self, queries: Sequence[Query], *, start: datetime, end: datetime, step: timedelta
    ) -> Mapping[Query, Answer]:
        """Answer every query as of start, start + step, … up to `end`, in requests of a thousand instants."""
        return self._remote.answers(
            queries, lambda exchange, query: Answer(tuple(self._past(exchange, query, start, end, step)))
        )

    def _now(self, exchange: Exchange, query: Query, at: datetime) -> Answer:
        _check(query)
        time = at - query.offset
        data = self._asked(exchange, "/api/v1/query", query, {"time": _seconds(time)})
        if data["resultType"] == "scalar":
            return Answer((_sample(data["result"], {}, time),))
        return Answer(tuple(_sample(each.get("value"), each["metric"], time) for each in self._few(data, "vector")))

    def _past(
        self, exchange: Exchange, query: Query, start: datetime, end: datetime, step: timedelta
    ) -> Iterator[Sample]:
        _check(query)
        step = max(step, _MILLISECOND)
        for first in range(0, (end - start) // step + 1, _POINTS):
            begin = start + first * step - query.offset
            last = min(begin + (_POINTS - 1) * step, end - query.offset)
            bounds = {"start": _seconds(begin), "end": _seconds(last), "step": f"{step.total_seconds():.3f}"}
            for series in self._few(self._asked(exchange, "/api/v1/query_range", query, bounds), "matrix"):
                for value in series.get("values") or [None]:
                    yield _sample(value, series["metric"], _instant(value, begin, last, step))

    def _asked(self, exchange: Exchange, path: str, query: Query, more: Mapping[str, str]) -> Any:
        from governance.sources.remote.exchange import Refused

        try:
            form = [("query", query.text), ("timeout", self._timeout), ("partial_response", "false"), *more.items()]
            answer = exchange.post(path, form)
        except Refused as error:
            answer = error.body
            if not _is_refusal(answer):
                raise
        if _is_refusal(answer):
            raise Unavailable(f"{answer.get('errorType', 'error')}: {answer['error']}")
        warnings = [each for each in answer.get("warnings") or [] if not str(each).startswith(_INFO)]
        if warnings:
            raise Unavailable(f"the server warns that its answer may not be whole: {'; '.join(map(str, warnings))}")
        return answer["data"]

    def _few(self, data: Any, wanted: str) -> Any:
        """Return the series of a result.

        :raises Unavailable: it is of another type, or there are too many
        """
        kind, result = data["resultType"], data["result"]
        if kind != wanted:
            raise Unavailable(f"the query {_UNSUITABLE.get(kind, f'gives a {kind}, which is not read')}")
        if len(result) > self._most:
            raise Unavailable(f"{len(result)} series, at most {self._most} are taken: aggregate, or raise `max_series`")
        return result


def _check(query: Query) -> None:
    """Refuse what no instant may ask: a question without PromQL, and one that looks beyond its own instant."""
    if not query.text.strip():
        raise Unavailable("a Prometheus source answers queries in PromQL, not measures over a log")
    bare = _QUOTED.sub(" ", query.text)
    if _AHEAD.search(bare):
        raise Unavailable("a negative offset looks into the future: what was not known yet may not be judged")
    if "@" in bare:
        raise Unavailable(
            "the modifier @ fixes an instant of its own: leave it out, every query is asked as of its time"
        )


def _is_refusal(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.get("status") == "error" and "error" in answer


def _sample(pair: Any, metric: Mapping[str, str], time: datetime) -> Sample:
    if pair is None:
        raise Unavailable(
            "the query gives native histograms: write histogram_quantile(…) or histogram_avg(…) around it"
        )
    if abs(float(pair[0]) * 1000 - _milliseconds(time)) > 1:
        raise Unavailable("the server answered for another instant than was asked")
    value = float(pair[1])
    if not math.isfinite(value):
        return Sample(None, time, _labels(metric), reason="no_data", detail=str(pair[1]))
    return Sample(value, time, _labels(metric))


def _labels(metric: Mapping[str, str]) -> Labels:
    return tuple(sorted((name, value) for name, value in metric.items() if name != "__name__"))


def _instant(pair: Any, begin: datetime, last: datetime, step: timedelta) -> datetime:
    """Return the exact instant that a sample answers; the one in the answer is rounded to milliseconds."""
    if pair is None:
        return last
    steps = round((float(pair[0]) - (begin - _EPOCH).total_seconds()) / step.total_seconds())
    return min(begin + steps * step, last)


def _milliseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MILLISECOND


def _seconds(time: datetime) -> str:
    """Return an instant as Prometheus reads it, rounded down to its milliseconds."""
    whole, rest = divmod(_milliseconds(time), 1000)
    return f"{whole}.{rest:03d}"
