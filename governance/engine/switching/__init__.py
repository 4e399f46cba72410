"""What people and the engine do with kill switches; each act is one transaction with its entry."""

from governance.engine.switching.approving import approval_view, approve, pending, refuse, request_of
from governance.engine.switching.change import Requested, SwitchDone
from governance.engine.switching.expiry import expire
from governance.engine.switching.foreseeing import Foreseen, Order
from governance.engine.switching.glass import break_glass
from governance.engine.switching.offline import adopt_offline, offline_pull
from governance.engine.switching.pulling import pull
from governance.engine.switching.restoring import people_to_restore, restore
from governance.engine.switching.resuming import finish, resume
from governance.engine.switching.showing import pulled, shown
from governance.engine.switching.together import Batch, batch_of, foresee, pull_together

__all__ = [
    "Batch",
    "Foreseen",
    "Order",
    "Requested",
    "SwitchDone",
    "adopt_offline",
    "approval_view",
    "approve",
    "batch_of",
    "break_glass",
    "expire",
    "finish",
    "foresee",
    "offline_pull",
    "pending",
    "people_to_restore",
    "pull",
    "pull_together",
    "pulled",
    "refuse",
    "request_of",
    "restore",
    "resume",
    "shown",
]
