"""Mails, as a real SMTP server takes them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from contract.sources.programs import free_port
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from governance.actions.email import Email, EmailConfig
from governance.core.effect import Contact, Effect, Message
from governance.ports import reaches

AT = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
MESSAGE = Message(
    7, "loan-risk", "critical", "triggered", "income is missing in 0.4 of the predictions", "first",
    ("income is missing in 0.4 of the predictions", "grade is missing"), ("run runbook roll-back",), AT,
)  # fmt: skip
EFFECT = Effect("7-1-mail", 7, 1, "mail", MESSAGE, next_at=AT)
ANA, BO = Contact("ana", email="ana@example.org"), Contact("bo", email="bo@example.org")


class Box:
    """Takes mails, and turns recipients away as it is told."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.taken: list[list[str]] = []
        self.away: dict[str, str] = {}
        self.secured: list[bool] = []

    async def handle_RCPT(self, _: Any, __: Any, envelope: Any, address: str, ___: Any) -> str:  # noqa: N802 (the server's name)
        """Take a recipient, or not."""
        if address in self.away:
            return self.away[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (the server's name)
        """Take a mail."""
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.taken.append(list(envelope.rcpt_tos))
        self.secured.append(session.ssl is not None)
        return "250 OK"


@contextmanager
def serving(box: Box, **more: Any) -> Iterator[int]:
    """Run the server on a free port."""
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), ready_timeout=20, **more)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def port(box: Box) -> Iterator[int]:
    with serving(box) as found:
        yield found


def mailer(port: int, **more: Any) -> Email:
    settings = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "gov@example.org", **more}
    return Email.configured(EmailConfig.model_validate(settings), Path())


def test_a_mail_to_fixed_addresses(box: Box, port: int) -> None:
    to = ["oncall@example.org", "risk@example.org"]
    mail = mailer(port, to=to, link="https://gov.example.org/incidents/{incident}")
    receipt = mail.perform(EFFECT)
    assert (receipt.delivered, receipt.detail) == (True, "taken for oncall@example.org, risk@example.org")
    (got,) = box.mails
    assert box.taken == [to]
    assert str(got["From"]) == "Model governance <gov@example.org>"
    assert str(got["To"]) == "oncall@example.org, risk@example.org"
    assert str(got["Subject"]) == "INC-7 loan-risk"
    assert (got["Auto-Submitted"], got["Importance"]) == ("auto-generated", "high")
    assert got["Date"].datetime == AT
    assert got.get_content().replace("\r\n", "\n") == (
        "▲ critical opened: income is missing in 0.4 of the predictions\n\n"
        "- grade is missing\n→ run runbook roll-back\n"
        "https://gov.example.org/incidents/7\nINC-7 loan-risk – triggered, 2026-01-05 12:30 UTC\n"
    )


def test_the_mails_of_an_incident_are_a_thread_and_a_repeated_one_is_known_by_its_id(box: Box, port: int) -> None:
    mail = mailer(port, to=["oncall@example.org"])
    over = replace(MESSAGE, reason="resolved", status="resolved", at=AT + timedelta(hours=1))
    other = replace(EFFECT, key="8-1-mail", incident=8, message=replace(MESSAGE, incident=8))
    for each in (EFFECT, EFFECT, replace(EFFECT, key="7-2-mail", version=2, message=over), other):
        assert mail.perform(each).delivered
    first, again, end, another = box.mails
    assert first["Message-ID"] == again["Message-ID"] == "<7-1-mail@example.org>"
    assert end["Message-ID"] == "<7-2-mail@example.org>"
    assert first["References"] == end["References"] == end["In-Reply-To"] == "<incident-7-mail@example.org>"
    assert first["Subject"] == end["Subject"]
    assert another["References"] != first["References"]
    assert end["Importance"] is None
    assert end.get_content().startswith("✓ resolved: ")


