"""Plans, made one at a time; that of the version which waits is remembered, as people look at it more than once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from threading import Lock

from governance.engine import applying, consent
from governance.engine.parts import Engine
from governance.errors import Conflict, NotFound
from governance.store import policy_versions
from governance.views import ApprovalView
from governance.views.plan import PlanView

_Asked = tuple[int, str, timedelta]
"""Which version waits, which rules, and how far back they are tried."""


class Plans:
    """Makes the plans of one engine."""

    def __init__(self, engine: Engine) -> None:
        """Remember none yet."""
        self._engine, self._busy = engine, Lock()
        self._known: tuple[_Asked, PlanView] | None = None

    def of(self, documents: Mapping[str, str], back: timedelta) -> PlanView:
        """Return what policies would change, and what they would have told people.

        :raises InvalidDocument: listing every problem of the policies.
        :raises Conflict: while another plan is being made.
        """
        if not self._busy.acquire(blocking=False):
            raise Conflict("another plan is being made; try again when it is done")
        try:
            return applying.plan(self._engine, documents, self._engine.clock.now(), back)
        finally:
            self._busy.release()

    def pending(self, back: timedelta) -> PlanView:
        """Return what the version that waits for a second person would change, and who may be that person.

        :raises NotFound: when none waits.
        :raises Conflict: while another plan is being made.
        """
        engine, waiting = self._engine, self._engine.standing.waiting
        if waiting is None:
            raise NotFound("no version of the policies waits for a second person")
        asked = (waiting.number, engine.plan.version, back)
        known = self._known
        if known is None or known[0] != asked:
            with engine.database.read() as connection:
                documents = policy_versions.documents(connection, waiting.digest)
            known = self._known = (asked, self.of(documents, back))
        return answered_by(known[1], consent.view_of(engine, waiting.approval))


def answered_by(plan: PlanView, asked: ApprovalView) -> PlanView:
    """Return a plan with those who may approve it once it was asked for: a comparison knows no authors."""
    return plan.model_copy(update={"who_may": asked.who_may})
