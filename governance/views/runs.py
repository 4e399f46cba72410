"""Runs of runbooks as they are shown."""

from __future__ import annotations

from datetime import datetime

from governance.views.switches import MayView
from governance.views.view import View


class AnswerView(View):
    """What one person said to a step that asks for consent."""

    actor: str
    at: datetime
    approved: bool
    because: str = ""
    channel: str = ""


class StepView(View):
    """One step of a run: `glyph` is ✓ ▶ ○ ✗ ↷ ? ↶, `state` the word; `text` what is read or asked, rendered.

    `does` is what it does in the words of the runbook: its operation, its condition, how long it waits. `waits_for`
    says in words who or what it waits for; `can` are the acts of this moment (tick, approve, refuse, retry, skip,
    settle); `who_may` the people who may do them, of consent those whose consent counts.
    """

    step: str
    kind: str
    glyph: str
    state: str
    text: str
    does: str = ""
    visit: int = 0
    began_at: datetime | None = None
    ended_at: datetime | None = None
    deadline: datetime | None = None
    next_at: datetime | None = None
    attempts: int = 0
    by: str = ""
    detail: str = ""
    waits_for: str = ""
    approval: str = ""
    answers: list[AnswerView] = []
    can: list[str] = []
    who_may: list[str] = []
    outputs: dict[str, object] = {}


class RunView(View):
    """One run; `number` of `total` is where it is; `can` are the acts on the whole run (pause, resume, cancel).

    `summary` is one line such as "step 3 of 6: consent – waits for an approver (ana, bo) until 10:20". `said` is why it
    stopped, or how it ended. `who_may` are the people who may do what the run can.
    """

    id: str
    runbook: str
    description: str
    model: str
    incident: int
    mode: str
    state: str
    started_by: str
    started_at: datetime
    because: str
    rule: str = ""
    parameters: dict[str, object] = {}
    labels: dict[str, str] = {}
    number: int = 0
    total: int = 0
    summary: str = ""
    steps: list[StepView] = []
    can: list[str] = []
    who_may: list[str] = []
    next_at: datetime | None = None
    ended_at: datetime | None = None
    said: str = ""
    version: int = 1

    @property
    def here(self) -> StepView | None:
        """The step where it is, None where it has ended or not begun."""
        return self.steps[self.number - 1] if self.number and self.ended_at is None else None


class RunBrief(View):
    """A run in one line, as an incident names it."""

    id: str
    runbook: str
    state: str
    summary: str


class RunbookView(View):
    """One runbook, and what it asks for; of a model also why it cannot be started, and whether who asks `may`.

    `applies_to` is the condition over the card of a model for which it can be started, "" for all.
    """

    runbook: str
    description: str
    applies_to: str = ""
    parameters: dict[str, dict[str, object]] = {}
    steps: list[StepView] = []
    source: str = ""
    refused: str = ""
    may: MayView | None = None


class RunDoneView(View):
    """A run after an act, with the entry that proves it, and why it was allowed."""

    run: RunView
    entry: int
    because_allowed: str = ""
