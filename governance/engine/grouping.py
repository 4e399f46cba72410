"""Which alerts share an incident."""

from __future__ import annotations

from governance.core.alert import AlertKey
from governance.core.alive import CANARY
from governance.core.organisation import Grouping
from governance.engine import entries

CANARY_GROUP = CANARY
"""The group of the canary's incidents: never re-opened, so that each stretch of time has one of its own."""


def group_of(key: AlertKey, grouping: Grouping) -> str:
    """Return the group of an alert: of the engine's own each has one, the others as the organisation says."""
    if key.model == CANARY:
        return CANARY_GROUP
    if key.model == entries.ENGINE:
        return f"{key.model}/{key.rule}/{entries.labels_text(key.labels)}"
    parts = {"model": key.model, "pack": key.rule.rpartition("/")[0], "rule": key.rule}
    return "/".join(parts[name] for name in grouping.group_by) or key.model
