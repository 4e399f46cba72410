"""A run: one execution of a runbook, as a state machine that any process can take up where another died."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from governance.core.metric import Labels
from governance.core.runbook import Runbook, Step

RunState = Literal["running", "waiting", "paused", "stopped", "unknown", "undoing", "cancelled", "done"]
"""`running`: the engine goes on at `next_at`. `waiting`: for a person. `stopped`: a step failed, and a person decides
(retry, skip or cancel). `unknown`: nobody knows whether an act took effect, and a person says it. The last two end."""
OPEN: tuple[RunState, ...] = ("running", "waiting", "paused", "stopped", "unknown", "undoing")
VisitState = Literal["active", "acting", "waiting", "done", "skipped", "failed", "timed_out", "unknown", "undone"]
"""`acting`: the intent is committed and the outcome is not; what became of it must be found out after a death."""
Mode = Literal["live", "dry_run"]
Cancelling = Literal["", "undo", "leave"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person said to a step that asked for consent."""

    actor: str
    at: datetime
    approved: bool
    because: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One time at a step, counted from 1: a step that is come back to is another visit.

    `active` without `attempts`: the run has arrived, and the step is not begun. `key` is that of its act, the same for
    every attempt: run, step and visit; `asked` is what it is asked with, as it was committed with the intent. `text` is
    what is read, asked or told, rendered. `deadline` is when it times out, `next_at` when it is looked at or tried
    again. `outputs` are what later expressions see of it. `to` is the step, or the end, where the run went from it.
    A visit that `undoes` takes back what the visit of the same step and number did.
    """

    step: str
    number: int
    state: VisitState
    began_at: datetime
    ended_at: datetime | None = None
    key: str = ""
    attempts: int = 0
    next_at: datetime | None = None
    deadline: datetime | None = None
    detail: str = ""
    by: str = ""
    outputs: Mapping[str, object] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    text: str = ""
    asked: Mapping[str, object] = field(default_factory=dict)
    to: str = ""
    undoes: bool = False

    @property
    def is_begun(self) -> bool:
        """Tell whether the run did more here than arrive."""
        return self.state != "active" or self.attempts > 0


@dataclass(frozen=True, slots=True)
class Run:
    """One execution; the runbook, the card and the parameters are those of its start, whatever is edited later.

    `id` is RUN-12. `visits` are in the order in which they were made; the last is where the run is. `version` grows by
    one with each change. `started_by` is a person, or the engine for a rule (`rule`) or a schedule. `incident` is 0
    where it is about none; `labels` are those of the finding that it answers. `cancelling`: it is cancelled as soon as
    the act under way is known, and what was done is taken back (`undo`) or left (`leave`).
    """

    id: str
    runbook: Runbook
    model: str
    card: Mapping[str, object]
    parameters: Mapping[str, object]
    started_by: str
    started_at: datetime
    because: str
    mode: Mode = "live"
    incident: int = 0
    labels: Labels = ()
    rule: str = ""
    state: RunState = "running"
    visits: tuple[Visit, ...] = ()
    next_at: datetime | None = None
    ended_at: datetime | None = None
    said: str = ""
    version: int = 1
    cancelling: Cancelling = ""

    @property
    def mark(self) -> str:
        """What tells it from every other run, also of an engine that began to count anew: its id and when it started.

        The keys of its acts begin with it, as servers that drop repeats may remember the keys of another database.
        """
        return f"{self.id}.{self.started_at:%Y%m%dT%H%M%SZ}"

    @property
    def here(self) -> Visit | None:
        """Where the run is, None before its first step."""
        return self.visits[-1] if self.visits else None

    @property
    def step(self) -> Step | None:
        """The step where it is."""
        here = self.here
        return next((each for each in self.runbook.steps if here is not None and each.step == here.step), None)

    @property
    def is_open(self) -> bool:
        """Tell whether it has not come to an end."""
        return self.state in OPEN
