"""Any server that answers JSON over HTTP; CEL finds the numbers in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote, unquote

from pydantic import BaseModel

from governance.core.metric import Answer, Query
from governance.errors import Unavailable
from governance.sources.extraction import extracted
from governance.sources.present import require_present
from governance.sources.remote import Remote, RemoteConfig

if TYPE_CHECKING:
    from governance.sources.remote.exchange import Exchange

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|\\")
_SAFE = "/?&=%:@,+;~!$'()*[]"


class HttpConfig(RemoteConfig):
    """The address that the paths of queries are joined to."""


class Http:
    """Gets a path and lets the metric's `extract` find a number or a list of samples; it knows only the present."""

    Config: ClassVar[type[BaseModel]] = HttpConfig

    def __init__(self, config: HttpConfig, now: Callable[[], datetime]) -> None:
        self._remote, self._now = Remote(config), now
        self._most = config.max_series

    @classmethod
    def configured(cls, config: HttpConfig, directory: Path) -> Http:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the source from its settings."""
        return cls(config, lambda: datetime.now(UTC))

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query as of `at`, which must be the present."""
        return self._remote.answers(queries, lambda exchange, query: self._answer(exchange, query, at))

    def _answer(self, exchange: Exchange, query: Query, at: datetime) -> Answer:
        if not query.extract:
            raise Unavailable("a query to a JSON source needs `extract`, such as extract: body.value")
        time = at - query.offset
        require_present(time, self._now())
        body = exchange.get(_path(query.text))
        samples = tuple(islice(extracted(query.extract, body, time), self._most + 1))
        if len(samples) > self._most:
            raise Unavailable(f"more than {self._most} samples, at most {self._most} are taken: raise `max_series`")
        return Answer(samples)


def _path(text: str) -> str:
    """Return the path to ask for, below the address.

    :raises Unavailable: it leads elsewhere
    """
    path = text.strip()
    if _ADDRESS.match(path) or not path:
        raise Unavailable(f"'{text}' is no path below the source's address, such as /metrics/flight-delay")
    plain, _, query = path.partition("#")[0].partition("?")
    steps = unquote(unquote(plain)).replace("\\", "/").split("/")
    if ".." in steps:
        raise Unavailable(f"'{text}' leaves the source's address: write a path without ..")
    return quote("/" + plain.lstrip("/") + (f"?{query}" if query else ""), safe=_SAFE)
