"""What steps do to the engine itself, and what they tell: until that is there, they fail with a sentence."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.performance import Outcome, Request
from governance.core.run import Run
from governance.core.runbook import Notice
from governance.engine.parts import Engine

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NOT_YET = Outcome("failed", "the engine cannot do this by itself yet", again=False)


def perform(connection: Connection, engine: Engine, run: Run, request: Request) -> Outcome:  # noqa: ARG001
    """Change the engine, in the transaction that records it."""
    return _NOT_YET


def dry_run(connection: Connection, engine: Engine, run: Run, request: Request) -> Outcome:  # noqa: ARG001
    """Find out whether it could be changed."""
    return _NOT_YET


def notified(
    connection: Connection, engine: Engine, run: Run, key: str, notice: Notice, at: datetime  # noqa: ARG001
) -> Outcome:  # fmt: skip
    """Tell people something, in the transaction of the step."""
    return _NOT_YET
