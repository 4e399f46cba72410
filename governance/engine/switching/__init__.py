"""What people and the engine do with kill switches; each act is one transaction with its entry."""

from governance.engine.switching.approving import approval_view, approve, pending, refuse, request_of
from governance.engine.switching.change import Requested, SwitchDone
from governance.engine.switching.expiry import expire
from governance.engine.switching.glass import break_glass
from governance.engine.switching.offline import adopt_offline, offline_pull
from governance.engine.switching.pulling import pull
from governance.engine.switching.restoring import people_to_restore, restore
from governance.engine.switching.showing import pulled, shown

__all__ = [
    "Requested",
    "SwitchDone",
    "adopt_offline",
    "approval_view",
    "approve",
    "break_glass",
    "expire",
    "offline_pull",
    "pending",
    "people_to_restore",
    "pull",
    "pulled",
    "refuse",
    "request_of",
    "restore",
    "shown",
]