def test_people_are_reached_by_their_own_addresses(box: Box, port: int) -> None:
    mail = mailer(port)
    assert reaches(mail) == {"people"}
    assert reaches(mailer(port, to=["a@example.org"])) == {"place"}
    page = replace(
        EFFECT, to=(ANA, BO, Contact("cy"), ANA), level=1, rule="level 1 of loans: on call for loans-primary"
    )
    receipt = mail.perform(page)
    assert receipt.delivered
    assert receipt.detail == "taken for ana@example.org, bo@example.org; no e-mail address in org.yaml: cy"
    assert box.taken == [["ana@example.org", "bo@example.org"]]
    assert "You are told by level 1 of loans: on call for loans-primary." in box.mails[0].get_content()
    nobody = mail.perform(replace(EFFECT, to=(Contact("cy"),)))
    assert (nobody.delivered, nobody.refused) == (False, True)
    assert nobody.detail == "no e-mail address in org.yaml: cy"


def test_a_notice_that_is_about_no_incident_says_all_that_it_has_to(box: Box, port: int) -> None:
    open_ = ("INC-7 critical, triggered, loan-risk: income is missing",)
    message = Message(0, "", "info", "", "bo is on call for loans, 1 incident is open", "handover", open_, (), AT)
    notice = replace(EFFECT, key="handover-loans", incident=0, message=message, to=(BO,), rule="hand-over of loans")
    assert mailer(port, link="https://gov.example.org/{incident}").perform(notice).delivered
    (got,) = box.mails
    assert (got["Subject"], got["References"]) == ("bo is on call for loans, 1 incident is open", None)
    assert got.get_content().splitlines() == [
        "bo is on call for loans, 1 incident is open",
        "",
        "- INC-7 critical, triggered, loan-risk: income is missing",
        "You are told by hand-over of loans.",
        "bo is on call for loans, 1 incident is open, 2026-01-05 12:30 UTC",
    ]


def test_a_message_that_stands_for_many_names_the_others(box: Box, port: int) -> None:
    also = ("2 more incidents were resolved in this cycle:", "INC-8 fraud critical: late", "INC-9 churn info: odd")
    over = replace(MESSAGE, reason="resolved", status="resolved", findings=(*MESSAGE.findings, *also), also=also)
    assert mailer(port, to=["a@example.org"]).perform(replace(EFFECT, message=over)).delivered
    said = box.mails[0].get_content().splitlines()
    assert said[2:5] == [f"- {each}" for each in also]
    assert "- grade is missing" not in said


def test_who_was_put_off_is_tried_again_and_nobody_gets_it_twice(box: Box, port: int) -> None:
    mail, page = mailer(port), replace(EFFECT, to=(ANA, BO))
    box.away = {"bo@example.org": "450 come back later"}
    receipt = mail.perform(page)
    assert (receipt.delivered, receipt.refused) == (False, False)
    assert receipt.detail == "turned away: bo@example.org: 450 come back later"
    box.away = {}
    assert mail.perform(page).delivered
    assert box.taken == [["ana@example.org"], ["bo@example.org"]]
    assert box.mails[0]["Message-ID"] == box.mails[1]["Message-ID"]


def test_who_is_refused_for_good_is_named_and_keeps_nothing_from_the_others(box: Box, port: int) -> None:
    box.away = {"bo@example.org": "550 no such person"}
    receipt = mailer(port).perform(replace(EFFECT, to=(ANA, BO)))
    assert (receipt.delivered, receipt.detail) == (True, "turned away: bo@example.org: 550 no such person")
    alone = mailer(port).perform(replace(EFFECT, to=(BO,)))
    assert (alone.delivered, alone.refused) == (False, True)


HOSTILE = "x\r\nBcc: thief@example.net\r\n\r\n.\r\nRCPT TO:<thief@example.net>\u2028\x1b[2J"


