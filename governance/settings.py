"""The only reader of the environment."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things are; each can be set by the environment variable of its name with GOV_ before it."""

    model_config = SettingsConfigDict(env_prefix="GOV_")

    home: Path = Path(".gov")
    """Directory of the database's file, of the published heads of its log, and of pulls written offline."""
    policies: Path = Path("policies")
    """Directory of cards, packs and org.yaml."""
    runbooks: Path = Path("runbooks")
    """Directory of runbooks; a relative one is beside that of the policies."""
    policies_from: Literal["directory", "apply"] = "directory"
    """Whether `gov serve` follows that directory, or takes versions from `gov apply` once it has begun with it."""
    policies_pull: str = ""
    """How often `gov serve` pulls the git checkout that the directory lies in, such as 1m; "" is never."""
    public_url: str = ""
    """Under which URLs others reach `gov serve` on another address than loopback; several are separated by commas."""
    actor: str = ""
    """Who acts, when --as is not given; the login name otherwise."""

    database: str = Field(default="", repr=False)
    """The URL of the database, `postgresql://host/name`; by default the file governance.db in `home`."""
    token: str = Field(default="", repr=False)
    """The API token with which the terminal app, and commands against a running engine, show who acts."""

    keys: Path | None = None
    """The file with a person's own keys of the terminal app; by default gov/keys.toml where settings lie (XDG)."""

    @property
    def keys_file(self) -> Path:
        """Where a person's own keys of the terminal app are, whether or not there are any."""
        return self.keys or Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "gov" / "keys.toml"

    @model_validator(mode="after")
    def _database_of_home(self) -> Self:
        self.database = self.database or f"sqlite:///{self.database_file}"
        return self

    @property
    def database_file(self) -> Path:
        """The file of the database where none is named; the heads of its log are published beside it."""
        return self.home / "governance.db"

    def who(self) -> str:
        """Return who acts on the command line."""
        return self.actor or getpass.getuser()


def secret(name: str) -> str:
    """Return a credential that a document names by its environment variable; "" when it is not set."""
    return os.environ.get(name, "")
