"""The card: the declarative YAML of one model."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, Strict, field_validator, model_validator

from governance.core.cadence import Cadence
from governance.core.declaration import Contract, DecisionPolicy, Design, EvaluationCard
from governance.core.document import Count, Document, Duration, Flag, Number, ParameterValue, Share
from governance.core.measurement import Comparison, Metric
from governance.core.rule import Enforcement, Rule, Then

Pii = Literal["none", "pseudonymous", "direct", "sensitive", "free_text"]
Tier = Literal[1, 2, 3]
Rolled = Literal["shadow", "canary", "ab", "blue-green", "gradual"]


class Owners(Document):
    """Who answers for the model."""

    team: str
    accountable: str | None = None
    escalation: str | None = None
    channel: str | None = None


class RegistryName(Document):
    """A version that a registry knows."""

    registry: str
    name: str
    serving: str


class Rollout(Document):
    """A version that gets a share of the traffic."""

    version: str
    share: Share


class Versions(Document):
    """Which version serves, and what takes its place."""

    serving: str | RegistryName | None = None
    checksum: str | None = None
    rollback_to: str | None = None
    fallback: str | None = None
    rollout: Rolled | None = None
    canary: Rollout | None = None
    shadow: str | None = None
    prompt: str | None = None
    provider: str | None = None
    retrieval: str | None = None


class Columns(Document):
    """Which column of the prediction log plays which role; `time` is required."""

    time: str
    request: str | None = None
    version: str | None = None
    score: str | None = None
    decision: str | None = None
    latency: str | None = None
    cost: str | None = None
    error: str | None = None
    fallback: str | None = None
    override: str | None = None
    feature_time: str | None = None
    label: str | None = None
    label_time: str | None = None


class Log(Document):
    """The prediction log: a table of a source; `labels` is the table of the truth when it is another one.

    `reference` is a table with the training-time rows under the same column names. `predicts` says what the score is:
    the probability of a yes, or a number in the label's unit.
    """

    source: str
    table: str
    columns: Columns
    predicts: Literal["probability", "number"] = "probability"
    labels: str | None = None
    reference: str | None = None


class Truth(Document):
    """How long the truth takes: most of it is there after `delay`, all of it after `complete_after`."""

    delay: Duration
    complete_after: Duration
    source: str | None = None
    kind: Literal["direct", "indirect", "proxy", "human"] | None = None


Bound = Annotated[float, Strict()]
"""A bound of a range, which may be infinite: [0, .inf] is whatever is not negative."""


class FeatureCard(Document):
    """One declared input; `against` overrides what its distribution is compared with.

    `drift: false` leaves out a feature whose distribution over a day says nothing, such as the weather of a season.
    `default` stands in where the value is unknown; `definition` is where the one that computes it lies, by version.
    """

    type: Literal["number", "category", "text"] = "number"
    unit: str | None = None
    range: tuple[Bound, Bound] | None = None
    pii: Pii = "none"
    owner: str | None = None
    against: Comparison | None = None
    drift: Flag = True
    default: Bound | str | None = None
    definition: str | None = None
    sources: tuple[str, ...] = ()
    computed: Literal["online", "offline", "both"] | None = None
    over: Duration | None = None
    nulls: str | None = None


class OutputCard(Document):
    """One declared output."""

    pii: Pii = "none"


class Retention(Document):
    """How long a kind of data is kept."""

    at_most: Duration
    at_least: Duration | None = None
    where: str | None = None


class Data(Document):
    """What the model sees, for how long it is kept, who may query it, where it comes from."""

    features: dict[str, FeatureCard] = Field(default_factory=dict)
    outputs: dict[str, OutputCard] = Field(default_factory=dict)
    retention: dict[Literal["predictions", "features", "labels"], Retention] = Field(default_factory=dict)
    access: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    contracts: dict[str, Contract] = Field(default_factory=dict)
    subject: str | None = None
    trained_on: Flag | None = None


class Cost(Document):
    """The cost envelope."""

    per_1k: Number | None = None
    per_day: Number | None = None
    currency: str = "USD"
    owner: str | None = None


class Trigger(Document):
    """A rule in shorthand (`rollback`, `retraining`): when it holds for that long, do or propose `then`."""

    when: str | None = None
    for_: Duration | None = Field(default=None, alias="for")
    enforcement: Enforcement | None = None
    then: Then | None = None


class Rollback(Trigger):
    """When and by whom the previous version is put back."""

    how: str | None = None
    authority: tuple[str, ...] = ()
    drill_every: Duration | None = None


class Retraining(Trigger):
    """When the model is trained again."""

    every: Duration | None = None
    lead_time: Duration | None = None


class Slo(Document):
    """A service level objective: of all events, or of all minutes, the share that must be good over `window`.

    Either `errors` and `total` are metrics that count events, or `good` is a condition that holds in a good minute
    (with `per: batch`, of a good batch).
    """

    objective: Share
    window: Duration = timedelta(days=28)
    errors: str | None = None
    total: str | None = None
    good: str | None = None
    per: Literal["minute", "batch"] = "minute"

    @model_validator(mode="after")
    def _events_or_minutes(self) -> Slo:
        if (self.errors is None) != (self.total is None):
            raise ValueError("an SLO over events has both `errors` and `total`")
        if (self.good is None) == (self.errors is None):
            raise ValueError("an SLO has either `errors` and `total`, or `good`")
        if not 0 < self.objective < 1:
            raise ValueError("an objective lies between 0% and 100%: all is never good")
        return self


class Review(Document):
    """A review that somebody owes at intervals."""

    by: str
    every: Duration
    regime: str | None = None


class Card(Document):
    """The YAML of one model: facts about it and its own rules."""

    model: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    description: str | None = None
    tier: Tier = 2
    labels: dict[str, str] = Field(default_factory=dict)
    regimes: tuple[str, ...] = ()
    cadence: Cadence = Cadence()
    owners: Owners
    versions: Versions | None = None
    design: Design | None = None
    decision: DecisionPolicy | None = None
    evaluation: EvaluationCard | None = None
    log: Log | None = None
    truth: Truth | None = None
    slices: tuple[str | dict[str, str], ...] = ()
    data: Data | None = None
    metrics: dict[str, Metric] = Field(default_factory=dict)
    slos: dict[str, Slo] = Field(default_factory=dict)
    cost: Cost | None = None
    retraining: Retraining | None = None
    rollback: Rollback | None = None
    review: tuple[Review, ...] = ()
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    max_instances: Count = 500

    @field_validator("slices")
    @classmethod
    def _one_name_each(cls, slices: tuple[str | dict[str, str], ...]) -> tuple[str | dict[str, str], ...]:
        if any(isinstance(item, dict) and len(item) != 1 for item in slices):
            raise ValueError("a computed slice is {name: SQL expression}")
        return slices

    def slice_expressions(self) -> tuple[tuple[str, str], ...]:
        """Return (name, SQL expression) of each slice; a bare name is the column of that name."""
        pairs = [({item: f'"{item}"'} if isinstance(item, str) else item) for item in self.slices]
        return tuple(next(iter(pair.items())) for pair in pairs)
