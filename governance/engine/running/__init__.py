"""Runs of runbooks: begun, driven on by the engine, and acted on by people."""

from governance.engine.running.acting import BY_PEOPLE, RunDone, cancel, pause, resume, retry, settle, skip, tick
from governance.engine.running.approving import approve, approve_request, refuse, refuse_request
from governance.engine.running.starting import start

__all__ = [
    "BY_PEOPLE",
    "RunDone",
    "approve",
    "approve_request",
    "cancel",
    "pause",
    "refuse",
    "refuse_request",
    "resume",
    "retry",
    "settle",
    "skip",
    "start",
    "tick",
]
