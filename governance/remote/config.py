"""What everything that asks a server over HTTP is told in org.yaml."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from governance.core.document import Document, Duration, Flag

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")


class ServerConfig(Document):
    """Where a server is and who we are to it; credentials only by the name of a variable.

    `timeout` bounds one exchange from its connection to the last byte. `loopback`: the name may mean this machine.
    """

    address: str = ""
    address_env: str = ""
    token_env: str = ""
    user: str = ""
    password_env: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    timeout: Duration = timedelta(seconds=10)
    loopback: Flag = False

    @field_validator("address")
    @classmethod
    def _plain(cls, address: str) -> str:
        if address and "@" in urlsplit(address).netloc:
            raise ValueError("a password does not belong here: write `user` and `password_env`")
        if address and not is_http(address):
            raise ValueError("must begin with http:// or https:// and name a host")
        return address

    @field_validator("headers")
    @classmethod
    def _harmless(cls, headers: dict[str, str]) -> dict[str, str]:
        return plain_headers(headers)

    @field_validator("timeout")
    @classmethod
    def _some_time(cls, timeout: timedelta) -> timedelta:
        if timeout <= timedelta(0):
            raise ValueError("must be longer than 0s")
        return timeout

    @model_validator(mode="after")
    def _one_of_each(self) -> ServerConfig:
        if bool(self.address) == bool(self.address_env):
            raise ValueError("give either `address` or `address_env`")
        if bool(self.user) != bool(self.password_env):
            raise ValueError("`user` and `password_env` go together")
        if self.token_env and self.user:
            raise ValueError("give either `token_env`, or `user` and `password_env`")
        return self


def plain_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return headers that a document may set.

    :raises ValueError: for one that holds a credential or says how long the request is, and for what is no header.
    """
    for name, value in headers.items():
        if name.lower() in ("authorization", "host", "content-length", "transfer-encoding"):
            raise ValueError(f"'{name}' is not set here; credentials come from `token_env` or `password_env`")
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"{name!r} is no header: a name, and printable ASCII as its value")
    return headers


def is_http(address: str) -> bool:
    """Tell whether a text is an HTTP address with a host and a port that can be."""
    try:
        parts = urlsplit(address)
        if not address.isascii() or not address.isprintable() or " " in address:
            return False
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
