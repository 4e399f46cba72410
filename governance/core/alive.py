"""How the outside learns that the engine works: a ping after each full cycle, and a canary that goes the whole way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from governance.core.document import Document, Duration, Flag

CANARY = "engine-canary"
"""The synthetic model whose rule must trip."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST = timedelta(seconds=1)


class Alive(Document):
    """A dead-man's-switch outside: an address that is asked after a full cycle, at most so often.

    Its silence is the alarm, so the address is told nothing when a cycle was not full. `loopback`: its name may mean
    this machine.
    """

    address: str = ""
    address_env: str = ""
    every: Duration = timedelta(minutes=1)
    method: Literal["get", "post"] = "get"
    loopback: Flag = False

    @field_validator("address")
    @classmethod
    def _http(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must begin with http:// or https:// and name a host")
        return address

    @model_validator(mode="after")
    def _one(self) -> Alive:
        if bool(self.address) == bool(self.address_env):
            raise ValueError("give either `address` or `address_env`")
        if self.every < _LEAST:
            raise ValueError("`every` is at least 1s")
        return self


class Canary(Document):
    """A finding that is made up, once in every `every`, and must be told to these notifiers and end `within` a time.

    The stretches are counted from 1970, so that those of a day begin at midnight in UTC.
    """

    notifiers: Annotated[tuple[str, ...], Field(min_length=1)]
    every: Duration = timedelta(days=1)
    within: Duration = timedelta(minutes=10)

    @model_validator(mode="after")
    def _in_time(self) -> Canary:
        if not _LEAST <= self.within < self.every:
            raise ValueError("`within` is at least 1s, and shorter than `every`")
        return self

    def due(self, at: datetime) -> datetime:
        """Return the beginning of the stretch that an instant lies in."""
        return _EPOCH + (at - _EPOCH) // self.every * self.every
