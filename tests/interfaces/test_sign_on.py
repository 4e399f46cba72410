"""Single sign-on against a real issuer with real keys: who comes in, and every forgery that does not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from interfaces.inside import CARDS, START, Inside, inside
from interfaces.issuer import Issuer, new_key

from governance.api.sign_on import FRESH, LEEWAY, SOONEST, SingleSignOn
from governance.core.organisation import Oidc, Organisation
from governance.engine.keyring import BAD

NOW = START.timestamp()


@pytest.fixture(scope="module")
def keys() -> dict[str, Any]:
    return {"one": new_key("RS256")}


@pytest.fixture
def issuer(keys: dict[str, Any]) -> Iterator[Issuer]:
    made = Issuer()
    made.keys = dict(keys)
    yield made
    made.close()


@pytest.fixture
def api(tmp_path: Path, issuer: Issuer) -> Inside:
    return build(tmp_path, issuer)


def build(tmp_path: Path, issuer: Issuer, claim: str = "email") -> Inside:
    identity = f"identity: {{oidc: {{issuer: '{issuer.url}', audience: gov, claim: {claim}}}}}\n"
    org = CARDS["org.yaml"].replace("vic: {}", "vic: {subject: '00u1'}") + identity
    ticks = [0.0]
    oidc = Oidc.model_validate({"issuer": issuer.url, "audience": "gov", "claim": claim})
    people = {"ana": {"email": "ana@example.com"}, "bob": {"email": "bob@example.com"}, "vic": {"subject": "00u1"}}
    sign_on = SingleSignOn(oidc, lambda: Organisation.model_validate({"people": people}), lambda: ticks[0])
    return inside(tmp_path / "own", {**CARDS, "org.yaml": org}, sign_on=sign_on, ticks=ticks)


def claims(issuer: Issuer, **changes: Any) -> dict[str, Any]:
    made = {"iss": issuer.url, "aud": "gov", "exp": NOW + 600, "iat": NOW, "email": "ana@example.com", "sub": "1"}
    return {name: value for name, value in {**made, **changes}.items() if value is not None}


def refused(api: Inside, token: str, why: str) -> None:
    before = api.log("login.refused")
    answer = api.as_(token, "GET", "/v1/whoami")
    assert (answer.status_code, answer.json()["detail"]) == (401, BAD)
    api.clock.on(minutes=2)
    api.service.doors.refusals.flush(api.clock.now())
    new = api.log("login.refused")[len(before) :]
    assert [each["reasons"] for each in new] == [{why: 1}]
    assert token not in json.dumps(new, default=str)


def test_a_token_of_the_issuer_says_who_acts(api: Inside, issuer: Issuer) -> None:
    token = issuer.token(claims(issuer, email="Ana@Example.com"))
    who = api.as_(token, "GET", "/v1/whoami").json()
    assert (who["actor"], who["kind"], who["scopes"]) == ("ana", "person", ["act", "read"])
    assert who["expires_at"] == "2026-01-31T12:10:00Z"
    assert api.client.get("/v1/whoami").status_code == 401  # without one nobody comes in
    for _ in range(5):
        api.as_(token, "GET", "/v1/whoami")
    assert len(issuer.asked) == 2  # its configuration and its keys, once


def test_the_subject_names_a_person_where_the_organisation_wants_it(tmp_path: Path, issuer: Issuer) -> None:
    api = build(tmp_path, issuer, "sub")
    assert api.as_(issuer.token(claims(issuer, sub="00u1")), "GET", "/v1/whoami").json()["actor"] == "vic"
    assert api.as_(issuer.token(claims(issuer, sub="vic")), "GET", "/v1/whoami").status_code == 403


def test_somebody_whom_the_organisation_does_not_know(api: Inside, issuer: Issuer) -> None:
    answer = api.as_(issuer.token(claims(issuer, email="eve@example.com")), "GET", "/v1/whoami")
    assert answer.status_code == 403
    assert answer.json()["detail"].startswith(
        "your single sign-on says that you are eve@example.com, and org.yaml names"
    )
    assert [each["reasons"] for each in api.log("login.refused")] == [{"nobody of org.yaml": 1}]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"aud": "other"}, "audience"),
        ({"aud": None}, "a claim is missing"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": None}, "a claim is missing"),
        ({"exp": NOW - LEEWAY.total_seconds()}, "expired"),
        ({"exp": None}, "a claim is missing"),
        ({"exp": 10**20}, "exp is no time"),
        ({"nbf": NOW + 61}, "not yet valid"),
        ({"iat": NOW + 3600}, "not yet valid"),
        ({"email": None}, "no claim email"),
        ({"email": ["ana@example.com"]}, "no claim email"),
        ({"email_verified": False}, "e-mail not verified"),
    ],
    ids=str,
)
def test_claims_that_do_not_hold(api: Inside, issuer: Issuer, changes: dict[str, Any], why: str) -> None:
    refused(api, issuer.token(claims(issuer, **changes)), why)


def test_clocks_may_differ_a_little(api: Inside, issuer: Issuer) -> None:
    for changes in ({"exp": NOW - 59}, {"nbf": NOW + 59}, {"iat": NOW + 59}):
        assert api.as_(issuer.token(claims(issuer, **changes)), "GET", "/v1/whoami").status_code == 200


def test_a_token_without_signature(api: Inside, issuer: Issuer) -> None:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    for name in ("none", "None", "NONE", "", None):
        refused(api, f"{part({'alg': name, 'kid': 'one'})}.{part(claims(issuer))}.", "algorithm")


def test_the_public_key_taken_for_a_shared_secret(api: Inside, issuer: Issuer) -> None:
    import hashlib
    import hmac

    public = (
        issuer.keys["one"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "one"}).encode()).rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(claims(issuer)).encode()).rstrip(b"=")
    signature = hmac.digest(public, head + b"." + body, hashlib.sha256)
    forged = b".".join([head, body, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()
    refused(api, forged, "algorithm")


def test_another_key_under_the_same_id(api: Inside, issuer: Issuer) -> None:
    refused(api, issuer.token(claims(issuer), kid="one", key=new_key("RS256")), "signature")


def test_another_kind_of_key_under_the_same_id(api: Inside, issuer: Issuer) -> None:
    refused(api, issuer.token(claims(issuer), kid="one", key=new_key("ES256"), algorithm="ES256"), "algorithm")


def test_a_changed_claim(api: Inside, issuer: Issuer) -> None:
    head, body, signature = issuer.token(claims(issuer)).split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "==")) | {"email": "bob@example.com"}
    other = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    refused(api, f"{head}.{other}.{signature}", "signature")


def test_shared_secrets_among_the_keys_are_not_used(api: Inside, issuer: Issuer) -> None:
    issuer.says["/keys"] = {
        "keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}, "nonsense", {"kty": "RSA", "kid": "bad"}]
    }
    refused(api, issuer.token(claims(issuer), kid="shared", key=b"secret" * 8, algorithm="HS256"), "algorithm")
    refused(api, issuer.token(claims(issuer)), "unknown key")


def test_keys_rotate(api: Inside, issuer: Issuer) -> None:
    old = issuer.token(claims(issuer))
    assert api.as_(old, "GET", "/v1/whoami").status_code == 200
    issuer.rotate("two", "ES256")
    new = issuer.token(claims(issuer), algorithm="ES256")
    assert api.as_(new, "GET", "/v1/whoami").status_code == 401  # not asked again so soon
    api.later(SOONEST)
    assert api.as_(new, "GET", "/v1/whoami").json()["actor"] == "ana"
    assert api.as_(old, "GET", "/v1/whoami").status_code == 401


def test_forged_key_ids_do_not_flood_the_issuer(api: Inside, issuer: Issuer) -> None:
    for number in range(10):
        api.as_(issuer.token(claims(issuer), kid=f"forged-{number}", key=issuer.keys["one"]), "GET", "/v1/whoami")
    assert len(issuer.asked) == 2


def test_the_issuer_away(api: Inside, issuer: Issuer) -> None:
    token = issuer.token(claims(issuer))
    assert api.as_(token, "GET", "/v1/whoami").status_code == 200
    issuer.close()
    api.later(FRESH + 1)
    assert api.as_(token, "GET", "/v1/whoami").status_code == 200  # the keys of before count


def test_the_issuer_away_from_the_start(tmp_path: Path, issuer: Issuer) -> None:
    token = issuer.token(claims(issuer))
    api = build(tmp_path, issuer)
    issuer.close()
    answer = api.as_(token, "GET", "/v1/whoami")
    assert answer.status_code == 503
    assert "does not answer" in answer.json()["detail"]


@pytest.mark.parametrize(
    "says",
    [
        {"/.well-known/openid-configuration": "http://127.0.0.1:1/elsewhere"},
        {"/.well-known/openid-configuration": {"issuer": "https://evil.example", "jwks_uri": "https://evil.example/k"}},
        {"/.well-known/openid-configuration": []},
        {"/keys": "http://127.0.0.1:1/elsewhere"},
        {"/keys": ["x" * 2**18]},
    ],
    ids=lambda each: str(each)[:60],
)
def test_an_issuer_that_sends_us_elsewhere_or_says_something_else(
    tmp_path: Path, issuer: Issuer, says: dict[str, Any]
) -> None:
    issuer.says = says
    answer = build(tmp_path, issuer).as_(issuer.token(claims(issuer)), "GET", "/v1/whoami")
    assert answer.status_code == 503, answer.text
    assert "the single sign-on at" in answer.json()["detail"]


def test_keys_at_an_address_that_is_not_safe(tmp_path: Path, issuer: Issuer) -> None:
    issuer.says["/.well-known/openid-configuration"] = {"issuer": issuer.url, "jwks_uri": "http://10.0.0.1/keys"}
    answer = build(tmp_path, issuer).as_(issuer.token(claims(issuer)), "GET", "/v1/whoami")
    assert "not https://" in answer.json()["detail"]


def test_our_own_tokens_come_in_beside_it(api: Inside) -> None:
    assert api.as_(api.token("bob"), "GET", "/v1/whoami").json()["actor"] == "bob"


@pytest.mark.parametrize(
    "issuer_", ["http://idp.example", "idp.example", "https://u:p@idp.example", "https://idp.example?x=1"]
)
def test_issuers_that_are_not_taken(issuer_: str) -> None:
    with pytest.raises(ValueError, match="must"):
        Oidc(issuer=issuer_, audience="gov")


def test_the_time_of_a_token_is_judged_by_the_engines_clock(api: Inside, issuer: Issuer) -> None:
    token = issuer.token(claims(issuer))
    api.clock.time = datetime.now(UTC) + timedelta(days=1)
    assert api.as_(token, "GET", "/v1/whoami").status_code == 401
