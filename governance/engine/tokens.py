"""API tokens: made for people and services, shown once, known by their hash, ended when they expire or are revoked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from governance.core.authority import SCOPES, Actor, Scope
from governance.core.decision import Decision
from governance.core.suggestion import closest
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.errors import Conflict, InvalidDocument, NotFound
from governance.store import decision_log, tokens
from governance.store.tokens import Token

LIFETIME = timedelta(days=90)
LONGEST = timedelta(days=366)
PERSON: tuple[Scope, ...] = ("read", "act")
SERVICE: tuple[Scope, ...] = ("switches",)
_PEOPLE: frozenset[Scope] = frozenset(SCOPES)
_SERVICES: frozenset[Scope] = frozenset({"read", "push", "switches"})
_SECRET = re.compile(r"gov_([a-z2-7]{8})_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


def create(
    engine: Engine,
    for_: str,
    *,
    kind: str = "person",
    scopes: Sequence[str] = (),
    models: Sequence[str] = (),
    expires: timedelta = LIFETIME,
    actor: Actor | str,
    at: datetime,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> tuple[Token, str]:
    """Make a token and return it with its secret, which is nowhere kept: `random` gives so many bytes of it.

    :raises NotFound: when the organisation has no such person, or no such model.
    :raises InvalidDocument: when it would never hold, or gives what its kind cannot have.
    :raises Denied: when the actor may not.
    """
    if str(actor) != for_ or kind != "person":  # everybody may make a token of their own
        permit(engine, actor, "token.administer")
    wanted = _checked(engine, for_, kind, scopes, models, expires)
    token_id = base64.b32encode(random(5)).decode().lower()
    secret = f"gov_{token_id}_{base64.urlsafe_b64encode(random(32)).decode().rstrip('=')}"
    made = Token(
        token_id,
        for_,
        "service" if kind == "service" else "person",
        wanted,
        tuple(models),
        at,
        str(actor),
        at + expires,
    )
    with engine.database.transaction() as connection:
        if token_id in tokens.all_of(connection):
            raise Conflict(f"there is a token {token_id} already; try again")
        tokens.add(connection, made, digest(secret))
        decision_log.append(connection, [_entry(made, "token.created", actor, at)])
    decision_log.seal(engine.database, at)
    return made, secret


def revoke(engine: Engine, token_id: str, *, actor: Actor | str, at: datetime) -> Token:
    """End a token now; it stays in the list.

    :raises NotFound: when there is none of that id.
    :raises Conflict: when it was revoked before.
    :raises Denied: when it is somebody else's and the actor may not.
    """
    with engine.database.transaction() as connection:
        before = tokens.get(connection, token_id)
        if before.kind != "person" or before.for_ != str(actor):
            permit(engine, actor, "token.administer")
        if before.revoked_at is not None:
            raise Conflict(f"the token {token_id} was revoked by {before.revoked_by} at {before.revoked_at:%Y-%m-%d}")
        after = replace(before, revoked_at=at, revoked_by=str(actor))
        tokens.save(connection, after)
        decision_log.append(connection, [_entry(after, "token.revoked", actor, at)])
    decision_log.seal(engine.database, at)
    return after


def listed(engine: Engine) -> list[Token]:
    """Return every token there ever was, the newest first."""
    with engine.database.read() as connection:
        found = tokens.all_of(connection)
    return sorted((token for token, _ in found.values()), key=lambda each: each.created_at, reverse=True)


def digest(secret: str) -> bytes:
    """Return what is kept of a secret; it has 256 random bits, so that a slow hash would protect nothing more."""
    return hashlib.sha256(secret.encode("utf-8", "backslashreplace")).digest()


def token_id_of(secret: str) -> str:
    """Return the public id in a secret, "" when it is none of ours."""
    found = _SECRET.fullmatch(secret)
    return found[1] if found else ""


def same(secret: str, kept: bytes) -> bool:
    """Tell whether a secret has this hash, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(digest(secret), kept)


def actor_of(token: Token) -> Actor:
    """Return who acts with a token."""
    return Actor(token.for_, token.kind, frozenset(token.scopes), token.models)


def _checked(
    engine: Engine, for_: str, kind: str, scopes: Sequence[str], models: Sequence[str], expires: timedelta
) -> tuple[Scope, ...]:
    people = engine.organisation.people
    if kind not in ("person", "service"):
        raise InvalidDocument(f"a token is for a person or a service, not for a '{kind}'")
    if kind == "person" and people and for_ not in people:
        raise NotFound(f"org.yaml names no person '{for_}'; {closest(for_, people) or 'known: ' + ', '.join(people)}")
    if kind == "service" and (not _NAME.fullmatch(for_) or for_ in people):
        raise InvalidDocument(
            f"'{for_}' is no name for a service: small letters, digits, . _ and -; and no person's id"
        )
    for model in models:
        if model not in engine.plan.by_model:
            raise NotFound(f"no card declares the model '{model}'; {closest(model, engine.plan.by_model)}".rstrip("; "))
    if not timedelta(0) < expires <= LONGEST:
        raise InvalidDocument(f"a token holds for at most {LONGEST.days} days; make a new one in time")
    may = _PEOPLE if kind == "person" else _SERVICES
    wanted = tuple(dict.fromkeys(scopes)) or (PERSON if kind == "person" else SERVICE)
    for scope in wanted:
        if scope not in may:
            raise InvalidDocument(f"a {kind} cannot have the scope '{scope}'; there are: {', '.join(sorted(may))}")
    return tuple(scope for scope in SCOPES if scope in wanted)


def _entry(token: Token, kind: str, actor: Actor | str, at: datetime) -> Decision:
    body = {
        "for": token.for_,
        "kind": token.kind,
        "scopes": list(token.scopes),
        "models": list(token.models),
        "expires_at": token.expires_at,
        **entries.channel(actor),
    }
    return Decision(at, kind, str(actor), {"token": token.id}, body, entries.identity(kind, token.id, at.isoformat()))
