"""Send a request to a server that org.yaml allows, under a key by which the server can drop repeats.

The header follows the draft https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, field_validator

from governance.core.document import Document, Duration, Flag
from governance.core.performance import Outcome, Request
from governance.remote.asking import asked, found
from governance.remote.config import ServerConfig, is_http, plain_headers
from governance.remote.pointer import POINTER, pointed

if TYPE_CHECKING:
    from governance.remote.call import Answer, Caller

KEY = "$key"
"""What stands for the key of the act in an address and in a body."""
LARGEST = 8 * 1024
"""Characters that an output has at most: it is kept with the run."""
_PORTS = {"http": 80, "https": 443}


class HttpConfig(Document):
    """Which hosts may be asked (`host`, or `host:port`), and who we are to them.

    `headers_env` are headers by the variables that hold them. `idempotent`: these servers drop repeats by their
    Idempotency-Key. `timeout` bounds one exchange. `loopback`: a name may mean this machine.
    """

    hosts: tuple[str, ...] = ()
    token_env: str = ""
    headers_env: dict[str, str] = Field(default_factory=dict)
    idempotent: Flag = False
    timeout: Annotated[Duration, Field(gt=timedelta(0), le=timedelta(minutes=2))] = timedelta(seconds=10)
    loopback: Flag = False

    @field_validator("hosts")
    @classmethod
    def _named(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for each in hosts:
            if "/" in each or "@" in each or not is_http(f"http://{each}"):
                raise ValueError(f"{each!r} is no host: write example.org, or example.org:8443")
        return tuple(each.lower() for each in hosts)


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, int) else value


Status = Annotated[int, Field(ge=100, le=599)]
Statuses = Annotated[tuple[Status, ...], BeforeValidator(_several)]


def _address(url: str) -> str:
    if not is_http(url) or "@" in urlsplit(url).netloc or "#" in url:
        raise ValueError("an address begins with https:// (or http://) and a host, without a password and without #")
    return url


Url = Annotated[str, AfterValidator(_address)]


class HttpReadBack(Document):
    """Where to ask, by GET, what became of a request whose answer was lost."""

    url: Url
    done_when: Statuses = (200,)
    failed_when: Statuses = ()


class HttpRequest(Document):
    """Send a request; 2xx is done unless `expect` says otherwise."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    url: Url
    headers: dict[str, str] = Field(default_factory=dict)
    json_: Any = Field(default=None, alias="json")
    expect: Statuses = ()
    outputs: dict[str, Annotated[str, Field(pattern=POINTER)]] = Field(default_factory=dict)
    read_back: HttpReadBack | None = None
    probe: Url | None = None

    @field_validator("headers")
    @classmethod
    def _harmless(cls, headers: dict[str, str]) -> dict[str, str]:
        if any(name.lower() == "idempotency-key" for name in headers):
            raise ValueError("'Idempotency-Key' is not set here: it is the key of the act")
        return plain_headers(headers)


