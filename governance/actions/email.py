"""Send a mail by SMTP; the mails of one incident are one thread."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from governance import settings
from governance.actions import wording
from governance.core.document import Flag
from governance.core.effect import Effect, Receipt
from governance.outbound import Forbidden, Outbound
from governance.ports import Reach

_SECONDS = 20.0
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_NOT_ALLOWED = frozenset(' \t\r\n\0<>()[]:;,\\"')
"""What an address has only in forms that nobody uses, and by which a header could be cut in two."""


def address(text: str) -> str:
    """Return an e-mail address that is one and nothing else.

    :raises ValueError: when it is not.
    """
    name, at, domain = text.rpartition("@")
    if not (name and at and domain) or "@" in name or not text.isascii() or not text.isprintable():
        raise ValueError(f"'{wording.line(text)}' is no e-mail address")
    if _NOT_ALLOWED & set(text):
        raise ValueError(f"'{wording.line(text)}' is no e-mail address: write it without name and brackets")
    return text


MailAddress = Annotated[str, AfterValidator(address)]


class EmailConfig(BaseModel):
    """The mail server, how to prove who we are to it, from whom and to whom mails go.

    Without `to` they go to the people whom an escalation pages. `link`: where an incident is seen, with {incident} in
    it. `loopback`: the host's name may mean this machine.
    """

    model_config = ConfigDict(extra="forbid")
    host: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9._:-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    user_env: str = ""
    password_env: str = ""
    sender: MailAddress
    name: Annotated[str, Field(pattern=r"^[^\r\n]*$")] = "Model governance"
    to: tuple[MailAddress, ...] = ()
    link: str = ""
    loopback: Flag = False

    @model_validator(mode="after")
    def _safe(self) -> EmailConfig:
        if bool(self.user_env) != bool(self.password_env):
            raise ValueError("give both `user_env` and `password_env`, or neither")
        if self.password_env and self.security == "none":
            raise ValueError("a password goes over TLS only: write `security: starttls` or `tls`")
        return self


class Email:
    """Sends one mail per message; a try that is repeated has the same Message-ID, and leaves out who got it already."""

    Config: ClassVar[type[BaseModel]] = EmailConfig

    def __init__(self, config: EmailConfig) -> None:
        """Send as the settings say."""
        self.REACHES: frozenset[Reach] = frozenset({"place"} if config.to else {"people"})
        self._config = config
        self._outbound = Outbound(config.loopback)
        self._reached: dict[str, set[str]] = {}

    @classmethod
    def configured(cls, config: EmailConfig, directory: Path) -> Email:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the action from its settings."""
        return cls(config)

    def perform(self, effect: Effect) -> Receipt:
        """Send the mail to all who have not got it yet; it is delivered when the server has taken it for all."""
        people, unknown = self._recipients(effect)
        if not people:
            return Receipt(delivered=False, detail=unknown or "nobody to send it to", refused=True)
        reached = self._reached.setdefault(effect.key, set())
        left = [each for each in people if each not in reached]
        try:
            receipt = self._sent(mail(effect, people, self._config), left, reached)
        except Forbidden as error:
            return Receipt(delivered=False, detail=str(error))
        except smtplib.SMTPResponseException as error:
            return _answered(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError as error:
            return Receipt(delivered=False, detail=f"{error}; nothing is sent without it", refused=True)
        except (smtplib.SMTPException, OSError) as error:
            return Receipt(delivered=False, detail=f"{type(error).__name__}: {error}")
        if receipt.delivered or receipt.refused:
            self._reached.pop(effect.key, None)
        return Receipt(receipt.delivered, "; ".join(filter(None, (receipt.detail, unknown))), refused=receipt.refused)

    def _recipients(self, effect: Effect) -> tuple[list[str], str]:
        """Return the addresses, each once, and in words who has none."""
        if not effect.to:
            return list(dict.fromkeys(self._config.to)), ""
        found: list[str] = []
        without: list[str] = []
        for each in effect.to:
            try:
                found.append(address(each.email))
            except ValueError:
                without.append(each.person)
        names = ", ".join(without)
        return list(dict.fromkeys(found)), f"no e-mail address in org.yaml: {names}" if names else ""

    def _sent(self, message: EmailMessage, people: Sequence[str], reached: set[str]) -> Receipt:
        """Hand the mail to the server, and keep who was taken; who is put off keeps it from being delivered."""
        with self._connected() as server:
            if self._config.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self._config.user_env:
                server.login(settings.secret(self._config.user_env), settings.secret(self._config.password_env))
            try:
                turned_away = server.send_message(message, self._config.sender, list(people))
            except smtplib.SMTPRecipientsRefused as error:
                turned_away = error.recipients
        reached.update(each for each in people if each not in turned_away)
        if not turned_away:
            return Receipt(delivered=True, detail=f"taken for {', '.join(people)}")
        said = "; ".join(f"{who}: {code} {_words(text)}" for who, (code, text) in turned_away.items())
        put_off = any(code < 500 for code, _ in turned_away.values())
        # Who is refused for good must not keep the others, who have it, from the messages that follow.
        return Receipt(bool(reached) and not put_off, f"turned away: {said}", refused=not reached and not put_off)

    def _connected(self) -> smtplib.SMTP:
        config = self._config
        port = config.port or _PORTS[config.security]
        places = self._outbound.addresses(config.host, port)
        return _Server(config.host, port, places, tls=config.security == "tls")


class _Server(smtplib.SMTP):
    """Connects to the addresses that were looked up and allowed, and asks for the certificate of the name."""

    def __init__(self, host: str, port: int, places: Sequence[str], *, tls: bool) -> None:
        self._places, self._tls = places, tls
        name = socket.gethostname()  # asking for the whole name may take as long as the name servers do
        super().__init__(host, port, local_hostname=name if "." in name else "[127.0.0.1]", timeout=_SECONDS)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        found = self._dialled(port, timeout)
        return ssl.create_default_context().wrap_socket(found, server_hostname=host) if self._tls else found

    def _dialled(self, port: int, timeout: float) -> socket.socket:
        for place in self._places[:-1]:
            with suppress(OSError):
                return socket.create_connection((place, port), timeout)
        return socket.create_connection((self._places[-1], port), timeout)


def mail(effect: Effect, people: Sequence[str], config: EmailConfig) -> EmailMessage:
    """Return the mail. Its subject is the same for all of an incident, as some programs make threads by it alone."""
    message, domain = effect.message, config.sender.rpartition("@")[2]
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(wording.line(config.name), addr_spec=config.sender)
    made["To"] = [Address(addr_spec=each) for each in people]
    made["Subject"] = wording.subject(message)
    made["Date"] = format_datetime(message.at)
    made["Message-ID"] = f"<{_atom(effect.key)}@{domain}>"
    if message.incident:
        thread = f"<{_atom(f'incident-{message.incident}-{effect.notifier}')}@{domain}>"
        made["In-Reply-To"] = made["References"] = thread
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer by a machine
    if message.severity == "critical" and message.reason != "resolved":
        made["Importance"] = "high"
    made.set_content(wording.text(effect, wording.linked(config.link, message)))
    return made


def _atom(text: str) -> str:
    """Return text as the left part of a Message-ID."""
    return "".join(each if each.isascii() and (each.isalnum() or each in "-_.") else f"={ord(each):x}" for each in text)


def _answered(code: int, said: bytes | str) -> Receipt:
    return Receipt(delivered=False, detail=f"SMTP {code} {_words(said)}", refused=500 <= code < 600)


def _words(said: bytes | str) -> str:
    return wording.line(said.decode(errors="replace") if isinstance(said, bytes) else said)[:300]
