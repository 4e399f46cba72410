"""A small OpenID Connect issuer on loopback, with real keys."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm


class Issuer:
    """Publishes its keys, makes tokens, and counts how often it is asked."""

    def __init__(self) -> None:
        """Begin to listen."""
        self.keys: dict[str, Any] = {}
        self.asked: list[str] = []
        self.says: dict[str, Any] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                answer = issuer.answer(self.path)
                if isinstance(answer, str):
                    self.send_response(302)
                    self.send_header("Location", answer)
                    self.end_headers()
                    return
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> Any:
        """Return the document at a path; a text is a redirect."""
        if path in self.says:
            return self.says[path]
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        return {"keys": [self._public(kid, key) for kid, key in self.keys.items()]}

    def rotate(self, kid: str, kind: str = "RS256") -> None:
        """Make a new key the only one."""
        self.keys = {kid: new_key(kind)}

    def token(
        self, claims: dict[str, Any], *, kid: str | None = None, algorithm: str = "RS256", key: Any = None
    ) -> str:
        """Return a signed token."""
        kid = kid if kid is not None else next(iter(self.keys))
        return jwt.encode(claims, key if key is not None else self.keys[kid], algorithm, headers={"kid": kid})

    def _public(self, kid: str, key: Any) -> dict[str, Any]:
        kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
        return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


def new_key(kind: str) -> Any:
    """Return a private key."""
    if kind.startswith("RS"):
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())