class Http:
    """Asks what no other system speaks to: a job, a feature store, a retraining service."""

    Config: ClassVar[type[BaseModel]] = HttpConfig
    OPERATIONS: ClassVar[dict[str, type[BaseModel]]] = {"request": HttpRequest}
    OUTPUTS: ClassVar[dict[str, dict[str, str]]] = {"request": {"status": "int"}}

    def __init__(self, config: HttpConfig) -> None:
        self._config = config

    @classmethod
    def configured(cls, config: HttpConfig, directory: Path) -> Http:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the system from its settings."""
        return cls(config)

    @property
    def REPEATS(self) -> frozenset[str]:  # noqa: N802 (what a system says of itself)
        """Return whether these servers drop repeats."""
        return frozenset({"request"}) if self._config.idempotent else frozenset()

    def perform(self, request: Request) -> Outcome:
        """Send it; what the status says became of it is judged by remote/judging.py."""
        return asked(request, HttpRequest, lambda wanted: self._sent(wanted, request.key))

    def dry_run(self, request: Request) -> Outcome:
        """Ask `probe` by GET, or where there is none connect and ask nothing."""
        return asked(request, HttpRequest, lambda wanted: self._probed(wanted, request.key))

    def read_back(self, request: Request) -> Outcome | None:
        """Ask what `read_back` names; what only reads has changed nothing."""
        return found(request, HttpRequest, lambda wanted: self._found(wanted, request.key))

    def _sent(self, wanted: HttpRequest, key: str) -> Outcome:
        from governance.remote.judging import untaken

        caller = self._caller(wanted.url)
        answer = caller.call(
            wanted.method,
            _path(wanted.url, key),
            _keyed(wanted.json_, key),
            {**wanted.headers, "Idempotency-Key": key},
        )
        if not _is(answer, wanted.expect):
            return untaken(answer, harmless=_harmless(wanted))
        return _done(answer, wanted, caller)

    def _probed(self, wanted: HttpRequest, key: str) -> Outcome:
        from governance.remote.judging import untaken

        caller = self._caller(wanted.url)
        if not wanted.probe:
            caller.reach()
            return Outcome("done", f"{caller.server.shown} can be reached; {wanted.method} would be sent")
        probe = self._caller(wanted.probe)
        answer = probe.call("GET", _path(wanted.probe, key))
        if not _is(answer, ()):
            return untaken(answer, harmless=True)
        return Outcome("done", f"GET {wanted.probe} answers HTTP {answer.status}; {wanted.method} would be sent")

    def _found(self, wanted: HttpRequest, key: str) -> Outcome | None:
        if wanted.read_back is None:
            return Outcome("failed", f"{wanted.method} only reads; its answer was lost") if _harmless(wanted) else None
        caller, asks = self._caller(wanted.read_back.url), wanted.read_back.url.replace(KEY, quote(key, safe=""))
        answer = caller.call("GET", _path(wanted.read_back.url, key))
        said = f"GET {asks} answers HTTP {answer.status}"
        if answer.status in wanted.read_back.done_when:
            return Outcome("done", said, _outputs(answer, wanted, caller))
        if answer.status in wanted.read_back.failed_when:
            return Outcome("failed", f"{said}: it never arrived")
        return None

    def _caller(self, url: str) -> Caller:
        """Return who asks the host of an address.

        :raises NotSent: when org.yaml does not allow it.
        """
        from governance.remote.call import Caller, NotSent

        parts = urlsplit(url)
        host = parts.hostname or ""
        named = f"[{host}]" if ":" in host else host
        port = parts.port or _PORTS[parts.scheme]
        allowed = self._config.hosts
        if f"{named}:{port}" not in allowed and (port != _PORTS[parts.scheme] or named not in allowed):
            known = f"it allows {', '.join(allowed)}" if allowed else "it allows none"
            raise NotSent(
                f"not asked: {parts.netloc} is not in `hosts` of this system in org.yaml; {known}", again=False
            )
        config = self._config
        server = ServerConfig(
            address=f"{parts.scheme}://{parts.netloc}",
            token_env=config.token_env,
            timeout=config.timeout,
            loopback=config.loopback,
        )
        return Caller(server, config.headers_env)


def _harmless(wanted: HttpRequest) -> bool:
    """Tell whether a request changes nothing (RFC 9110, section 9.2.1)."""
    return wanted.method in ("GET", "HEAD")


def _path(url: str, key: str) -> str:
    parts = urlsplit(url.replace(KEY, quote(key, safe="")))
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _keyed(body: Any, key: str) -> Any:
    """Return a body with the key where it is asked for."""
    if isinstance(body, str):
        return body.replace(KEY, key)
    if isinstance(body, Mapping):
        return {name: _keyed(each, key) for name, each in body.items()}
    return [_keyed(each, key) for each in body] if isinstance(body, (list, tuple)) else body


def _is(answer: Answer, expected: tuple[int, ...]) -> bool:
    return answer.status in expected if expected else 200 <= answer.status < 300


def _done(answer: Answer, wanted: HttpRequest, caller: Caller) -> Outcome:
    """Return what is done with its outputs, and say which the answer does not have.

    :raises Lost: when there are to be some, and the answer cannot be read.
    """
    outputs = _outputs(answer, wanted, caller)
    lacking = ", ".join(f"{name} ({wanted.outputs[name]})" for name in wanted.outputs if name not in outputs)
    said = f"; the answer has no {lacking}, or one that is too long" if lacking else ""
    return Outcome("done", f"HTTP {answer.status}{said}", outputs)


def _outputs(answer: Answer, wanted: HttpRequest, caller: Caller) -> dict[str, object]:
    outputs: dict[str, object] = {"status": answer.status}
    document = answer.json if wanted.outputs else None
    for name, pointer in wanted.outputs.items():
        with suppress(LookupError):
            value = pointed(document, pointer)
            if len(json.dumps(value)) <= LARGEST:
                outputs[name] = _scrubbed(value, caller.server.spellings)
    return outputs


def _scrubbed(value: Any, secrets: Sequence[str]) -> Any:
    """Return a value without our credentials, which a server may hand back."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "…")
        return value
    if isinstance(value, dict):
        return {_scrubbed(name, secrets): _scrubbed(each, secrets) for name, each in value.items()}
    return [_scrubbed(each, secrets) for each in value] if isinstance(value, list) else value
