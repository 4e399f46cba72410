"""Who is asked and who we are to it; what may be shown of both."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote, unquote, urlsplit

from governance import settings
from governance.errors import Unavailable
from governance.remote.config import ServerConfig, is_http

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")


class Server:
    """An address and our credentials for it; `shown` names it in sentences, without credentials and without a path."""

    def __init__(self, config: ServerConfig, more: Mapping[str, str] = MappingProxyType({}), bearer: str = "") -> None:
        """Read the credentials; `more` are headers by the variables that hold them, `bearer` a token that was lent."""
        self._config, self._bearer = config, bearer
        address = config.address or _secret(config.address_env)
        self._known = is_http(address)
        parts = urlsplit(address if self._known else "http://unknown")
        host = parts.netloc.rpartition("@")[2]
        self.shown = f"{parts.scheme}://{host}"
        self.base = self.shown + parts.path.rstrip("/")
        self.is_secure = parts.scheme == "https"
        self._token = _secret(config.token_env)
        self._user, self._password = config.user, _secret(config.password_env)
        if parts.username and not self._user:  # an address from the environment may hold both
            self._user, self._password = unquote(parts.username), unquote(parts.password or "")
        self._more = {name: (variable, _secret(variable)) for name, variable in more.items()}
        self.spellings = self._spellings()

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers that every request has.

        :raises Unavailable: a variable that the configuration names is not set
        """
        self._check()
        authorization = self._authorization()
        return [
            *self._config.headers.items(),
            *([("Authorization", authorization)] if authorization else []),
            *((name, value) for name, (_, value) in self._more.items()),
            *([] if "Accept" in self._config.headers else [("Accept", "application/json")]),
            ("User-Agent", "model-governance"),
        ]

    def scrubbed(self, text: str) -> str:
        """Return a text on one line, without control characters and without our credentials."""
        for secret in self.spellings:
            text = text.replace(secret, "…")
        return _CONTROL.sub(" ", text).strip()

    def _check(self) -> None:
        named = [variable for variable, _ in self._more.values()]
        for name in (self._config.address_env, self._config.token_env, self._config.password_env, *named):
            if name and not _secret(name):
                raise Unavailable(f"the environment variable {name} is not set")
        for name, value in ((self._config.token_env, self._token), *self._more.values()):
            if not (value.isascii() and value.isprintable()):
                raise Unavailable(f"{name} holds characters that cannot stand in a token")
        if not self._known:
            raise Unavailable(f"{self._config.address_env} holds no address that begins with http:// or https://")

    def _authorization(self) -> str:
        if self._bearer:
            return f"Bearer {self._bearer}"
        if self._token:
            return f"Bearer {self._token}"
        if self._user:
            return "Basic " + base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        return ""

    def _spellings(self) -> list[str]:
        """Return every form in which a server may hand our credentials back, the longest first."""
        found = {self._token, self._password, self._authorization().partition(" ")[2]}
        found |= {value for _, value in self._more.values()}
        found.add(base64.b64encode(f"{self._user}:{self._password}".encode()).decode() if self._password else "")
        forms = found | {quote(each, safe="") for each in found} | {json.dumps(each)[1:-1] for each in found}
        return sorted((each for each in forms if len(each) > 2), key=len, reverse=True)


def _secret(name: str) -> str:
    """Return a credential, without the end of line that a file of secrets leaves."""
    return settings.secret(name).strip() if name else ""
