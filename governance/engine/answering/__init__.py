"""What people do with incidents; each act is a pure change, one transaction, and an entry whose receipt they get."""

from governance.engine.answering.act import Done
from governance.engine.answering.merging import merge
from governance.engine.answering.noting import link, note
from governance.engine.answering.snoozing import snooze, wake
from governance.engine.answering.taking import acknowledge, escalate, hand_over, resolve, set_severity

__all__ = [
    "Done",
    "acknowledge",
    "escalate",
    "hand_over",
    "link",
    "merge",
    "note",
    "resolve",
    "set_severity",
    "snooze",
    "wake",
]