def test_no_text_from_outside_becomes_a_header_or_a_command(box: Box, port: int) -> None:
    message = replace(MESSAGE, model=HOSTILE, title=HOSTILE, findings=(HOSTILE, HOSTILE), proposals=(HOSTILE,))
    page = replace(EFFECT, key=HOSTILE, notifier=HOSTILE, message=message, to=(ANA,), rule=HOSTILE)
    assert mailer(port).perform(page).delivered
    (got,) = box.mails
    assert got["Bcc"] is None
    assert box.taken == [["ana@example.org"]]
    assert "\x1b" not in got.get_content()
    assert got.get_content().count("Bcc: thief") == 5
    assert not any(line.startswith("Bcc") for line in got.get_content().splitlines())


@pytest.mark.parametrize(
    "address",
    ["", "ana", "a@b@c", "ana@example.org\nBcc: x@y", "Ana <ana@example.org>", "a@x.org,b@x.org", "ana @x.org",
     "añа@x.org"],
)  # fmt: skip
def test_what_is_no_address_gets_no_mail(address: str, box: Box, port: int) -> None:
    receipt = mailer(port).perform(replace(EFFECT, to=(Contact("ana", email=address), BO)))
    assert receipt.detail.endswith("no e-mail address in org.yaml: ana")
    assert box.taken == [["bo@example.org"]]
    with pytest.raises(ValidationError, match="is no e-mail address"):
        mailer(port, to=[address])


# security


def certificate(directory: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate of 127.0.0.1, and return its file and what serves with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, secret = directory / "server.pem", directory / "server.key"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(*encoding))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return file, context


def allowed(_: Any, __: Any, ___: Any, mechanism: str, given: Any) -> AuthResult:
    """Know one user."""
    known = isinstance(given, LoginPassword) and (given.login, given.password) == (b"gov", b"open sesame")
    return AuthResult(success=known, handled=False)


def test_by_starttls_with_a_login(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, context = certificate(tmp_path)
    more = {"security": "starttls", "to": ["a@example.org"], "user_env": "MAIL_USER", "password_env": "MAIL_PASSWORD"}
    monkeypatch.setenv("MAIL_USER", "gov")
    server = {"tls_context": context, "require_starttls": True, "authenticator": allowed, "auth_required": True}
    with serving(box, **server) as port:
        mail = mailer(port, **more)
        monkeypatch.setenv("MAIL_PASSWORD", "open sesame")
        stranger = mail.perform(EFFECT)
        assert (stranger.delivered, "certificate verify failed" in stranger.detail) == (False, True)
        assert not stranger.refused, "a certificate is renewed without us"
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert mail.perform(EFFECT).delivered
        monkeypatch.setenv("MAIL_PASSWORD", "wrong")
        wrong = mail.perform(EFFECT)
        assert (wrong.delivered, wrong.refused, wrong.detail[:8]) == (False, True, "SMTP 535")
        assert "wrong" not in wrong.detail
    assert box.secured == [True]


def test_by_tls_from_the_first_byte(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with serving(box, ssl_context=context) as port:
        assert mailer(port, security="tls", to=["a@example.org"]).perform(EFFECT).delivered
    assert len(box.mails) == 1


def test_what_is_to_be_secure_is_never_sent_in_the_clear(box: Box, port: int) -> None:
    receipt = mailer(port, security="starttls", to=["a@example.org"]).perform(EFFECT)
    assert (receipt.delivered, receipt.refused) == (False, True)
    assert "STARTTLS" in receipt.detail
    assert box.mails == []


def test_a_server_that_is_away_or_must_not_be_asked() -> None:
    away = mailer(free_port(), to=["a@example.org"]).perform(EFFECT)
    assert (away.delivered, away.refused, "refused" in away.detail.lower()) == (False, False, True)
    metadata = mailer(25, host="169.254.169.254", to=["a@example.org"]).perform(EFFECT)
    assert "keep their credentials" in metadata.detail


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"user_env": "U"}, "give both"),
        ({"user_env": "U", "password_env": "P"}, "a password goes over TLS only"),
        ({"security": "ssl"}, "'starttls', 'tls' or 'none'"),
        ({"host": "mail.example.org/x"}, "pattern"),
        ({"name": "a\nb"}, "pattern"),
    ],
)
def test_settings_that_are_wrong(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        mailer(25, **more)
