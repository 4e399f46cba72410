"""Find sources and notifiers by entry point, and import only the one asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from governance.core.organisation import Plugin
from governance.core.suggestion import closest
from governance.errors import InvalidDocument

SOURCES = "governance.sources"
ACTIONS = "governance.actions"


@cache
def kinds(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of a group by kind."""
    return {each.name: each for each in entry_points(group=group)}


def built(group: str, name: str, plugin: Plugin, *, directory: Path) -> Any:
    """Build a plug-in from its settings; paths in them are relative to `directory`.

    :raises InvalidDocument: when there is no such kind or its settings are wrong.
    """
    known = kinds(group)
    if plugin.kind not in known:
        raise InvalidDocument(
            f"'{name}': no kind '{plugin.kind}'; {closest(plugin.kind, known) or 'known: ' + ', '.join(sorted(known))}"
        )
    loaded = known[plugin.kind].load()
    config: type[BaseModel] = loaded.Config
    try:
        settings = config.model_validate(plugin.settings())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidDocument(f"'{name}': {where}: {first['msg']}") from error
    return loaded.configured(settings, directory)
