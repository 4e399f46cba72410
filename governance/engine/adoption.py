"""Take a version of the policies into force: that is a decision too, and where it loosens, one of two people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from governance.core.alert import AlertKey
from governance.core.comparison import compared, organisation_lines
from governance.core.decision import Decision
from governance.core.policy_version import Origin, PolicyVersion, digest_of, requests_of, with_requests
from governance.engine import consent
from governance.engine.entries import BROKEN, ENGINE, channel
from governance.engine.parts import Engine, Ruling
from governance.engine.standing import Broken, Incoming
from governance.store import alerts, approvals, decision_log, policy_versions, progress

MOST_NAMED = 100
"""How many differences are named in an entry; all are counted."""


def adopt(engine: Engine, at: datetime, origin: Origin | None = None) -> bool:
    """Record that the policies of this engine rule from now on; False when they already did."""
    decision_log.seal(engine.database, at)  # an adoption that died before its seal counts
    digest = digest_of(engine.documents)
    with engine.database.read() as connection:
        before = policy_versions.in_force(connection)
    if before is not None and (before.version, before.digest) == (engine.plan.version, digest):
        _keep_requests(engine)  # they may have changed while nobody looked
        return False
    words = "the first version" if before is None else "what differs from the version before is not known"
    version = _version(engine.ruling, at, origin or Origin(), (), words)
    _put_in_force(engine, engine.ruling, version, before, at)
    return True


def follow(engine: Engine, at: datetime) -> None:
    """Look at what came in and at what was approved, and let another version rule where it may."""
    standing = engine.standing
    incoming, standing.incoming = standing.incoming, None
    if incoming is not None:
        _look(engine, incoming, at)
    if standing.waiting is not None:
        _look_for_consent(engine, standing.waiting, at)


def _look(engine: Engine, incoming: Incoming, at: datetime) -> None:
    standing = engine.standing
    if incoming.ruling is None:
        since = standing.broken.since if standing.broken is not None else _told_since(engine) or at
        standing.broken = Broken(since, incoming.problems)
        return
    standing.broken = None
    _take_requests(engine, incoming.ruling)
    digest = digest_of(incoming.ruling.documents)
    if digest == digest_of(engine.documents):
        consent.withdraw(engine, at, "the policies are what rules again")
        return
    if standing.waiting is not None and standing.waiting.digest == digest:
        return
    difference = compared(engine.plan, incoming.ruling.plan)
    organised = organisation_lines(engine.organisation, incoming.ruling.organisation)
    lines, summary = (*difference.lines(), *organised), difference.summary
    summary = f"{summary}; the organisation differs" if organised else summary
    version = _version(incoming.ruling, at, incoming.origin, lines, summary)
    if difference.loosened:
        consent.ask(engine, version, incoming.ruling.documents, difference, at)
        return
    consent.withdraw(engine, at, f"version {version.version} took its place")
    take(engine, incoming.ruling, version, at)


def _told_since(engine: Engine) -> datetime | None:
    """Return since when an incident says that the policies are broken: the engine may have been started anew."""
    with engine.database.read() as connection:
        found = alerts.active(connection, ENGINE).get(AlertKey(ENGINE, BROKEN))
    return min((each.since for each in found.clocks.values() if each.since), default=None) if found else None


def _look_for_consent(engine: Engine, waiting: PolicyVersion, at: datetime) -> None:
    """Let a version rule that a second person approved, in whichever process that was."""
    with engine.database.read() as connection:
        asked = approvals.get(connection, waiting.approval)
    if asked.state == "pending" and at > asked.until:
        consent.withdraw(engine, at, "nobody answered in time")
    elif asked.state == "approved":
        _let_rule(engine, replace(waiting, approved_by=asked.decided_by), at)
    elif asked.state != "pending":
        engine.standing.waiting = None
        engine.standing.refused = f"version {waiting.version} was {asked.state} by {asked.decided_by}: {asked.said}"


def _let_rule(engine: Engine, approved: PolicyVersion, at: datetime) -> None:
    standing = engine.standing
    assert standing.build is not None  # where versions wait, they can be built  # noqa: S101
    with engine.database.read() as connection:
        documents = policy_versions.documents(connection, approved.digest)
    built = standing.build(documents)
    if built.ruling is None:  # the program was replaced meanwhile, and is stricter
        consent.withdraw(engine, at, f"it does not load any more: {built.problems[0].message}")
        return
    now = engine.plan  # waivers and silences are those of today, not of when the version began to wait
    plan = replace(built.ruling.plan, waivers=now.waivers, silences=now.silences)
    documents = with_requests(built.ruling.documents, engine.documents)
    take(engine, replace(built.ruling, plan=plan, documents=documents), approved, at)


def _take_requests(engine: Engine, ruling: Ruling) -> None:
    """Go by the waivers and silences that files ask for now; they are no part of a version, so none begins."""
    if requests_of(ruling.documents) == requests_of(engine.documents):
        return
    engine.plan = replace(engine.plan, waivers=ruling.plan.waivers, silences=ruling.plan.silences)
    engine.documents = with_requests(engine.documents, ruling.documents)
    _keep_requests(engine)


def _keep_requests(engine: Engine) -> None:
    """Store what files ask for beside the version that rules, so that a restart beside a broken directory knows it."""
    digest = digest_of(engine.documents)
    with engine.database.transaction() as connection:
        if requests_of(policy_versions.documents(connection, digest)) != requests_of(engine.documents):
            policy_versions.keep(connection, digest, engine.documents)


def take(engine: Engine, ruling: Ruling, version: PolicyVersion, at: datetime) -> None:
    """Let a version rule from now on, recorded before it does; alerts go on, those of rules that are gone end."""
    with engine.database.read() as connection:
        before = policy_versions.in_force(connection)
    _put_in_force(engine, ruling, version, before, at)
    engine.rule_by(ruling)
    engine.standing.adopted_words = f"{version.summary} ({version.origin.words})"
    engine.standing.commit = version.origin.commit.rstrip("+")
    engine.standing.waiting, engine.standing.refused = None, ""
    for tell in engine.adopted:
        tell()


def _put_in_force(
    engine: Engine, ruling: Ruling, version: PolicyVersion, before: PolicyVersion | None, at: datetime
) -> None:
    models = [policy.model for policy in ruling.plan.policies]
    with engine.database.transaction() as connection:
        number = version.number or policy_versions.next_number(connection)
        adopted = replace(version, number=number, state="adopted", at=at)
        if version.number:
            policy_versions.save(connection, adopted)
            policy_versions.keep(connection, adopted.digest, ruling.documents)
        else:
            policy_versions.add(connection, adopted, ruling.documents)
        decision_log.append(connection, [_entry(adopted, before, models)])
        if before is None or before.version != version.version:
            progress.set_last(connection, progress.JUDGED, None)  # what is new is judged at once, not when it is due
    decision_log.seal(engine.database, at)


def _entry(version: PolicyVersion, before: PolicyVersion | None, models: list[str]) -> Decision:
    body = {
        "policy_version": version.version,
        "documents": version.digest,
        "number": version.number,
        "before": before.version if before is not None else "",
        "models": models,
        "rules": version.rules,
        "changes": list(version.changes[:MOST_NAMED]),
        "more_changes": max(len(version.changes) - MOST_NAMED, 0),
        "how": version.origin.how,
        "commit": version.origin.commit,
        "authors": list(version.origin.authors),
        "approval": version.approval,
        "approved_by": version.approved_by,
        **channel(version.origin.actor),
        "summary": f"policies {version.version} rule {version.models} models; {version.summary}",
    }
    return Decision(version.at, "policy.adopted", version.origin.by or ENGINE, {}, body)


def _version(ruling: Ruling, at: datetime, origin: Origin, changes: tuple[str, ...], summary: str) -> PolicyVersion:
    policies = ruling.plan.policies
    rules = sum(len(policy.rules) for policy in policies)
    digest = digest_of(ruling.documents)
    return PolicyVersion(0, ruling.plan.version, digest, "waiting", at, origin, len(policies), rules, changes, summary)
