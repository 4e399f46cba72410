"""The errors a user may meet; one table maps them to exit codes."""

from __future__ import annotations


class GovernanceError(Exception):
    """The root of our errors; its message is what the user reads."""

    exit_code = 1


class InvalidDocument(GovernanceError):
    """A file does not say what it must; the message lists every problem."""

    exit_code = 1


class NotFound(GovernanceError):
    """The named thing does not exist."""

    exit_code = 2


class Conflict(GovernanceError):
    """Somebody else changed the thing first, or it is in another state."""

    exit_code = 3


class Denied(GovernanceError):
    """The actor may not do this; the message says who may."""

    exit_code = 3


class Unknown(GovernanceError):
    """It is not known who asks: no token, or none that holds."""

    exit_code = 3


class Unavailable(GovernanceError):
    """A system we need does not answer or cannot be written."""

    exit_code = 4


class Unreached(Unavailable):
    """No connection was made: what was to be sent was not."""


class Outdated(GovernanceError):
    """The engine and this program are of versions that do not understand each other."""

    exit_code = 4


class Fenced(Unavailable):
    """Another process leads the engine by now: what this one was about to write was not written."""
