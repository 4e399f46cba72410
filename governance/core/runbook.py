"""A runbook as its author writes it: the steps that people and the engine take when something is wrong."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from governance.core.document import Document, Duration, Flag, Number
from governance.core.evidence import EvidenceKind
from governance.core.organisation import Role

StepKind = Literal["instruct", "check", "approve", "act", "wait", "notify"]
STEP_KINDS: tuple[StepKind, ...] = get_args(StepKind)
ParameterType = Literal["string", "number", "bool", "duration"]
END = "end"
"""Where a step goes that ends the run well."""
STOP, CONTINUE = "stop", "continue"
"""What becomes of a run whose step failed: it stops, and a person decides; or it goes on with the next step."""

MOST_STEPS = 200

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Times = Annotated[int, Field(ge=1, le=100)]


class RunbookParameter(Document):
    """What whoever starts a run may say; without a default they have to. A default may hold CEL in braces."""

    type: ParameterType = "string"
    default: Number | Flag | str | None = None
    description: str = ""


class Retry(Document):
    """How often an act that failed is tried again: after `backoff`, twice that, four times that …, with jitter."""

    times: Times = 3
    backoff: Duration = Field(default="10s", validate_default=True)


class Consent(Document):
    """Whose consent a run needs: so many people of a role, none of whom started it unless `not` says nobody."""

    role: Role = "approver"
    people: Times = 1
    not_: Literal["starter", "nobody"] = Field(default="starter", alias="not")


class Notice(Document):
    """What people are told; without a channel or a notifier whoever hears of the model."""

    message: str
    channel: str | None = None
    notifier: str | None = None


class Goto(Document):
    """Back to an earlier step, so often at most: what goes round for ever would never end."""

    step: str
    at_most: Times


class Undo(Document):
    """What takes back what a step did."""

    act: str
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")


class Step(Document):
    """One step: something to read and tick, a condition, a consent, an act, a wait or a notice.

    `text` says in plain words what it is about; of a consent it is the question. `when` skips it unless it holds.
    `on_failure` and `on_timeout` are stop, continue or a later step; `then` is where the run goes after it: a later
    step, an earlier one so often at most, or end.
    """

    step: Name
    instruct: str | None = None
    check: str | None = None
    approve: Consent | None = None
    act: str | None = None
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    wait: Duration | None = None
    notify: Notice | None = None

    text: str | None = None
    when: str | None = None
    timeout: Duration | None = None
    on_timeout: str | None = None
    on_failure: str = STOP
    retry: Retry | None = None
    undo: Undo | None = None
    then: str | Goto | None = None

    @property
    def kind(self) -> StepKind:
        """Which kind of step it is."""
        return next(each for each in STEP_KINDS if getattr(self, each) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> Step:
        found = [each for each in STEP_KINDS if getattr(self, each) is not None]
        if len(found) != 1:
            said = f"not {' and '.join(found)}" if found else f"one of {', '.join(STEP_KINDS)}"
            raise ValueError(f"a step does one thing, {said}")
        return self


class Runbook(Document):
    """The steps for one kind of trouble with a model.

    `applies_to` is a condition over the card, as in a pack: for other models it cannot be started. `proves` is the
    evidence that a run which came to its end is for the card. `every` starts it on a schedule, as a drill where
    `dry_run` says so.
    """

    runbook: Name
    for_: Literal["model"] = Field(default="model", alias="for")
    description: str
    applies_to: str | None = None
    parameters: dict[str, RunbookParameter] = Field(default_factory=dict)
    proves: EvidenceKind | None = None
    every: Duration | None = None
    dry_run: Flag = False
    steps: tuple[Step, ...] = Field(json_schema_extra={"minItems": 1, "maxItems": MOST_STEPS})

    @field_validator("steps")
    @classmethod
    def _some(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        if not steps:
            raise ValueError("a runbook has a step at least")
        if len(steps) > MOST_STEPS:
            raise ValueError(f"a runbook has {MOST_STEPS} steps at most: nobody follows more")
        return steps
