"""A policy test as its author writes it: series over time, people's acts, and what must then be seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from governance.core.document import Count, Document, Duration, Flag, ParameterValue, Severity, Share
from governance.core.duration import format_duration, parse_duration
from governance.core.evidence import EvidenceKind
from governance.core.notation import points
from governance.core.performance import OutcomeState
from governance.core.run import RunState, VisitState

Cell = float | bool | str | datetime | date | None
ActKind = Literal[
    "acknowledge", "resolve", "note", "snooze", "merge", "severity", "waive", "request", "approve", "refuse", "silence",
    "pull", "restore", "record", "run", "tick", "retry", "skip", "settle", "pause", "resume", "cancel", "serve", "edit",
    "clock", "notifier",
]  # fmt: skip
ACTS: tuple[ActKind, ...] = ActKind.__args__  # type: ignore[attr-defined]
AlertState = Literal["inactive", "pending", "firing"]
STATES: Mapping[str, tuple[str, ...]] = {
    "alert": get_args(AlertState),
    "run": get_args(RunState),
    "step": get_args(VisitState),
}
"""What an alert, a run and a step of one can be."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""From here the beats of the engine are counted."""


def _step(value: Any) -> Any:
    """Read a duration with a sign, such as -1h or +365d."""
    if not isinstance(value, str):
        raise ValueError(f"must be a step such as +1h or -30m, not {value!r}")  # noqa: TRY004 (for pydantic)
    length = parse_duration(value.removeprefix("+").removeprefix("-"))
    return -length if value.startswith("-") else length


def _text(value: Any) -> Any:
    """Take a series of one sample, which YAML reads as a number."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Series = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number"]})]
"""Samples in the notation of Prometheus's unit tests; story_checks tells what is wrong with it, and where."""
Step = Annotated[timedelta, BeforeValidator(_step), WithJsonSchema({"type": "string", "pattern": r"^[+-]?[0-9]"})]


class LogRows(Document):
    """Rows of a prediction log: `rows` times the same `values`, spread evenly from `at` on, one each `every`."""

    at: Duration = timedelta(0)
    rows: Count = 1
    every: Duration = timedelta(minutes=1)
    table: str | None = None
    values: dict[str, Cell] = Field(default_factory=dict)


class Act(Document):
    """What somebody does after the beat at `at`; `refused` is a part of the sentence that refuses it."""

    at: Duration = timedelta(0)
    acknowledge: Count | None = None
    resolve: Count | None = None
    note: str | None = None
    snooze: Count | None = None
    merge: Count | None = None
    severity: Severity | None = None
    waive: str | None = None
    request: str | None = None
    approve: str | None = None
    refuse: str | None = None
    silence: str | None = None
    pull: Literal["throttle", "shadow", "fallback", "stopped"] | None = None
    restore: Literal["live", "throttle", "shadow", "fallback"] | None = None
    record: EvidenceKind | None = None
    run: str | None = None
    tick: str | None = None
    retry: str | None = None
    skip: str | None = None
    settle: str | None = None
    pause: str | None = None
    resume: str | None = None
    cancel: str | None = None
    serve: str | None = None
    edit: dict[str, dict[str, Any]] | None = None
    clock: Step | None = None
    notifier: Literal["up", "down"] | None = None

    as_: str = Field(default="", alias="as")
    model: str | None = None
    because: str = "a policy test"
    labels: dict[str, str] = Field(default_factory=dict)
    asked_by: str = ""
    for_: Duration | None = Field(default=None, alias="for")
    share: Share | None = None
    version: str = ""
    ago: Duration = timedelta(0)
    by: str = ""
    regime: str = ""
    incident: Count = 0
    into: Count = 0
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    dry_run: Flag = False
    in_: str = Field(default="", alias="in")
    took_effect: Flag = True
    undo: Flag = True
    seen: Flag = True
    refused: str | None = None

    @property
    def kind(self) -> ActKind:
        """Which act it is."""
        return next(each for each in ACTS if getattr(self, each) is not None)

    @model_validator(mode="after")
    def _one_act(self) -> Act:
        found = [each for each in ACTS if getattr(self, each) is not None]
        if len(found) != 1:
            said = f"not {' and '.join(found)}" if found else f"one of {', '.join(ACTS)}"
            raise ValueError(f"an entry of `acts` is one act, {said}")
        return self


class Answered(Document):
    """What a system answers to an act of a runbook; `again`: whether to try again may help."""

    state: OutcomeState = "done"
    detail: str = ""
    again: Flag = True
    outputs: dict[str, Any] = Field(default_factory=dict)


Script = OutcomeState | Answered | tuple[OutcomeState | Answered, ...]
"""What becomes of an act: always the same, or one after the other and done from then on."""


