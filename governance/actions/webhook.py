"""Post a message as JSON to an HTTP address."""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.request import getproxies, proxy_bypass

from pydantic import BaseModel, ConfigDict, model_validator

from governance import settings
from governance.core.document import Flag
from governance.core.effect import Effect, Receipt
from governance.outbound import Forbidden, Outbound

if TYPE_CHECKING:
    import httpx

_SECONDS = 10.0


class WebhookConfig(BaseModel):
    """The address, or the environment variable that holds it (an address with a token in it is a secret).

    `loopback`: its name may mean this machine.
    """

    model_config = ConfigDict(extra="forbid")
    address: str = ""
    address_env: str = ""
    loopback: Flag = False

    @model_validator(mode="after")
    def _one(self) -> WebhookConfig:
        if bool(self.address) == bool(self.address_env):
            raise ValueError("give either `address` or `address_env`")
        return self


class Webhook:
    """Sends the effect's key as `Idempotency-Key`, the same for every attempt: the receiver can drop repeats."""

    Config: ClassVar[type[BaseModel]] = WebhookConfig

    def __init__(self, address: str, outbound: Outbound = Outbound()) -> None:  # noqa: B008 (it is frozen)
        self._address, self._outbound = address, outbound

    @classmethod
    def configured(cls, config: WebhookConfig, directory: Path) -> Webhook:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the action from its settings."""
        return cls(config.address or settings.secret(config.address_env), Outbound(config.loopback))

    def perform(self, effect: Effect) -> Receipt:
        """Post the message; anything but a 2xx answer is a failure to be tried again. No redirect is followed."""
        import httpx  # heavy, and only needed by who sends

        if not self._address:
            return Receipt(delivered=False, detail="the environment variable with the address is not set")
        try:
            answer = self._answered(effect)
        except Forbidden as error:
            return Receipt(delivered=False, detail=str(error))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            return Receipt(delivered=False, detail=f"{type(error).__name__}: {error}")
        moved = " (redirects are not followed)" if answer.has_redirect_location else ""
        return Receipt(answer.is_success, f"HTTP {answer.status_code}{moved}")

    def _answered(self, effect: Effect) -> httpx.Response:
        """Post to the first address of the host that answers, or through the proxy, which knows where it may go."""
        import httpx

        url = httpx.URL(self._address)
        if url.scheme not in ("http", "https") or not url.host:
            raise httpx.UnsupportedProtocol("the address must begin with http:// or https:// and name a host")
        host, secure = url.raw_host.decode("ascii"), url.scheme == "https"
        headers = {"Idempotency-Key": effect.key, "Host": url.netloc.decode("ascii")}
        proxy = _proxy(url.scheme, host)
        port = url.port or (443 if secure else 80)
        places = [url.copy_with(host=each) for each in self._outbound.addresses(host, port)] if not proxy else [url]
        verify = ssl.create_default_context() if secure else True
        with httpx.Client(timeout=_SECONDS, trust_env=False, proxy=proxy, verify=verify) as client:
            for place in places[:-1]:
                with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                    return client.post(place, json=body(effect), headers=headers, extensions={"sni_hostname": host})
            return client.post(places[-1], json=body(effect), headers=headers, extensions={"sni_hostname": host})


def _proxy(scheme: str, host: str) -> str | None:
    """Return the proxy that the environment names for a host."""
    named = getproxies()
    return None if proxy_bypass(host) else named.get(scheme) or named.get("all")


def body(effect: Effect) -> dict[str, Any]:
    """Return the JSON body: the message, with its time as RFC 3339."""
    message = asdict(effect.message)
    return {**message, "at": effect.message.at.isoformat(), "key": effect.key}
