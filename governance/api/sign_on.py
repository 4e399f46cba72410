"""Single sign-on: bearer tokens of an OpenID Connect issuer, checked against the keys that it publishes.

Source: https://openid.net/specs/openid-connect-discovery-1_0.html and RFC 8725 (best practices for JSON Web Tokens).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
from jwt import PyJWK

from governance.core.authority import Actor
from governance.core.organisation import Oidc, Organisation
from governance.engine.keyring import Login, Refused, Stranger
from governance.engine.tokens import PERSON
from governance.errors import Unavailable

_BY_TYPE: Mapping[str, tuple[str, ...]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}
"""Which signatures a type of key verifies: one of another type under the same id is a forgery."""
ALGORITHMS = tuple(name for names in _BY_TYPE.values() for name in names)
"""Signatures that only the issuer can make. A shared secret or none at all would let others make tokens."""
LEEWAY = timedelta(seconds=60)
FRESH = 600.0
"""Seconds for which the issuer's keys count."""
SOONEST = 30.0
"""Seconds between two readings for keys that are not known: forged tokens must not flood the issuer."""
SECONDS = 5.0
_LARGEST = 2**18


class SingleSignOn:
    """Tells who a token of the organisation's issuer is for."""

    def __init__(
        self,
        oidc: Oidc,
        organisation: Callable[[], Organisation],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take tokens of this issuer for the people of the organisation of now; nothing is asked yet."""
        self._oidc, self._organisation, self._monotonic = oidc, organisation, monotonic
        self._keys: Mapping[str, PyJWK] = {}
        self._read_at = -FRESH
        self._tried_at = -SOONEST
        self._lock = Lock()

    def login(self, token: str, at: datetime) -> Login:
        """Return who asks.

        :raises Refused: when the token does not hold.
        :raises Stranger: when it does, and the organisation does not know the person.
        :raises Unavailable: when the issuer's keys cannot be read.
        """
        claims = self._claims(token)
        expires = _instant(claims, "exp")
        if expires is None or at >= expires + LEEWAY:
            raise Refused("expired" if expires else "no exp")
        for name in ("nbf", "iat"):
            begins = _instant(claims, name)
            if begins is not None and at < begins - LEEWAY:
                raise Refused("not yet valid")
        person = self._person(claims)
        return Login(Actor(person, scopes=frozenset(PERSON)), f"sign-on:{person}", expires)

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as error:
            raise Refused("malformed") from error
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS or "crit" in header:
            raise Refused("algorithm")
        key = self._key(header.get("kid"))
        if key is None:
            raise Refused("unknown key")
        if algorithm not in _BY_TYPE.get(key.key_type or "", ()):
            raise Refused("algorithm")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=self._oidc.audience,
                issuer=self._oidc.issuer,
                options={
                    "require": ["exp", "iss", "aud"],
                    "verify_exp": False,  # these three are judged by the engine's own clock
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Refused(_why(error)) from error
        return claims

    def _person(self, claims: Mapping[str, Any]) -> str:
        """Return the person whom the claims name.

        :raises Refused: when they name nobody.
        :raises Stranger: when the organisation does not know them.
        """
        name = self._oidc.claim
        said = claims.get(name)
        if not isinstance(said, str) or not said:
            raise Refused(f"no claim {name}")
        if name == "email" and claims.get("email_verified") is False:
            raise Refused("e-mail not verified")
        people = self._organisation().people
        if name == "email":
            found = [each for each, person in people.items() if (person.email or "").lower() == said.lower()]
        else:
            found = [each for each, person in people.items() if person.subject == said]
        if len(found) != 1:
            field = "email" if name == "email" else "subject"
            raise Stranger(
                f"your single sign-on says that you are {said[:200]}, and org.yaml names nobody so: "
                f"ask for `people: {{you: {{{field}: …}}}}`"
            )
        return found[0]

    def _key(self, wanted: object) -> PyJWK | None:
        """Return the key of an id; a token that names none may rest on the only one."""
        with self._lock:
            now = self._monotonic()
            missing = isinstance(wanted, str) and wanted not in self._keys
            due = now - self._read_at > FRESH or missing
            if due and now - self._tried_at >= SOONEST:
                self._tried_at = now
                self._read(now)
            if isinstance(wanted, str):
                return self._keys.get(wanted)
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None

    def _read(self, now: float) -> None:
        """Read the keys; where that cannot be done, those of before count."""
        issuer = self._oidc.issuer
        try:
            configuration = _got(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            self._keys = _usable(_got(_address(configuration, issuer)))
            self._read_at = now
        except Unavailable:
            if not self._keys:
                raise


def _got(url: str) -> dict[str, Any]:
    """Return the JSON object at an address: no redirect is followed, as keys come from the issuer alone.

    :raises Unavailable: when there is none.
    """
    host = urlsplit(url).netloc
    try:
        with httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
            end = time.monotonic() + SECONDS
            with client.stream("GET", url, headers={"Accept": "application/json"}) as answer:
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > _LARGEST or time.monotonic() > end:
                        raise Unavailable(f"the single sign-on at {host} answers too much, or too slowly")
                said = httpx.Response(answer.status_code, content=bytes(body))
        found = said.json() if said.is_success else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
        raise Unavailable(f"the single sign-on at {host} does not answer: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise Unavailable(f"the single sign-on at {host} answers HTTP {said.status_code}, not its keys")
    return found


def _address(configuration: Mapping[str, Any], issuer: str) -> str:
    """Return the address of the keys, which nobody on the way can change.

    :raises Unavailable: when it is none.
    """
    if configuration.get("issuer") != issuer:
        raise Unavailable(f"the single sign-on at {issuer} says that it is another; correct `issuer` in org.yaml")
    address = configuration.get("jwks_uri")
    parts = urlsplit(address) if isinstance(address, str) else urlsplit("")
    same = (parts.scheme, parts.hostname) == (urlsplit(issuer).scheme, urlsplit(issuer).hostname)
    if not parts.hostname or (parts.scheme != "https" and not same):
        raise Unavailable(f"the single sign-on at {issuer} keeps its keys at an address that is not https://")
    return str(address)


def _usable(found: Mapping[str, Any]) -> dict[str, PyJWK]:
    """Return the keys that verify signatures, by id."""
    keys = found.get("keys")
    usable: dict[str, PyJWK] = {}
    for index, each in enumerate(keys if isinstance(keys, list) else []):
        if not isinstance(each, dict) or str(each.get("kty")) not in _BY_TYPE or each.get("use", "sig") != "sig":
            continue
        try:
            usable[str(each.get("kid", index))] = PyJWK(each)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue  # one key that we cannot read must not keep the others out
    return usable


def _instant(claims: Mapping[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Refused(f"{name} is no time")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Refused(f"{name} is no time") from error


def _why(error: Exception) -> str:
    known = {
        jwt.InvalidSignatureError: "signature",
        jwt.InvalidAudienceError: "audience",
        jwt.InvalidIssuerError: "issuer",
        jwt.MissingRequiredClaimError: "a claim is missing",
    }
    return next((said for kind, said in known.items() if isinstance(error, kind)), "malformed")
