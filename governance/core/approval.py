"""An act that waits for a second person: who asked for what, on which state, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from governance.core.organisation import Role
from governance.core.switch import Mode, Scope

ApprovalKind = Literal["switch.restore", "policy.loosen", "runbook.approve"]
ApprovalState = Literal["pending", "approved", "refused", "voided"]
ANSWER_WITHIN = timedelta(days=1)
"""How long a request waits: who approves later decides on a world that the request did not know."""
LOOSEN_WITHIN = timedelta(days=7)
"""How long a version of the policies waits; it is bound to its digest, which does not change meanwhile."""
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Until when a step of a runbook waits that has no time-out."""
ANSWERED_WITH: Mapping[ApprovalKind, str] = {
    "switch.restore": "gov switch",
    "policy.loosen": "gov policies",
    "runbook.approve": "gov runbook",
}
"""The command whose `approve` and `refuse` answer each kind."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A restore, a version of the policies that loosens, or a step of a run, which waits for the consent of somebody.

    `channel` is where who asked did so, "" where that is not known.

    It is bound to `seq`, the switch as it was shown to who asked: any change of it voids the request. `to` and `share`
    are what the scope is restored to. `because` is of who asked; `said` tells how it ended, by `decided_by`.

    Of policies, `version` is what waits, `models` those of tier 1 whose rules it loosens (`model` where it is one), and
    `authors` all who had a part in it, none of whom can be the second person.

    Of a run, `run`, `step` and `visit` are where it waits, for so many `people` of a `role`, none of the `authors`;
    `answered_by` are those who consented so far.
    """

    id: str
    kind: ApprovalKind
    model: str
    scope: Scope
    seq: int
    requested_by: str
    requested_at: datetime
    because: str
    until: datetime
    to: Mode = "live"
    share: float = 1.0
    state: ApprovalState = "pending"
    decided_by: str = ""
    decided_at: datetime | None = None
    said: str = ""
    version: str = ""
    models: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    run: str = ""
    step: str = ""
    visit: int = 0
    people: int = 1
    role: Role = "approver"
    answered_by: tuple[str, ...] = ()
    channel: str = ""

    @property
    def text(self) -> str:
        """What is asked for, in words."""
        if self.kind == "runbook.approve":
            return self.because
        if self.kind == "policy.loosen":
            return f"let version {self.version} of the policies rule: {self.because}"
        to = f"throttle {self.share:.0%}" if self.to == "throttle" else self.to
        about = "" if self.scope == Scope() else f" ({self.scope})"
        return f"restore {self.model}{about} to {to}: {self.because}"


def decided(approval: Approval, state: ApprovalState, *, actor: str, at: datetime, said: str) -> Approval:
    """Return the request as answered, or voided by what happened meanwhile."""
    return replace(approval, state=state, decided_by=actor, decided_at=at, said=said)