class Expectation(Document):
    """What must be seen after the beat, and the acts, at `at`; only what is written is compared.

    `state` is that of the alert, of the run, or of the step where one is named. `performed` is an act of runbooks that
    took effect, `times` how often: at least once unless said.
    """

    at: Duration
    model: str | None = None
    alert: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    no_data: Flag = False
    run: str | None = None
    step: str | None = None
    detail: str | None = None
    runs: Count | None = None
    performed: str | None = None
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    times: Count | None = None
    state: AlertState | RunState | VisitState | None = None
    severity: Severity | None = None
    summary: str | None = None

    incident: Literal["none", "triggered", "acknowledged", "mitigated", "resolved"] | None = None
    incidents: Count | None = None
    findings: Count | None = None
    title: str | None = None
    ending: str | None = None

    message: str | None = None
    effects: tuple[Literal["notify", "withheld", "pull"], ...] | None = None
    told: tuple[Literal["first", "new_findings", "worsened", "reopened", "resolved"], ...] | None = None
    proposes: tuple[str, ...] | None = None
    withheld: tuple[str, ...] | None = None
    switch: Literal["live", "throttle", "shadow", "fallback", "stopped"] | None = None
    entry: str | None = None

    @property
    def fires(self) -> bool:
        """Tell whether it expects that the alert fires."""
        return self.alert is not None and (self.state or "firing") == "firing"

    @model_validator(mode="after")
    def _something(self) -> Expectation:
        subjects = {
            "an alert; name it: alert: PACK/RULE": (self.alert, ("labels", "no_data", "severity", "summary")),
            "a run; name it: run: RUNBOOK": (self.run, ("step", "detail", "runs")),
            "an act; name it: performed: SYSTEM.OPERATION": (self.performed, ("with_", "times")),
            "an alert or a run; name it: alert: PACK/RULE or run: RUNBOOK": (self.alert or self.run, ("state",)),
        }
        for subject, (named, fields) in subjects.items():
            orphans = [each for each in fields if getattr(self, each) not in (None, False, {})]
            if named is None and orphans:
                raise ValueError(f"`{orphans[0].rstrip('_')}` is of {subject}")
        if self.alert is not None and self.run is not None:
            raise ValueError("write one entry for the alert and another for the run")
        known = STATES["alert" if self.alert is not None else "step" if self.step is not None else "run"]
        if self.state is not None and self.state not in known:
            raise ValueError(f"`state` is one of {', '.join(known)}, not {self.state}")
        said = set(self.model_fields_set) - {"at", "model"}
        if not said:
            raise ValueError("this expects nothing; write alert:, incident:, effects: or entry:")
        return self


class Story(Document):
    """One story; what it leaves out, its document says for all.

    `log` are rows of the prediction log, or the file of each table, beside the test; `for` is how long it lasts where
    no series says so; `outcomes` are what becomes of the acts of runbooks, done unless said; `before` is what people
    did before its first beat; while the engine is `away` nothing runs, and with `past` its sources can tell what it
    missed.
    """

    test: str
    every: Duration | None = None
    start: datetime | None = None
    card: dict[str, Any] = Field(default_factory=dict)
    org: dict[str, Any] = Field(default_factory=dict)
    series: dict[str, Series] = Field(default_factory=dict)
    log: tuple[LogRows, ...] | dict[str, str] | None = None
    for_: Duration | None = Field(default=None, alias="for")
    serving: str | None = None
    past: Flag = False
    away: tuple[tuple[Duration, Duration], ...] = ()
    before: tuple[Act, ...] = ()
    acts: tuple[Act, ...] = ()
    expect: tuple[Expectation, ...] = ()
    outcomes: dict[str, Script] = Field(default_factory=dict)
    allow: tuple[str, ...] = ()

    @field_validator("every", "for_")
    @classmethod
    def _some_time(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value < timedelta(seconds=1):
            raise ValueError("the engine looks once a second at most")
        return value


class Suite(Document):
    """The tests of cards and packs, named in `of`; `card` is one for tests of packs only."""

    of: tuple[str, ...] = ()
    every: Duration = timedelta(minutes=1)
    card: dict[str, Any] = Field(default_factory=dict)
    org: dict[str, Any] = Field(default_factory=dict)
    tests: tuple[Story, ...] = Field(json_schema_extra={"minItems": 1})

    @field_validator("every")
    @classmethod
    def _some_time(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=1):
            raise ValueError("the engine looks once a second at most")
        return value

    def step(self, test: Story) -> timedelta:
        """Return how often the engine looks in a test."""
        return test.every or self.every

    def length(self, test: Story) -> timedelta:
        """Return the last instant of a test: that of its longest series, its rows, or what it says."""
        every = self.step(test)
        if test.for_ is not None:
            return test.for_ // every * every
        known = max((len(points(each)) for each in test.series.values()), default=0)
        rows = test.log if isinstance(test.log, tuple) else ()
        last = max((each.at + (each.rows - 1) * each.every for each in rows), default=timedelta(0))
        said = max([*(each.at for each in test.expect), *(each.at for each in test.acts)], default=timedelta(0))
        if known or rows:
            return max((known - 1) * every, last // every * every, timedelta(0))
        return said // every * every


def raw(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with other values for some of its fields; one that is null is left out."""
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def in_words(offset: timedelta) -> str:
    """Return an instant of a test as its author writes it."""
    return format_duration(offset) if offset else "0m"
