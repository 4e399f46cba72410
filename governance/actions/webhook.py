"""Post a message as JSON to an HTTP address."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

from governance import settings
from governance.core.effect import Effect, Receipt

_SECONDS = 10.0


class WebhookConfig(BaseModel):
    """The address, or the environment variable that holds it (an address with a token in it is a secret)."""

    model_config = ConfigDict(extra="forbid")
    address: str = ""
    address_env: str = ""

    @model_validator(mode="after")
    def _one(self) -> WebhookConfig:
        if bool(self.address) == bool(self.address_env):
            raise ValueError("give either `address` or `address_env`")
        return self


class Webhook:
    """Sends the effect's key as `Idempotency-Key`, the same for every attempt: the receiver can drop repeats."""

    Config: ClassVar[type[BaseModel]] = WebhookConfig

    def __init__(self, address: str) -> None:
        self._address = address

    @classmethod
    def configured(cls, config: WebhookConfig, directory: Path) -> Webhook:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the action from its settings."""
        return cls(config.address or settings.secret(config.address_env))

    def perform(self, effect: Effect) -> Receipt:
        """Post the message; anything but a 2xx answer is a failure to be tried again."""
        import httpx  # heavy, and only needed by who sends

        if not self._address:
            return Receipt(delivered=False, detail="the environment variable with the address is not set")
        try:
            answer = httpx.post(
                self._address, json=body(effect), headers={"Idempotency-Key": effect.key}, timeout=_SECONDS
            )
        except httpx.HTTPError as error:
            return Receipt(delivered=False, detail=f"{type(error).__name__}: {error}")
        return Receipt(answer.is_success, f"HTTP {answer.status_code}")


def body(effect: Effect) -> dict[str, Any]:
    """Return the JSON body: the message, with its time as RFC 3339."""
    message = asdict(effect.message)
    return {**message, "at": effect.message.at.isoformat(), "key": effect.key}
