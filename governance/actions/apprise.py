"""Reach a service by one address that Apprise knows: ntfy, Teams, Opsgenie, Matrix, Telegram and a hundred more."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from governance import settings
from governance.actions import wording
from governance.core.effect import Effect, Receipt

_MENTION = re.compile(r"@(?=\w)|<(?=[!@#])")
"""How services write that many people are to be called."""
_GAP = "\u200b"
_LOCAL = frozenset({"blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"})
"""Addresses that mean this machine's screen, lamp or log, and no person."""


class AppriseConfig(BaseModel):
    """Which variable holds the address; there are credentials in it. `link`: where an incident is seen."""

    model_config = ConfigDict(extra="forbid")
    address_env: Annotated[str, Field(min_length=1)]
    link: str = ""


class Apprise:
    """Sends plain text; text from outside mentions nobody, whatever is written in it."""

    Config: ClassVar[type[BaseModel]] = AppriseConfig

    def __init__(self, config: AppriseConfig) -> None:
        """Send as the settings say."""
        self._config = config

    @classmethod
    def configured(cls, config: AppriseConfig, directory: Path) -> Apprise:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the action from its settings."""
        return cls(config)

    def perform(self, effect: Effect) -> Receipt:
        """Send the message; why it was not taken is said in Apprise's words."""
        address = settings.secret(self._config.address_env)
        if not address:
            said = f"the environment variable {self._config.address_env} is not set"
            return Receipt(delivered=False, detail=said)
        service = _service(address)
        if service is None:
            said = f"the environment variable {self._config.address_env} holds no address that Apprise knows"
            return Receipt(delivered=False, detail=said)
        message = effect.message
        link = wording.linked(self._config.link, message)
        with _overheard() as said_aloud:
            delivered = service.notify(
                title=_silent(wording.subject(message)),
                body=_silent(wording.text(effect)) + (f"{link}\n" if link else ""),
                notify_type=_kind(effect),
                body_format="text",
            )
        detail = "; ".join(said_aloud) or ("accepted" if delivered else "not accepted")
        return Receipt(bool(delivered), wording.line(detail)[:300])


def _service(address: str) -> Any:
    """Return what Apprise makes of an address, None where it makes nothing of it."""
    import apprise  # heavy, and only needed by who sends

    if address.partition(":")[0].lower() in _LOCAL:
        return None
    asset = apprise.AppriseAsset(
        app_id="Model governance",
        app_desc="Model governance",
        async_mode=False,
        interpret_emojis=False,
        interpret_escapes=False,
        http_redirects=False,
    )
    return apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)


def _kind(effect: Effect) -> str:
    """Return which picture and colour a service may give it."""
    if effect.message.reason == "resolved":
        return "success"
    return {"critical": "failure", "warning": "warning"}.get(effect.message.severity, "info")


def _silent(text: str) -> str:
    return _MENTION.sub(lambda found: found[0] + _GAP, text)


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """Yield what Apprise complains about in this thread: others may use it at the same time."""
    heard: list[str] = []
    here = threading.get_ident()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == here:
                heard.append(record.getMessage())

    ear = Ear(logging.WARNING)
    logger = logging.getLogger("apprise")
    logger.addHandler(ear)
    try:
        yield heard
    finally:
        logger.removeHandler(ear)
