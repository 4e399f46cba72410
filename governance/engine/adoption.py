"""Take a version of the policies into force: that is a decision too."""

from __future__ import annotations

from datetime import datetime

from governance.core.decision import Decision
from governance.engine.entries import ENGINE
from governance.engine.parts import Engine
from governance.store import decision_log, progress


def adopt(engine: Engine, at: datetime) -> bool:
    """Record the version of the policies that rules from now on; False when it already did."""
    decision_log.seal(engine.database, at)  # an adoption that died before its seal counts
    last = decision_log.tail(engine.database, 1, kind="policy.adopted")
    if last and last[0].decision.body.get("policy_version") == engine.plan.version:
        return False
    body = {
        "policy_version": engine.plan.version,
        "models": [policy.model for policy in engine.plan.policies],
        "rules": sum(len(policy.rules) for policy in engine.plan.policies),
        "summary": f"policies {engine.plan.version} rule {len(engine.plan.policies)} models",
    }
    with engine.database.transaction() as connection:
        decision_log.append(connection, [Decision(at, "policy.adopted", ENGINE, {}, body)])
        progress.set_last(connection, progress.JUDGED, None)  # what is new is judged at once, not when it is due
    decision_log.seal(engine.database, at)
    return True
