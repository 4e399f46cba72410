"""What a source over SQL is told in org.yaml."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from governance.core.document import Count, Document, Duration

_PASSWORD = re.compile(r"//[^:/]*:[^@]*@|[?&][^=&]*(?:pass|pwd|secret|token)[^=&]*=", re.IGNORECASE)
_URL = re.compile(r"[A-Za-z][\w+.-]*://")


class SqlConfig(Document):
    """Which database is asked, as a SQLAlchemy URL, and how much of it is taken; a password only by the environment.

    `timeout` bounds one query with its connection, `connections` how many there are at once, `max_series` the rows of
    one answer.
    """

    address: str = ""
    address_env: str = ""
    timeout: Duration = timedelta(seconds=10)
    connections: Annotated[Count, Field(ge=1, le=64)] = 4
    max_series: Annotated[Count, Field(ge=1)] = 1000

    @field_validator("address")
    @classmethod
    def _plain(cls, address: str) -> str:
        if _PASSWORD.search(address):
            raise ValueError(
                "a password does not belong here: put the URL in the environment and name it with address_env"
            )
        if address and not is_url(address):
            raise ValueError("must be a database URL, such as postgresql://host/name or sqlite:///path/to/file.db")
        return address

    @field_validator("timeout")
    @classmethod
    def _some_time(cls, timeout: timedelta) -> timedelta:
        if timeout <= timedelta(0):
            raise ValueError("must be longer than 0s")
        return timeout

    @model_validator(mode="after")
    def _one_address(self) -> SqlConfig:
        if bool(self.address) == bool(self.address_env):
            raise ValueError("give either `address` or `address_env`")
        return self


def is_url(address: str) -> bool:
    """Tell whether a text has the form of a database URL."""
    return bool(_URL.match(address))
