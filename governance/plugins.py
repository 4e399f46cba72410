"""Find sources and notifiers by entry point, and import only the one asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from governance.core.organisation import Plugin
from governance.core.suggestion import closest
from governance.errors import InvalidDocument

SOURCES = "governance.sources"
ACTIONS = "governance.actions"


@cache
def kinds(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of a group by kind."""
    return {each.name: each for each in entry_points(group=group)}


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a plug-in's settings, and below which of them."""

    path: tuple[str | int, ...]
    message: str
    suggestion: str = ""


def wrongs(group: str, plugin: Plugin) -> list[Wrong]:
    """Return everything that is wrong with a plug-in's kind and settings; nothing is asked of what it names."""
    known = kinds(group)
    if plugin.kind not in known:
        hint = closest(plugin.kind, known) or "known: " + ", ".join(sorted(known))
        return [Wrong(("kind",), f"no kind '{plugin.kind}'", hint)]
    config: type[BaseModel] = known[plugin.kind].load().Config
    try:
        config.model_validate(plugin.settings())
    except ValidationError as error:
        return [Wrong(each["loc"], _said(each)) for each in error.errors()]
    return []


def built(group: str, name: str, plugin: Plugin, *, directory: Path) -> Any:
    """Build a plug-in from its settings; paths in them are relative to `directory`.

    :raises InvalidDocument: when there is no such kind or its settings are wrong.
    """
    found = wrongs(group, plugin)
    if found:
        where = "".join(f"{part}: " for part in found[0].path if part != "kind")
        hint = f"; {found[0].suggestion}" if found[0].suggestion else ""
        raise InvalidDocument(f"'{name}': {where}{found[0].message}{hint}")
    loaded = kinds(group)[plugin.kind].load()
    return loaded.configured(loaded.Config.model_validate(plugin.settings()), directory)


def _said(error: ErrorDetails) -> str:
    if error["type"] == "missing":  # its place is that of the whole, as it has none
        return f"give `{error['loc'][-1]}`"
    return error["msg"].removeprefix("Value error, ")
