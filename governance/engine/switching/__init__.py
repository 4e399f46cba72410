"""What people and the engine do with kill switches; each act is one transaction with its entry."""

from governance.engine.switching.approving import approval_view, approve, pending, refuse
from governance.engine.switching.change import Requested, SwitchDone
from governance.engine.switching.glass import break_glass
from governance.engine.switching.pulling import pull
from governance.engine.switching.restoring import people_to_restore, restore

__all__ = [
    "Requested",
    "SwitchDone",
    "approval_view",
    "approve",
    "break_glass",
    "pending",
    "people_to_restore",
    "pull",
    "refuse",
    "restore",
]
