"""What a client says of an engine that it cannot trust, or does not understand: each sentence says what to do."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from interfaces.inside import inside
from interfaces.serving import ask

from governance.client import Client
from governance.client.trouble import unknown_route
from governance.errors import GovernanceError, Outdated, Unavailable, Unreached

OURS = version("model-governance")


class Answers(BaseHTTPRequestHandler):
    """Answers what the server holds by path, and of other paths as an engine does that has no such route."""

    def do_GET(self) -> None:
        """Answer."""
        held: Mapping[str, Any] = self.server.held  # type: ignore[attr-defined]
        known = held.get(self.path.partition("?")[0])
        body = json.dumps(known if known is not None else {"status": 404, "detail": "Not Found"}).encode()
        self.send_response(200 if known is not None else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 (the framework's name)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def served(held: Mapping[str, Any], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve on a port of the loopback until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.held = held  # type: ignore[attr-defined]
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # whoever does not trust us hangs up
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def certificate(
    folder: Path, *, host: str = "127.0.0.1", since: int = -1, until: int = 1, by_itself: bool = False
) -> tuple[ssl.SSLContext, Path]:
    """Return what a server shows, valid between these days from now, and the file of the authority that signed it."""
    now, keys = datetime.now(UTC), [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    own, authority = keys[0], keys[0] if by_itself else keys[1]
    signer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engine" if by_itself else "authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "engine")])

    def made(name: x509.Name, key: ec.EllipticCurvePrivateKey, begins: int, ends: int, *, ca: bool) -> x509.Certificate:
        names = x509.SubjectAlternativeName(
            [x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)]
        )
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(signer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=begins))
            .not_valid_after(now + timedelta(days=ends))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(names, critical=False)
            .sign(authority, hashes.SHA256())
        )

    plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    shown = made(subject, own, since, until, ca=by_itself)
    trusted = shown if by_itself else made(signer, authority, -30, 30, ca=True)
    for name, text in {
        "shown.pem": shown.public_bytes(serialization.Encoding.PEM) + own.private_bytes(*plain),
        "authority.pem": trusted.public_bytes(serialization.Encoding.PEM),
    }.items():
        (folder / name).write_bytes(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "shown.pem")
    return context, folder / "authority.pem"


def said(url: str) -> GovernanceError:
    """Return what a client says of an engine."""
    with Client(url, "secret") as client, pytest.raises(GovernanceError) as told:
        client.check()
    return told.value


CERTIFICATES: list[tuple[str, dict[str, Any], bool, str]] = [
    ("by itself", {"by_itself": True}, False, "its certificate is signed by nobody but itself; let SSL_CERT_FILE name"),
    ("unknown", {}, False, "its certificate comes from an authority not known here; let SSL_CERT_FILE name a file"),
    ("expired", {"since": -9, "until": -1}, True, "its certificate has expired; whoever runs the engine, or the proxy"),
    ("not yet", {"since": 1, "until": 9}, True, "its certificate is not valid yet; look at the clock of this machine"),
    ("name", {"host": "gov.example"}, True, "its certificate is for another name; use the name it was made for"),
    ("address", {"host": "127.0.0.9"}, True, "its certificate is for another name; use the name it was made for"),
]


@pytest.mark.parametrize(("how", "trusted", "sentence"), [pytest.param(*each[1:], id=each[0]) for each in CERTIFICATES])
def test_a_certificate_that_is_not_trusted_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any], trusted: bool, sentence: str
) -> None:
    shown, authority = certificate(tmp_path, **how)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with served({}, shown) as port:
        told = said(f"https://127.0.0.1:{port}")
        assert isinstance(told, Unreached), "nothing was sent, also not the token"
        assert str(told).startswith(f"no engine is reached at https://127.0.0.1:{port}: {sentence}")
        assert "_ssl.c" not in str(told)


def test_the_advice_is_true_and_a_command_says_it_too(tmp_path: Path) -> None:
    shown, authority = certificate(tmp_path)
    checked = {"version": "1", "source": "directory", "in_tests": 0}
    with served({"/v1/policies/check": checked}, shown) as port:
        asked = ("policies", "check", "--url", f"https://127.0.0.1:{port}")
        refused = ask(tmp_path, *asked)
        assert (refused.returncode, refused.stdout) == (4, "")
        assert "comes from an authority not known here; let SSL_CERT_FILE name a file" in refused.stderr
        done = ask(tmp_path, *asked, SSL_CERT_FILE=str(authority))
        assert (done.returncode, done.stdout, done.stderr) == (0, "0 problems; version 1 rules\n", "")


def test_the_wrong_protocol_is_told(tmp_path: Path) -> None:
    with served({}) as port:
        told = said(f"https://127.0.0.1:{port}")
    assert isinstance(told, Unreached)
    assert "does not speak TLS as we do; write http:// where no proxy with TLS is before the engine" in str(told)
    with served({}, certificate(tmp_path)[0]) as port:
        told = said(f"http://127.0.0.1:{port}")
    assert "write https:// where it speaks TLS" in str(told)


def test_an_older_engine_is_told_apart_from_what_is_not_there() -> None:
    with served(
        {"/v1/fleet": {"items": [{"model": "m"}], "whole": "a"}, "/v1/policies": {"items": [{"number": 1}]}}
    ) as port:
        url = f"http://127.0.0.1:{port}"
        with Client(url) as client:
            with pytest.raises(Outdated) as route:
                client.check()
            with pytest.raises(Outdated):
                client.pending()  # that nothing waits would be another answer
            with pytest.raises(Outdated) as act:
                client.approve("APR-1", key="k")
            with pytest.raises(Outdated) as field:
                client.versions()
            with pytest.raises(Outdated) as fleet:
                client.fleet()
    older = f"it is older than this gov ({OURS}). Upgrade the engine, or use the gov of its version"
    assert str(route.value) == f"the engine at {url} does not know /v1/policies/check: {older}"
    assert str(act.value) == f"the engine at {url} does not know /v1/approvals/APR-1/approve: {older}"
    assert str(field.value) == f"the engine at {url} answers /v1/policies without items.0.version: {older}"
    assert str(fleet.value).startswith(f"the engine at {url} answers /v1/fleet without ")
    assert str(fleet.value).endswith(older)


@pytest.mark.parametrize("body", [{"hello": "world"}, [1, 2], "engine"], ids=str)
def test_what_is_no_engine_is_no_older_one(body: object) -> None:
    with served({"/v1/policies/check": body}) as port:
        told = said(f"http://127.0.0.1:{port}")
    assert isinstance(told, Unavailable)
    assert "is no engine of ours; the address of an engine is what gov serve says" in str(told)


def test_an_answer_that_means_something_else_is_of_another_version() -> None:
    with served({"/v1/policies/check": {"version": "1", "source": "directory", "count": "many"}}) as port:
        told = said(f"http://127.0.0.1:{port}")
    assert isinstance(told, Outdated)
    assert "with a count that we do not know: it is of another version than this gov" in str(told)
    assert str(told).endswith("Use the same version of both")


def test_a_real_engine_says_so_of_a_route_that_it_lacks_and_not_of_a_thing(tmp_path: Path) -> None:
    here = inside(tmp_path / "own")
    ana = here.token("ana")
    told = {path: here.as_(ana, "GET", path) for path in ("/v1/of-tomorrow", "/v1/models/nobody", "/v1/policies/apply")}
    assert {path: unknown_route(answer) for path, answer in told.items()} == {
        "/v1/of-tomorrow": True,
        "/v1/models/nobody": False,
        "/v1/policies/apply": True,  # it has other methods
    }
