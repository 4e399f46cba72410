"""The outcome of one evaluation of one rule instance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from governance.core.document import SEVERITIES, Severity
from governance.core.metric import Labels

Outcome = Literal["pass", "fail", "no_data", "too_few", "stale", "error", "waived"]
Basis = Literal["", "provisional", "final"]


@dataclass(frozen=True, slots=True)
class Input:
    """One value that a verdict rests on: `value` is None where it was missing, with the `reason`."""

    name: str
    value: float | None
    time: datetime | None
    source: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one label set at one instant.

    `failing` are the severities whose condition holds; `missing` names the inputs that were not there (a pass that
    rests on them keeps the alert's state); `basis` says whether labels may still come; `until` is the end of the
    window that was judged; `late` says that it was made up for a missed cycle. `waiver` is the id of the waiver without
    which it would have counted against the model.
    """

    model: str
    rule: str
    labels: Labels
    at: datetime
    outcome: Outcome
    failing: tuple[Severity, ...] = ()
    reason: str = ""
    inputs: tuple[Input, ...] = ()
    missing: tuple[str, ...] = ()
    basis: Basis = ""
    until: datetime | None = None
    expected: bool = True
    late: bool = False
    waiver: str = ""

    @property
    def severity(self) -> Severity | None:
        """The worst severity that fails."""
        return worst(self.failing)

    @property
    def keeps_state(self) -> bool:
        """True when the verdict says nothing about the world: data is missing, or a pass rests on missing inputs."""
        return self.outcome in {"no_data", "too_few", "stale", "error"} or (
            self.outcome == "pass" and bool(self.missing)
        )


def worst(severities: tuple[Severity, ...] | list[Severity]) -> Severity | None:
    """Return the most severe of the severities, None of none."""
    return max(severities, key=SEVERITIES.index, default=None)
