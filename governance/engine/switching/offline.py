"""Pull while the engine is away, and enter it in the log when the engine is back."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from governance.core.authority import Actor
from governance.core.decision import Decision, timestamp
from governance.core.offline_override import SHORTEST_KEY, Override, read, written
from governance.core.switch import Mode, Scope, Setting, entered
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.switching.change import Act, check_confirmed, check_reason, described, subject, write
from governance.engine.switching.pulling import check_mode
from governance.errors import Denied
from governance.settings import secret
from governance.store import decision_log, overrides, switches

KEY = "GOV_OVERRIDE_KEY"


def offline_pull(
    home: Path,
    model: str,
    mode: Mode,
    scope: Scope,
    *,
    share: float,
    because: str,
    actor: str,
    confirmed: str,
    at: datetime,
    fallback: str = "",
) -> Path:
    """Write the signed file of a pull, which serving processes that read it obey at once; return where it is.

    It needs neither the engine nor its database nor the policies: who has the key may.

    :raises Denied: when there is no key to sign it with, or a stop was not confirmed.
    :raises InvalidDocument: for a mode, a share or a reason that cannot be.
    :raises Unavailable: when it cannot be written.
    """
    key = secret(KEY)
    if len(key) < SHORTEST_KEY:
        what = f"is shorter than {SHORTEST_KEY} characters" if key else "is not set"
        raise Denied(
            f"{KEY} {what}: it signs what serving processes obey without the engine. Take it from where your "
            "organisation keeps it; a new one, for the engine and its clients too, is made by "
            "python -c 'import secrets; print(secrets.token_hex(32))'"
        )
    check_mode(mode, share)
    check_reason(because)
    if mode == "stopped":
        check_confirmed(model, confirmed, f"stopping {model}")
    said = share if mode == "throttle" else 1.0
    override = Override(_id(at), model, mode, said, scope, because, actor, at, fallback)
    return overrides.write(home, override.id, written(override, key))


def _id(at: datetime) -> str:
    """Return when it was written, and something that nobody else chooses."""
    return f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def adopt_offline(engine: Engine, at: datetime) -> int:
    """Enter the pulls that were written while the engine was away, and return how many.

    The signature is the permission; the pull is in the name of who set it. What is not signed with the engine's key is
    entered as refused, once, and stays where it is: who obeys it has another key than the engine, which people mend.
    """
    home = engine.database.home
    if home is None:
        return 0
    found, said = 0, 0
    for name, content in overrides.waiting(home).items():
        try:
            override = _verified(name, content)
        except ValueError as error:
            said += _refused(engine, name, content, str(error), at)
            continue
        found += _entered(engine, override, at)
        overrides.entered(home, name)
    if found or said:
        decision_log.seal(engine.database, at)
    return found


def _verified(name: str, content: bytes) -> Override:
    key = secret(KEY)
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"the engine cannot tell who signed it, as {KEY} is not set or shorter than {SHORTEST_KEY}")
    override = read(content, key)
    if override.id != name:
        raise ValueError(f"it says that its id is {override.id}")
    return override


def _entered(engine: Engine, override: Override, at: datetime) -> int:
    """Pull as the override says, unless it was entered before or something stricter holds; 0 when it was."""
    identity = entries.identity("override", override.id)
    by = Actor(override.set_by, channel="cli")
    with engine.database.transaction() as connection:
        if decision_log.holds(connection, identity):
            return 0
        before = switches.get(connection, override.model)
        was, wanted = before.at(override.scope), _setting(override)
        details = {
            "offline": True,
            "override": override.id,
            "set_at": override.set_at,
            "because_allowed": f"it is signed with {KEY}",
        }
        if was is None or wanted.rank >= was.rank:
            act = Act("switch.pulled", by, at, override.reason, details)
            wanted = replace(wanted, guards=was.guards if was is not None else ())
            write(connection, engine, before, override.scope, wanted, act, identity=identity)
        else:
            body = {
                **details,
                "because": override.reason,
                "wanted": described(wanted),
                "after": described(was),
                **entries.channel(by),
            }
            about = subject(override.model, override.scope, was)
            known = entered(before, override.id)  # a change too, so that clients hear that the file is over
            switches.save(connection, replace(known, seq=switches.next_seq(connection), changed_at=at))
            decision_log.append(connection, [Decision(at, "switch.pulled", override.set_by, about, body, identity)])
    return 1


def _setting(override: Override) -> Setting:
    return Setting(
        scope=override.scope,
        mode=override.mode,
        share=override.share,
        reason=override.reason,
        set_by=override.set_by,
        set_at=override.set_at,
        salt=override.id,  # by which clients choose that obey the file
        fallback=override.fallback,
        origin="offline",
        override=override.id,
    )


def _refused(engine: Engine, stem: str, content: bytes, why: str, at: datetime) -> int:
    name = stem.encode("utf-8", "backslashreplace").decode()  # whatever the file system calls it
    digest = hashlib.sha256(content).hexdigest()
    identity = entries.identity("override-refused", name, digest, why)
    body = {"file": f"{overrides.FOLDER}/{name}.json", "sha256": digest, "because": why, "seen_at": timestamp(at)}
    with engine.database.transaction() as connection:
        if decision_log.holds(connection, identity):
            return 0
        decision_log.append(
            connection, [Decision(at, "switch.override_refused", entries.ENGINE, {"override": name}, body, identity)]
        )
    return 1
