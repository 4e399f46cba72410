"""What is examined: the settings, the policies that lie on disk, and the database, opened for reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

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
        sections = (self.organisation.sources, self.organisation.notifiers)
        names = {name for section in sections for plugin in section.values() for name in variables(plugin).values()}
        return {value for value in map(environment.secret, names) if len(value) >= _SECRET}


def variables(plugin: Plugin) -> dict[str, str]:
    """Return the variables of the environment that a source or notifier names, by its settings."""
    return dict(_named(plugin.settings()))


def _named(settings: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if name.endswith(VARIABLE) and isinstance(value, str) and value:
            yield name, value
        elif isinstance(value, dict):
            yield from ((f"{name}.{inner}", each) for inner, each in _named(value))


def unset(plugin: Plugin) -> list[str]:
    """Return the variables that a source or notifier names and that are not set here."""
    return [name for name in variables(plugin).values() if not environment.secret(name)]
