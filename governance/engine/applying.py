"""Policies that a person applies, and the versions that ruled."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from governance.core.authority import Actor
from governance.core.policy_version import Origin, PolicyVersion, digest_of, requests_of
from governance.engine import consent
from governance.engine.entries import channel
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.planning import Bounds, Side, planned
from governance.errors import Conflict, InvalidDocument, NotFound, Unavailable
from governance.store import policy_versions
from governance.store.database import Database
from governance.views import AppliedView, RunningView, VersionView
from governance.views.plan import PlanView

PATIENCE = 10.0
"""Seconds until the engine must have looked at what was applied; it looks once a second, and after a cycle."""
SECONDS = 30.0
"""Seconds that a replay may take in an engine, which has other things to do."""
_LISTED = 100
_NONE = "no version of the policies ruled here yet; gov serve adopts the first"
_MOST = 10_000


def apply(engine: Engine, documents: Mapping[str, str], *, actor: Actor | str) -> AppliedView:
    """Let policies rule as soon as the engine looks; where they loosen a rule of tier 1, once somebody approved.

    :raises Denied: when the actor may not.
    :raises Conflict: when this engine follows a directory, or somebody else applied others meanwhile.
    :raises InvalidDocument: listing every problem of the policies.
    """
    permit(engine, actor, "policy.apply")
    standing = engine.standing
    if standing.source != "apply" or standing.build is None:
        raise Conflict(
            "this engine follows the directory of its policies; change that, and it takes effect by itself "
            "(or start it with gov serve --policies-from apply)"
        )
    digest = digest_of(documents)
    unchanged = digest == digest_of(engine.documents) and standing.waiting is None
    if unchanged and requests_of(documents) == requests_of(engine.documents):
        return AppliedView(outcome="unchanged", version=engine.plan.version)
    incoming = standing.build(documents)
    if incoming.ruling is None:
        raise InvalidDocument("\n".join(problem.render() for problem in incoming.problems))
    with engine.database.read() as connection:
        last = policy_versions.newest(connection)
    standing.incoming = replace(incoming, origin=Origin("apply", str(actor), authors=(str(actor),), **channel(actor)))
    if unchanged:  # only what is asked for: waivers wait for their own approval
        return AppliedView(outcome="unchanged", version=engine.plan.version)
    return _seen(engine, digest, last)


def plan(engine: Engine, documents: Mapping[str, str], at: datetime, back: timedelta) -> PlanView:
    """Return what policies would change here, and what they would have told people.

    :raises InvalidDocument: listing every problem of the policies.
    """
    if engine.standing.load is None:
        raise Conflict("this engine cannot load other policies than its own; gov serve can")
    plan, organisation, problems = engine.standing.load(documents)
    if problems:
        raise InvalidDocument("\n".join(problem.render() for problem in problems))
    running, proposed = Side(engine.plan, engine.organisation), Side(plan, organisation)
    return planned(engine.database, running, proposed, at, Bounds(back, SECONDS))


def documents_of(engine: Engine, name: str) -> Mapping[str, str]:
    """Return the documents of a version that ruled, or waited.

    :raises NotFound: when there is none of that name.
    """
    with engine.database.read() as connection:
        return policy_versions.documents(connection, policy_versions.named(connection, name).digest)


def version_of(database: Database, name: str = "") -> tuple[VersionView, dict[str, str]]:
    """Return a version with its documents; without a name the one that rules.

    :raises NotFound: when there is none.
    """
    with database.read() as connection:
        now = policy_versions.in_force(connection)
        if not name and now is None:
            raise NotFound(_NONE)
        found = now if not name and now is not None else policy_versions.named(connection, name)
        return _view(found, now), policy_versions.documents(connection, found.digest)


def versions(database: Database, limit: int = _MOST) -> list[VersionView]:
    """Return the versions, newest first."""
    with database.read() as connection:
        found = policy_versions.listed(connection, limit)
        now = policy_versions.in_force(connection)
    return [_view(each, now) for each in found]


def waiting(database: Database) -> tuple[PolicyVersion, dict[str, str]] | None:
    """Return the version that waits for a second person with its documents, None when none does."""
    with database.read() as connection:
        found = policy_versions.waiting(connection)
        return (found, policy_versions.documents(connection, found.digest)) if found is not None else None


def running(engine: Engine) -> RunningView:
    """Return the version that rules, with its texts.

    :raises NotFound: when none was ever recorded.
    """
    with engine.database.read() as connection:
        now = policy_versions.in_force(connection)
    if now is None:
        raise NotFound(_NONE)
    notice = engine.standing.words(engine.plan.version)
    with engine.database.read() as connection:
        texts = policy_versions.documents(connection, now.digest)
    return RunningView(version=_view(now, now), source=engine.standing.source, notice=notice, texts=texts)


def _seen(engine: Engine, digest: str, before: int) -> AppliedView:
    """Wait until the engine has looked, and return what became of it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if digest_of(engine.documents) == digest:
            with engine.database.read() as connection:
                now = policy_versions.in_force(connection)
            changes = now.changes if now is not None else ()
            summary = now.summary if now is not None else ""
            return AppliedView(
                outcome="adopted", version=engine.plan.version, summary=summary, changes=list(changes[:_LISTED])
            )
        waiting = engine.standing.waiting
        if waiting is not None and waiting.digest == digest:
            asked = next((each for each in consent.pending(engine, waiting.at) if each.id == waiting.approval), None)
            return AppliedView(
                outcome="waiting",
                version=waiting.version,
                approval=waiting.approval,
                who_may=asked.who_may if asked else [],
                summary=waiting.summary,
                changes=list(waiting.changes[:_LISTED]),
            )
        if engine.standing.incoming is None and engine.standing.refused:
            raise Conflict(engine.standing.refused)
        with engine.database.read() as connection:
            last = next(iter(policy_versions.listed(connection, 1)), None)
            if last is not None and last.number > before and last.digest != digest:
                raise Conflict("somebody else applied other policies meanwhile; look at gov policies, then apply anew")
        time.sleep(0.05)
    raise Unavailable(f"the engine did not look at them within {PATIENCE:.0f} s; gov policies tells what rules")


def _view(version: PolicyVersion, now: PolicyVersion | None) -> VersionView:
    return VersionView(
        number=version.number,
        version=version.version,
        documents=version.digest,
        state=version.state,
        running=now is not None and version.number == now.number,
        at=version.at,
        by=version.origin.by,
        how=version.origin.how,
        commit=version.origin.commit,
        models=version.models,
        rules=version.rules,
        summary=version.summary,
        changes=list(version.changes[:_LISTED]),
        approval=version.approval,
        approved_by=version.approved_by,
    )
