"""Link a Slack account with a person: a code shown in Slack is confirmed by the person with their own token.

The code alone gives nothing away: who confirms it lends their own rights to the account that it was shown to, which
they are told before.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.sealing import sealed
from governance.errors import Conflict, Denied, NotFound
from governance.slack.turn import Origin
from governance.store import decision_log, slack_links
from governance.store.slack_links import Code, Link

HOLDS = timedelta(minutes=10)
"""How long a code holds: long enough to walk to a terminal, too short to be of use in an old screenshot."""
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
_LENGTH = 8
_WHOLE = frozenset({"read", "act"})


Wanted = list[str] | str | None
"""What waits for a link: a click (the action and its value), or a command."""


def offer(
    engine: Engine, origin: Origin, wanted: Wanted, at: datetime, choose: Callable[[str], str] = secrets.choice
) -> str:
    """Return a new code for a Slack account, which takes the place of its earlier one; it is nowhere kept."""
    letters = "".join(choose(_LETTERS) for _ in range(_LENGTH))
    code = f"{letters[:4]}-{letters[4:]}"
    with engine.database.transaction() as connection:
        click = json.dumps({"origin": asdict(replace(origin, trigger="")), "wanted": wanted})
        slack_links.offer(connection, _digest(code), Code(origin.user, origin.name, at + HOLDS, click))
    return code


def waiting(code: Code) -> tuple[Origin, Wanted]:
    """Return what waits for a link, and where it was wanted."""
    kept = json.loads(code.click)
    return Origin(**kept["origin"]), kept["wanted"]


def asked(engine: Engine, code: str, at: datetime) -> Code:
    """Return which Slack account a code was shown to.

    :raises NotFound: when it is not known, or was used.
    :raises Conflict: when it has run out.
    """
    with engine.database.read() as connection:
        found = slack_links.offered(connection, _digest(code))
    return _holding(found, at)


def confirm(engine: Engine, code: str, *, actor: Actor, at: datetime) -> tuple[Link, Code, int]:
    """Link the account that a code was shown to with whoever confirms it; return the number of the entry too.

    :raises NotFound: when the code is not known, or was used.
    :raises Conflict: when it has run out, or org.yaml says whose account it is.
    :raises Denied: when a service confirms it, or with a token that gives less than the account would have.
    """
    _require_whole(engine, actor)
    digest = _digest(code)
    with engine.database.transaction() as connection:
        found = _holding(slack_links.offered(connection, digest), at)
        slack_links.use(connection, digest)
        link = Link(found.user, actor.id, found.name, at)
        slack_links.save(connection, link)
        decision = _entry(link, "slack.linked", actor, at)
        decision_log.append(connection, [decision])
    return link, found, sealed(engine, decision.id, at)


def remove(engine: Engine, user: str, *, actor: Actor, at: datetime) -> tuple[Link, int]:
    """End the link of one's own account; an administrator may end any. Return what it was, and the entry's number.

    :raises NotFound: when it is not linked.
    :raises Denied: when it is somebody else's and the actor may not.
    """
    with engine.database.transaction() as connection:
        link = slack_links.of(connection, user)
        if link is None:
            raise NotFound(f"the Slack account {user} is not linked; see gov slack links")
        if link.person != actor.id or actor.kind == "service":
            permit(engine, actor, "token.administer")
        slack_links.remove(connection, user)
        decision = _entry(link, "slack.unlinked", actor, at)
        decision_log.append(connection, [decision])
    return link, sealed(engine, decision.id, at)


def listed(engine: Engine) -> list[Link]:
    """Return every link that people made themselves."""
    with engine.database.read() as connection:
        return slack_links.all_of(connection)


def _require_whole(engine: Engine, actor: Actor) -> None:
    """Refuse who is no person of the organisation, and tokens that give less than the account would have."""
    people = engine.organisation.people
    if actor.kind == "service" or (people and actor.id not in people):
        raise Denied(f"'{actor}' is nobody of org.yaml: people link their accounts, with tokens of their own")
    if actor.models or not actor.scopes >= _WHOLE:
        raise Denied(
            "this token is for some models or acts only, and a linked account would have all rights of its person; "
            "use one of all models with the scopes read and act (gov token create --for YOU)"
        )


def _holding(code: Code, at: datetime) -> Code:
    if at >= code.until:
        raise Conflict(f"this code ran out at {code.until:%H:%M} UTC; ask for a new one in Slack")
    return code


def _digest(code: str) -> bytes:
    """Return what is kept of a code; small letters and a missing hyphen are forgiven."""
    bare = "".join(each for each in code.upper() if each in _LETTERS)
    return hashlib.sha256(f"slack-link:{bare}".encode()).digest()


def _entry(link: Link, kind: str, actor: Actor, at: datetime) -> Decision:
    body = {"person": link.person, "name": link.name, **entries.channel(actor)}
    return Decision(
        at, kind, actor.id, {"slack": link.user}, body, entries.identity(kind, link.user, link.person, at.isoformat())
    )
