"""A registered model of MLflow as the beginning of a card.

Source: https://mlflow.org/docs/latest/rest-api.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from governance.errors import NotFound
from governance.exchange.taken.foreign import Note, Taken, listing, mapping, texts
from governance.exchange.taken.names import free, kebab, snake
from governance.sources.mlflow import MlflowConfig

_API = "/api/2.0/mlflow"
_USUAL = ("champion", "production", "prod", "serving", "live", "stable", "default")
_SECONDS = 30


def mlflow(name: str, config: MlflowConfig, source: str) -> Taken:
    """Return a card that follows a registered model: its serving alias, what its run measured.

    :raises NotFound: when the registry has no such model
    :raises Unavailable: when it does not answer
    """
    found = _Registry(config).model(name)
    aliases = {
        texts(each.get("alias")): texts(each.get("version")) for each in map(mapping, listing(found.get("aliases")))
    }
    alias = next((each for each in _USUAL if each in aliases), next(iter(aliases), ""))
    notes: list[Note] = []
    card: dict[str, object] = {"model": kebab(name) or "my-model"}
    if found.get("description"):
        card["description"] = texts(found["description"])
    tags = {texts(each.get("key")): texts(each.get("value")) for each in map(mapping, listing(found.get("tags")))}
    if tags:
        card["labels"] = {**tags}
    if alias:
        before = _before(aliases, alias)
        card["versions"] = {"serving": {"registry": source, "name": name, "serving": alias}, **before}
        card["metrics"] = _metrics(found, name, source, alias, aliases[alias])
        others = {
            each: version for each, version in aliases.items() if each != alias and version not in before.values()
        }
        notes += [
            Note(0, f"the alias '{each}' (version {version}) is not taken over") for each, version in others.items()
        ]
        if alias not in _USUAL:
            notes.append(
                Note(0, f"no alias is called {', '.join(_USUAL[:3])} …: '{alias}' is taken for the one that serves")
            )
    else:
        notes.append(
            Note(0, "no version has an alias, so that it is not known which serves: set one, or write versions.serving")
        )
    if not card.get("metrics"):
        card["log"] = {
            "source": "predictions",
            "table": card["model"],
            "columns": {"time": "scored_at", "version": "version", "score": "score"},
        }
    address = {"address": config.address} if config.address else {"address_env": config.address_env}
    token = {"token_env": config.token_env} if config.token_env else {}
    sources: dict[str, dict[str, object]] = {source: {"kind": "mlflow", **address, **token}}
    if "log" in card:
        sources["predictions"] = {"kind": "parquet", "path": "data"}
    return Taken(f"{name} in {config.address or config.address_env}", card, sources, tuple(notes))


def _before(aliases: Mapping[str, str], alias: str) -> dict[str, str]:
    """Return what to roll back to, where an alias says so."""
    for each in ("previous", "rollback", "fallback", "last"):
        if each in aliases and aliases[each] != aliases[alias]:
            return {"rollback_to": aliases[each]}
    return {}


def _metrics(
    found: Mapping[str, Any], name: str, source: str, alias: str, version: str
) -> dict[str, dict[str, object]]:
    metrics: dict[str, dict[str, object]] = {}
    for key in found.get("measured", {}).get(version, ()):
        metrics[free(snake(key), metrics, "_")] = {
            "source": source,
            "query": f"{name}@{alias}/metrics/{key}",
            "labels": ["version"],
            "every": "1h",
        }
    return metrics


class _Registry:
    """Asks one registry a few questions."""

    def __init__(self, config: MlflowConfig) -> None:
        from governance.remote.server import Server
        from governance.sources.remote.exchange import Exchange

        ends = time.monotonic() + _SECONDS
        waiting = config.model_copy(update={"timeout": min(config.timeout, timedelta(seconds=_SECONDS))})
        self._exchange = Exchange(Server(waiting), waiting, threading.BoundedSemaphore(4), ends=ends)

    def model(self, name: str) -> dict[str, Any]:
        """Return a registered model, with the names of what the run of each aliased version measured."""
        from governance.sources.remote.exchange import Refused

        try:
            found = mapping(mapping(self._get("/registered-models/get", name=name)).get("registered_model"))
            versions = {texts(mapping(each).get("version")) for each in listing(found.get("aliases"))}
            measured = {version: self._measured(name, version) for version in sorted(versions)}
        except Refused as error:
            if mapping(error.body).get("error_code") == "RESOURCE_DOES_NOT_EXIST":
                raise NotFound(f"the registry has no model '{name}'") from error
            raise
        finally:
            self._exchange.close()
        return {**found, "measured": measured}

    def _measured(self, name: str, version: str) -> list[str]:
        found = mapping(mapping(self._get("/model-versions/get", name=name, version=version)).get("model_version"))
        run = texts(found.get("run_id"))
        if not run:
            return []
        data = mapping(mapping(mapping(self._get("/runs/get", run_id=run)).get("run")).get("data"))
        return sorted(texts(mapping(each).get("key")) for each in listing(data.get("metrics")))

    def _get(self, path: str, **parameters: str) -> Any:
        return self._exchange.get(_API + path, list(parameters.items()))
