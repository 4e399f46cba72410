"""Post a message as JSON to an HTTP address, signed where the receiver wants to know that it is ours."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

from governance import settings
from governance.core.document import Flag
from governance.core.effect import Effect, Receipt
from governance.outbound import Outbound
from governance.posting import posted

_PREFIX = "whsec_"
_LEAST_KEY = 24
"""Bytes of the shortest key that Standard Webhooks allows."""


class WebhookConfig(BaseModel):
    """The address, or the environment variable that holds it (an address with a token in it is a secret).

    `secret_env`: the variable with the key that messages are signed with. `loopback`: its name may mean this machine.
    """

    model_config = ConfigDict(extra="forbid")
    address: str = ""
    address_env: str = ""
    secret_env: str = ""
    loopback: Flag = False

    @model_validator(mode="after")
    def _one(self) -> WebhookConfig:
        if bool(self.address) == bool(self.address_env):
            raise ValueError("give either `address` or `address_env`")
        return self


class Webhook:
    """Sends the effect's key as `Idempotency-Key`, the same for every attempt: the receiver can drop repeats."""

    Config: ClassVar[type[BaseModel]] = WebhookConfig
    FOLDS: ClassVar[str] = "never"

    def __init__(
        self,
        address: str,
        outbound: Outbound = Outbound(),  # noqa: B008 (it is frozen)
        *,
        signed_by: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Post to `address`, signed with the key in the variable `signed_by` at the seconds since 1970 of `clock`."""
        self._address, self._outbound, self._signed_by, self._clock = address, outbound, signed_by, clock

    @classmethod
    def configured(cls, config: WebhookConfig, directory: Path) -> Webhook:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the action from its settings."""
        address = config.address or settings.secret(config.address_env)
        return cls(address, Outbound(config.loopback), signed_by=config.secret_env)

    def perform(self, effect: Effect) -> Receipt:
        """Post the message; anything but a 2xx answer is a failure to be tried again. No redirect is followed."""
        if not self._address:
            return Receipt(delivered=False, detail="the environment variable with the address is not set")
        content = json.dumps(body(effect), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Idempotency-Key": effect.key}
        if self._signed_by:
            keys = signing_keys(settings.secret(self._signed_by))
            if not keys:  # never unsigned: the receiver would drop it, and nobody would know why
                said = f"holds no key: {_PREFIX} and base64 of {_LEAST_KEY} bytes or more"
                return Receipt(delivered=False, detail=f"the environment variable {self._signed_by} {said}")
            headers |= signature(keys, effect.key, int(self._clock()), content)
        answer = posted(self._address, content, headers, self._outbound)
        return answer if isinstance(answer, Receipt) else answer.receipt()


def signing_keys(text: str) -> list[bytes]:
    """Return the keys in a text: several, separated by spaces, while one is replaced; none when one is wrong."""
    try:
        keys = [base64.b64decode(each.removeprefix(_PREFIX), validate=True) for each in text.split()]
    except (binascii.Error, ValueError):
        return []
    return keys if all(len(each) >= _LEAST_KEY for each in keys) else []


def signature(keys: list[bytes], identity: str, seconds: int, content: bytes) -> dict[str, str]:
    """Return the headers that prove who sent a message, and when.

    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    signed = f"{identity}.{seconds}.".encode() + content
    proofs = [base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in keys]
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{each}" for each in proofs),
    }


def body(effect: Effect) -> dict[str, Any]:
    """Return the JSON body: the message, with its time as RFC 3339."""
    message = asdict(effect.message)
    return {**message, "at": effect.message.at.isoformat(), "key": effect.key}
