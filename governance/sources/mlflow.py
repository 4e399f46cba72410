"""MLflow's registry of models and the metrics of their runs, over its REST API.

Source: https://mlflow.org/docs/latest/rest-api.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from governance.core.metric import Answer, Labels, Query, Sample, labels
from governance.errors import Unavailable
from governance.sources.present import require_present
from governance.sources.remote import Remote, RemoteConfig

if TYPE_CHECKING:
    from governance.sources.remote.exchange import Exchange

_API = "/api/2.0/mlflow"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 200
_ASKED = re.compile(r"(?P<name>[^/@'\"]+)(?:@(?P<alias>[^/@]+)(?:/metrics/(?P<metric>.+))?|/(?P<version>[0-9]+))?")
_FORMS = "<name>@<alias>, <name>@<alias>/metrics/<metric>, <name>/<version> or <name>"


class MlflowConfig(RemoteConfig):
    """The address of the tracking server, without /api."""


class Mlflow:
    """Says when the versions of a model were trained, and what their runs measured; an alias has no past."""

    Config: ClassVar[type[BaseModel]] = MlflowConfig

    def __init__(self, config: MlflowConfig, now: Callable[[], datetime]) -> None:
        self._remote, self._now = Remote(config), now
        self._most = config.max_series

    @classmethod
    def configured(cls, config: MlflowConfig, directory: Path) -> Mlflow:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the source from its settings."""
        return cls(config, lambda: datetime.now(UTC))

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query as of `at` less its offset; an alias only for the present."""
        return self._remote.answers(queries, lambda exchange, query: self._answer(exchange, query, at))

    def _answer(self, exchange: Exchange, query: Query, at: datetime) -> Answer:
        asked = _ASKED.fullmatch(query.text.strip())
        if asked is None:
            raise Unavailable(f"'{query.text}' is no question to MLflow: write {_FORMS}")
        registry = _Registry(exchange, at - query.offset)
        name, alias, metric, version = asked.group("name", "alias", "metric", "version")
        if alias:
            require_present(registry.time, self._now())
            return Answer((registry.of_alias(name, alias, metric),))
        return Answer((registry.of_version(name, version),) if version else tuple(registry.versions(name, self._most)))


@dataclass(frozen=True)
class _Registry:
    """What the registry held at an instant."""

    exchange: Exchange
    time: datetime

    def of_alias(self, name: str, alias: str, metric: str | None) -> Sample:
        found = self._one("/registered-models/alias", name, alias=alias)
        if found is None:
            return self._missing(f"no alias '{alias}' of {name}")
        return self._measured(found, metric) if metric else self._trained(found)

    def of_version(self, name: str, version: str) -> Sample:
        found = self._one("/model-versions/get", name, version=version)
        return self._trained(found) if found else self._missing(f"no version {version} of {name}")

    def versions(self, name: str, most: int) -> Iterator[Sample]:
        """Return every version with the time of its registration.

        :raises Unavailable: there are more than `most`
        """
        count, token = 0, ""
        while True:
            page = self._get(
                "/model-versions/search",
                filter=f"name='{name}'",
                max_results=str(min(_PAGE, most + 1)),
                page_token=token,
            )
            for found in page.get("model_versions", []):
                count += 1
                if count > most:
                    raise Unavailable(
                        f"{name} has more than {most} versions, at most {most} are taken: raise `max_series`"
                    )
                if _instant(found["creation_timestamp"]) <= self.time:
                    yield Sample(_seconds(found["creation_timestamp"]), self.time, _version(found))
            last, token = token, page.get("next_page_token") or ""
            if not token or token == last:
                return

    def _trained(self, found: Any) -> Sample:
        """Return when a version was trained: the end of its run as far as it is known, else its registration."""
        if _instant(found["creation_timestamp"]) > self.time:
            return self._missing(f"version {found['version']} was created later", _version(found))
        ended = self._run(found).get("info", {}).get("end_time")
        known = ended if ended and _instant(ended) <= self.time else found["creation_timestamp"]
        return Sample(_seconds(known), self.time, _version(found))

    def _measured(self, found: Any, metric: str) -> Sample:
        if _instant(found["creation_timestamp"]) > self.time:
            return self._missing(f"version {found['version']} was created later", _version(found))
        logged = {each["key"]: each for each in self._run(found).get("data", {}).get("metrics", [])}.get(metric)
        if logged is None or _instant(logged["timestamp"]) > self.time:
            return self._missing(f"the run of version {found['version']} has no metric '{metric}'", _version(found))
        value = float(logged["value"])
        if not math.isfinite(value):
            return self._missing(f"{metric} is {logged['value']}", _version(found))
        return Sample(value, self.time, _version(found))

    def _run(self, found: Any) -> Any:
        """Return the run of a version, {} when it has none any more."""
        run = found.get("run_id")
        answer = self._known("/runs/get", run_id=run) if run else None
        return answer["run"] if answer else {}

    def _one(self, path: str, name: str, **parameters: str) -> Any:
        answer = self._known(path, name=name, **parameters)
        return answer["model_version"] if answer else None

    def _known(self, path: str, **parameters: str) -> Any:
        """Return an answer, None when the registry says that there is no such thing."""
        from governance.sources.remote.exchange import Refused

        try:
            return self._get(path, **parameters)
        except Refused as error:
            if _is_absence(error.body):
                return None
            raise

    def _get(self, path: str, **parameters: str) -> Any:
        return self.exchange.get(_API + path, [(key, value) for key, value in parameters.items() if value])

    def _missing(self, detail: str, version: Labels = ()) -> Sample:
        return Sample(None, self.time, version, reason="no_data", detail=detail)


def _is_absence(body: Any) -> bool:
    """Tell whether an error says that there is no such thing; of an alias MLflow says it as of a wrong parameter."""
    if not isinstance(body, dict):
        return False
    code, message = body.get("error_code"), str(body.get("message"))
    return code == "RESOURCE_DOES_NOT_EXIST" or (code == "INVALID_PARAMETER_VALUE" and "not found" in message)


def _version(found: Any) -> Labels:
    return labels(version=str(found["version"]))


def _seconds(milliseconds: Any) -> float:
    return int(milliseconds) / 1000


def _instant(milliseconds: Any) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(milliseconds))
