"""What is examined: the settings, the policies that lie on disk, and the database, opened for reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from governance import plugins
from governance import settings as environment
from governance.core.organisation import Organisation, Plugin
from governance.policies import Policies
from governance.settings import Settings
from governance.store.database import Database

VARIABLE = "_env"
"""How the settings end that name a variable of the environment."""
_SECRET = 4
"""Characters from which the value of such a variable is recognised in a text."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One engine's home and policies as of an instant; `database` is None before the engine first ran."""

    settings: Settings
    policies: Policies
    database: Database | None
    at: datetime
    base: Path

    @property
    def organisation(self) -> Organisation:
        """The organisation as it lies on disk."""
        return self.policies.organisation

    def scrubbed(self, text: str) -> str:
        """Return a text without the values of the variables that documents name."""
        for value in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(value, "***")
        return text

    def _secrets(self) -> set[str]:
        known = self.organisation
        groups = [(group, getattr(known, section)) for group, section in plugins.SECTIONS.items()]
        names = {name for group, each in groups for plugin in each.values() for name in variables(group, plugin)}
        names |= {known.alive.address_env} if known.alive is not None else set()
        return {value for value in map(environment.secret, names) if len(value) >= _SECRET}


def configured(group: str, plugin: Plugin) -> dict[str, Any]:
    """Return the settings of a plug-in with those that are not written; as written where they are wrong."""
    kind = plugins.kinds(group).get(plugin.kind)
    if kind is None or plugins.wrongs(group, plugin):
        return plugin.settings()
    found: dict[str, Any] = kind.load().Config.model_validate(plugin.settings()).model_dump()
    return found


def variables(group: str, plugin: Plugin) -> list[str]:
    """Return the variables of the environment that a plug-in goes by."""
    return list(_named(configured(group, plugin)))


def unset(group: str, plugin: Plugin) -> list[str]:
    """Return the variables that a plug-in goes by and that are not set here."""
    return [name for name in variables(group, plugin) if not environment.secret(name)]


def _named(settings: dict[str, object]) -> Iterator[str]:
    for name, value in settings.items():
        if name.endswith(VARIABLE) and isinstance(value, str) and value:
            yield value
        elif isinstance(value, dict):
            yield from map(str, value.values()) if name.endswith(VARIABLE) else _named(value)
