"""Tokens: who comes in with which, who does not, and what of it is written down."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from interfaces.inside import CARDS, Inside, inside
from interfaces.serving import ask, prepared

from governance.engine import tokens
from governance.engine.refusals import WINDOW
from governance.errors import Conflict, Denied, GovernanceError, InvalidDocument, NotFound

BAD = "this token does not hold: it is unknown, revoked or expired; make one with gov token create"
ROUTES = [
    "/v1/whoami",
    "/v1/fleet",
    "/v1/incidents",
    "/v1/alerts",
    "/v1/log",
    "/v1/log/0",
    "/v1/events",
    "/metrics",
    "/v1/openapi.json",
    "/nothing",
]


@pytest.fixture
def api(tmp_path: Path) -> Inside:
    return inside(tmp_path / "own")


def test_without_tokens_who_runs_the_engine_comes_in(api: Inside) -> None:
    who = api.client.get("/v1/whoami").json()
    assert (who["actor"], who["kind"], who["read_only"]) == ("login", "local", False)
    assert api.client.get("/v1/fleet").status_code == 200
    assert api.client.get("/metrics").status_code == 200


@pytest.mark.parametrize("path", ROUTES)
def test_once_there_is_a_token_every_route_needs_one(api: Inside, path: str) -> None:
    api.token("ana")
    answer = api.client.get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert "gov token create" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_none(api: Inside, path: str) -> None:
    api.token("ana")
    assert api.client.get(path).status_code in (200, 503)


@pytest.mark.parametrize(
    "path", ["/healthz/../v1/fleet", "//v1/fleet", "/healthz%2f..%2fv1/fleet", "/v1/fleet/", "/V1/fleet"]
)
def test_no_trick_with_a_path_comes_in(api: Inside, path: str) -> None:
    api.token("ana")
    assert api.client.get(path).status_code == 401


def test_a_token_says_who_acts(api: Inside) -> None:
    secret = api.token("ana")
    who = api.as_(secret, "GET", "/v1/whoami").json()
    assert (who["actor"], who["kind"], who["scopes"], who["environment"]) == (
        "ana",
        "person",
        ["act", "read"],
        "production",
    )
    assert who["expires_at"] == "2026-05-01T12:00:00Z"


def test_a_revoked_token_is_refused_within_a_second_also_where_another_process_revoked_it(api: Inside) -> None:
    secret, other = api.token("ana"), api.token("bob")
    token = tokens.token_id_of(secret)
    assert api.as_(secret, "GET", "/v1/fleet").status_code == 200
    tokens.revoke(api.engine, token, actor="ana", at=api.clock.now())
    assert api.as_(secret, "GET", "/v1/fleet").status_code == 200  # what was read last counts for a second
    api.later(1.1)
    answer = api.as_(secret, "GET", "/v1/fleet")
    assert (answer.status_code, answer.json()["detail"]) == (401, BAD)
    assert api.as_(other, "GET", "/v1/fleet").status_code == 200
    with pytest.raises(Conflict, match="was revoked by ana"):
        tokens.revoke(api.engine, token, actor="ana", at=api.clock.now())


def test_an_expired_token_is_refused_at_that_instant(api: Inside) -> None:
    secret = api.token("ana", expires=timedelta(hours=1))
    api.clock.on(minutes=59, seconds=59)
    assert api.as_(secret, "GET", "/v1/fleet").status_code == 200
    api.clock.on(seconds=1)
    answer = api.as_(secret, "GET", "/v1/fleet")
    assert (answer.status_code, answer.json()["detail"]) == (401, BAD)
    assert api.client.get("/v1/fleet").status_code == 401  # the door does not open again


def test_what_is_refused_says_nothing_of_what_was_right(api: Inside) -> None:
    secret = api.token("ana")
    wrong = [
        secret[:-1] + ("A" if secret[-1] != "A" else "B"),
        "gov_aaaaaaaa_" + "A" * 43,
        "gov_",
        "x.y.z",
        secret + "=",
        secret.upper(),
    ]
    answers = [api.as_(each, "GET", "/v1/fleet") for each in wrong]
    assert {each.status_code for each in answers} == {401}
    assert {each.json()["detail"] for each in answers} == {BAD}


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "gov_x", "Bearer a b", "Bearer " + "x" * 20_000, "Bearer \xe9"]
)
def test_a_header_of_another_shape_is_refused(api: Inside, header: str) -> None:
    api.token("ana")
    answer = api.client.get("/v1/fleet", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


def test_two_headers_are_none(api: Inside) -> None:
    secret = api.token("ana")
    both = [("Authorization", f"Bearer {secret}"), ("Authorization", "Bearer gov_other")]
    assert api.client.get("/v1/fleet", headers=both).status_code == 401


def test_refused_logins_are_entries_without_the_secret_and_no_flood(
    api: Inside, caplog: pytest.LogCaptureFixture
) -> None:
    secret = api.token("ana")
    guess = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    with caplog.at_level(logging.DEBUG):
        codes = [api.as_(guess, "GET", "/v1/fleet").status_code for _ in range(200)]
    assert codes[0] == 401
    assert codes[-1] == 429
    assert api.as_(secret, "GET", "/v1/fleet").status_code == 200  # who has a token is not kept out
    assert [each["count"] for each in api.log("login.refused")] == [1]
    api.clock.time += WINDOW
    api.service.doors.refusals.flush(api.clock.now())
    first, rest = api.log("login.refused")
    assert rest["count"] == 199
    assert rest["reasons"] == {"wrong secret": 199}
    assert rest["addresses"] == {"127.0.0.1": 199}
    assert rest["tokens"] == {tokens.token_id_of(secret): 199}
    assert guess not in str(first) + str(rest) + caplog.text
    assert guess[13:] not in str(first) + str(rest) + caplog.text


def test_the_clients_of_switches_are_never_told_to_slow_down(api: Inside) -> None:
    api.token("ana")
    answers = {api.as_("gov_bad", "POST", "/ofrep/v1/evaluate/flags").status_code for _ in range(100)}
    assert answers == {401}


def test_without_a_token_nothing_is_written_down(api: Inside) -> None:
    api.token("ana")
    for _ in range(3):
        api.client.get("/v1/fleet")
    assert api.log("login.refused") == []


def test_the_secret_is_nowhere_kept(api: Inside, tmp_path: Path) -> None:
    secret = api.token("ana")
    api.engine.database.close()
    kept = b"".join(each.read_bytes() for each in (tmp_path / "own").rglob("*") if each.is_file())
    assert secret.encode() not in kept
    assert secret[13:].encode() not in kept
    assert tokens.token_id_of(secret).encode() in kept
    assert tokens.digest(secret) in kept
    (entry,) = api.log("token.created")
    assert entry["for"] == "ana"


def test_the_random_source_decides_the_secret(api: Inside) -> None:
    first = tokens.create(api.engine, "ana", actor="ana", at=api.clock.now(), random=lambda count: b"\1" * count)
    assert first[1] == "gov_aeaqcaib_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
    with pytest.raises(Conflict):
        tokens.create(api.engine, "ana", actor="ana", at=api.clock.now(), random=lambda count: b"\1" * count)


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        ({"for_": "anna", "actor": "anna"}, NotFound, "did you mean 'ana'"),
        ({"for_": "bob", "actor": "ana"}, Denied, "may not administer tokens"),
        ({"for_": "pipe", "actor": "ana", "kind": "service"}, Denied, "may not administer tokens"),
        ({"for_": "ana", "actor": "ana", "expires": timedelta(days=4000)}, InvalidDocument, "at most 366 days"),
        ({"for_": "ana", "actor": "ana", "expires": timedelta(0)}, InvalidDocument, "at most 366 days"),
        ({"for_": "ana", "actor": "ana", "scopes": ["root"]}, InvalidDocument, "cannot have the scope 'root'"),
        ({"for_": "ana", "actor": "ana", "models": ["loan"]}, NotFound, "did you mean 'loans'"),
        ({"for_": "ana", "actor": "ana", "kind": "robot"}, Denied, "may not administer tokens"),
    ],
)
def test_tokens_that_are_not_made(
    api: Inside, wanted: dict[str, object], error: type[GovernanceError], said: str
) -> None:
    with pytest.raises(error, match=said):
        tokens.create(api.engine, at=api.clock.now(), **wanted)  # type: ignore[arg-type]
    assert tokens.listed(api.engine) == []


def test_other_peoples_tokens_are_revoked_by_admins_only(api: Inside) -> None:
    token = tokens.token_id_of(api.token("ana"))
    with pytest.raises(Denied, match="may not administer tokens"):
        tokens.revoke(api.engine, token, actor="bob", at=api.clock.now())
    assert api.log("token.revoked") == []


def test_the_database_away_known_tokens_still_come_in(api: Inside, tmp_path: Path) -> None:
    secret = api.token("ana")
    assert api.as_(secret, "GET", "/v1/whoami").status_code == 200
    api.engine.database.close()
    for each in (tmp_path / "own" / ".gov").glob("governance.db*"):
        each.rename(each.with_suffix(each.suffix + ".away"))
    (tmp_path / "own" / ".gov" / "governance.db").mkdir()
    api.later()
    assert api.as_(secret, "GET", "/v1/whoami").status_code == 200
    assert api.as_("gov_aaaaaaaa_" + "A" * 43, "GET", "/v1/whoami").status_code == 401
    assert api.as_(secret, "GET", "/v1/fleet").status_code == 503


def test_the_commands(tmp_path: Path) -> None:
    home = prepared(tmp_path / "own")
    assert "make one: gov token create --for WHO" in ask(home, "token", "list").stdout
    made = ask(home, "token", "create", "--for", "ana", "--as", "ana", "--expires", "30d")
    assert made.returncode == 0, made.stderr
    secret = made.stdout.splitlines()[0]
    token = tokens.token_id_of(secret)
    assert token
    assert f"token {token} for ana (read, act), until " in made.stdout
    listed = ask(home, "token", "list").stdout
    assert token in listed
    assert "holds" in listed
    assert secret not in listed
    done = ask(home, "token", "revoke", token, "--as", "ana")
    assert done.stdout == f"token {token} of ana is revoked\n"
    assert "revoked by ana" in ask(home, "token", "list").stdout
    again = ask(home, "token", "revoke", token, "--as", "ana")
    assert again.returncode == 3
    assert "there is no token nope" in ask(home, "token", "revoke", "nope", "--as", "ana").stderr
    tail = ask(home, "audit", "tail").stdout
    assert "token.created" in tail
    assert "token.revoked" in tail
    assert secret not in tail


def service_token(directory: Path, *scopes: str, models: tuple[str, ...] = ()) -> tuple[Inside, str]:
    """Return an engine with an admin, and the token that she made for a service."""
    org = CARDS["org.yaml"].replace("roles:\n", "roles:\n  - {role: admin, who: [ana]}\n")
    made = inside(directory / "own", {**CARDS, "org.yaml": org})
    return made, made.token("checkout", kind="service", actor="ana", scopes=list(scopes), models=list(models))


def test_a_serving_process_reads_switches_with_its_scope_and_nothing_else(tmp_path: Path) -> None:
    api, secret = service_token(tmp_path, "switches")
    bulk = api.as_(secret, "POST", "/ofrep/v1/evaluate/flags", json={"context": {}})
    assert bulk.status_code == 200
    assert {each["key"] for each in bulk.json()["flags"]} >= {"loans.serve", "fraud.serve"}
    confirmed = {"instance": "pod-1", "seq": 0, "models": ["loans"]}
    assert api.as_(secret, "POST", "/v1/confirmations", json=confirmed).json() == {"seq": 0}
    ana = api.token("ana")
    assert api.as_(ana, "GET", "/v1/switches/loans").json()["confirmations"]["total"] == 1
    for path in ("/v1/fleet", "/v1/switches/loans", "/v1/log"):
        answer = api.as_(secret, "GET", path)
        assert answer.status_code == 403
        assert "scope read, this one has switches" in answer.json()["detail"]
    pulled = api.as_(secret, "POST", "/v1/switches/loans/pull", json={"mode": "fallback", "because": "x"})
    assert pulled.status_code == 403
    refused = api.as_(ana, "POST", "/ofrep/v1/evaluate/flags", json={"context": {}})
    assert refused.status_code == 403
    assert "scope switches" in refused.json()["detail"]
    assert api.as_(ana, "POST", "/v1/confirmations", json=confirmed).status_code == 403
    assert api.client.post("/ofrep/v1/evaluate/flags", json={"context": {}}).status_code == 401


def test_a_serving_process_reads_the_switches_of_its_models_alone(tmp_path: Path) -> None:
    api, secret = service_token(tmp_path, "switches", models=("loans",))
    bulk = api.as_(secret, "POST", "/ofrep/v1/evaluate/flags", json={"context": {}}).json()
    assert {each["key"].split(".")[0] for each in bulk["flags"]} == {"loans"}
    assert api.as_(secret, "POST", "/ofrep/v1/evaluate/flags/fraud.serve", json={"context": {}}).status_code == 404
    confirmed = {"instance": "pod-1", "seq": 0, "models": ["fraud"]}
    assert api.as_(secret, "POST", "/v1/confirmations", json=confirmed).status_code == 403


def test_a_pull_is_on_the_board_before_it_is_answered(tmp_path: Path) -> None:
    api, secret = service_token(tmp_path, "switches")
    bob = api.token("bob")
    assert api.as_(bob, "POST", "/v1/switches/loans/pull", json={"mode": "fallback", "because": "x"}).status_code == 200
    answer = api.as_(secret, "POST", "/ofrep/v1/evaluate/flags/loans.serve", json={"context": {}}).json()
    assert answer["value"] is False


def test_a_pipeline_pushes_for_its_models_alone(tmp_path: Path) -> None:
    api, secret = service_token(tmp_path, "push", models=("loans",))
    one = {"metric": "error_rate", "time": "2026-01-31T12:00:00Z", "value": 0.1}
    for model, status in (("loans", 200), ("fraud", 403)):
        body = {"source": "pushed", "samples": [{"model": model, **one}]}
        answer = api.as_(secret, "POST", "/v1/samples", json=body, headers={"Idempotency-Key": model})
        assert answer.status_code == status, answer.text


def test_serving_processes_come_in_while_the_database_is_away(tmp_path: Path) -> None:
    api, secret = service_token(tmp_path, "switches")
    assert api.as_(secret, "POST", "/ofrep/v1/evaluate/flags", json={"context": {}}).status_code == 200
    api.engine.database.close()
    for each in (tmp_path / "own" / ".gov").glob("governance.db*"):
        each.rename(each.with_suffix(each.suffix + ".away"))
    (tmp_path / "own" / ".gov" / "governance.db").mkdir()
    api.later(100)
    assert api.as_(secret, "POST", "/ofrep/v1/evaluate/flags", json={"context": {}}).status_code == 200
