"""One connection to one engine as one person: how it is asked, and which of our errors an answer is."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from governance.client.trouble import misunderstood, older, unknown_route, unreached
from governance.errors import Conflict, Denied, GovernanceError, InvalidDocument, NotFound, Unavailable
from governance.views import Page, View

V = TypeVar("V", bound=View)
AGENT = "model-governance"
TERMINAL_APP = "model-governance-tui"
TIMEOUT = 5.0
"""Seconds that a call may take in all but the stream of events."""
COMPILING = 120.0
"""Seconds that the engine may take to check, compile and compare policies."""
TAGGED = 8
"""Answers that are kept to be told of no more than that they still hold."""
PAGE = 500
"""Elements of a list that are asked for at once."""
_ERRORS: Mapping[int, type[GovernanceError]] = {
    HTTPStatus.UNAUTHORIZED: Denied,
    HTTPStatus.FORBIDDEN: Denied,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.PRECONDITION_FAILED: Conflict,
}


class Connection:
    """Speaks to one engine as one person; for any number of threads."""

    def __init__(self, url: str, token: str = "", agent: str = AGENT) -> None:
        """Speak to the engine at `url`, such as http://127.0.0.1:8750, with a token when it asks for one.

        `agent` is what speaks: its name tells the engine through which channel somebody acts.
        """
        self.url = url.rstrip("/")
        self.heard: Callable[[], object] = lambda: None
        """Called for each answer, by whichever thread asked: the engine lives."""
        self._answers: dict[tuple[Any, ...], tuple[str, View]] = {}
        headers = {"User-Agent": agent, **({"Authorization": f"Bearer {token}"} if token else {})}
        # The proxy settings of a shell are not for an engine that is named by its address.
        verify = _trusted() if not self.url.startswith("http:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT, trust_env=False, verify=verify)

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _get(self, path: str, kind: type[V], /, **query: Any) -> V:
        """Return an answer; one that is the same as the last time is the very same, where the engine can tell that."""
        asked = (path, *query.items())
        tag, before = self._answers.get(asked, ("", None))
        url, content, tag = self._content(path, query, tag)
        if not content and isinstance(before, kind):
            return before
        try:
            found = kind.model_validate_json(content)
        except ValidationError as error:
            raise misunderstood(url, content, kind, error) from error
        if tag:
            if len(self._answers) >= TAGGED:
                self._answers.clear()
            self._answers[asked] = (tag, found)
        return found

    def _content(self, path: str, query: Mapping[str, Any], tag: str = "") -> tuple[httpx.URL, bytes, str]:
        """Return where was asked, what is there, and its tag; nothing where that is what had the tag before."""
        with self._reached():
            answer = self._http.get(path, params=query, headers={"If-None-Match": tag} if tag else None)
        self.heard()
        if not answer.is_success and answer.status_code != HTTPStatus.NOT_MODIFIED:
            raise error_of(answer)
        found = answer.url, answer.content, answer.headers.get("ETag", "")
        del answer  # it is part of a cycle: held any longer, its bytes stay until the oldest garbage is collected
        return found

    def _whole(self, path: str, kind: type[Page[V]], **query: Any) -> list[V]:
        """Return all parts of a list."""
        page = self._get(path, kind, limit=PAGE, **query)
        found = list(page.items)
        while page.next is not None:
            page = self._get(path, kind, limit=PAGE, cursor=page.next, **query)
            found.extend(page.items)
        return found

    def _post(self, path: str, body: Mapping[str, Any], key: str, timeout: float = TIMEOUT) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        with self._reached():
            answer = self._http.post(path, json=dict(body), headers=headers, timeout=timeout)
        return checked(answer)

    def _reached(self) -> _Reached:
        return _Reached(self.url)


def _trusted() -> ssl.SSLContext:
    """Trust whom this machine trusts, or the file that SSL_CERT_FILE names; where it has none, whom browsers trust.

    Without TLS nobody's certificate is looked at, and to load all that could be trusted takes a while.
    """
    context = ssl.create_default_context()
    return context if context.cert_store_stats()["x509_ca"] else httpx.create_ssl_context(trust_env=False)


class _Reached:
    """Turns what can go wrong on the way into a sentence."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, (httpx.HTTPError, httpx.InvalidURL)):
            raise unreached(self._url, error) from error


def checked(answer: httpx.Response) -> Any:
    """Return the body of an answer, or raise the error that it is."""
    if answer.is_success:
        try:
            return answer.json()
        except ValueError as error:
            raise Unavailable(f"what answers at {answer.url} is no engine of ours") from error
    raise error_of(answer)


def error_of(answer: httpx.Response) -> GovernanceError:
    """Return the error that an answer is."""
    if unknown_route(answer):
        return older(answer)
    try:
        said = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        said = f"{answer.url} answered {answer.status_code} {answer.reason_phrase}"
    if answer.status_code == HTTPStatus.CONFLICT and "Retry-After" in answer.headers:
        return Unavailable(said)  # the first request under this key is still under way: what becomes of it is not known
    if answer.status_code in _ERRORS:
        return _ERRORS[answer.status_code](said)
    return Unavailable(said) if answer.is_server_error else InvalidDocument(said)


def path_of(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(text, safe="")
