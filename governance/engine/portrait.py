"""All that is known of a model at an instant, for those who hand it on: its policy, what was measured, evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from governance.core.card import Card
from governance.core.cell import column
from governance.core.compiled import CompiledPolicy
from governance.core.evidence import Evidence
from governance.core.organisation import Organisation
from governance.core.policy import EffectiveMetric
from governance.core.waiver import Waiver
from governance.engine.parts import Engine
from governance.engine.picture import Trouble, agenda, taken
from governance.engine.queries import policy_of, views_of
from governance.store import evidence, waivers
from governance.views import RuleView


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric for one label set: its value, or the reason why there is none; `count` is the rows it rests on.

    `time` is the instant that the value speaks for.
    """

    metric: EffectiveMetric
    labels: Mapping[str, str]
    value: float | None
    count: int | None
    reason: str = ""
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Portrait:
    """One model as of `at`; `version` is the digest of all policies."""

    policy: CompiledPolicy
    organisation: Organisation
    version: str
    at: datetime
    verdicts: tuple[RuleView, ...]
    measured: tuple[Measured, ...]
    evidence: Evidence
    waivers: tuple[Waiver, ...]

    @property
    def card(self) -> Card:
        """The model's card."""
        return self.policy.policy.card

    @property
    def serving(self) -> str:
        """The version that serves, as far as the card says."""
        serving = self.card.versions.serving if self.card.versions else None
        return serving if isinstance(serving, str) else ""

    def whole(self) -> list[Measured]:
        """Return what was measured of the model as a whole."""
        return [each for each in self.measured if not each.metric.labels and each.value is not None]

    def slices(self) -> list[Measured]:
        """Return what was measured of slices."""
        return [each for each in self.measured if "slice" in each.metric.labels and each.value is not None]


def portrait(engine: Engine, model: str, at: datetime) -> Portrait:
    """Ask for everything about a model as of `at`; nothing is written.

    :raises NotFound: when no card declares the model
    """
    policy = policy_of(engine, model)
    metrics = policy.policy.metrics.values()
    picture = taken(engine, agenda([policy], None, at, Trouble()), at, also=[(model, each.query) for each in metrics])
    with engine.database.read() as connection:
        holding = tuple(each for each in waivers.holding(connection, at) if each.model == model)
        recorded = evidence.latest(connection, known_by=at).get(model, Evidence())
    measured = tuple(
        Measured(metric, dict(labels), cell.value, cell.count, cell.detail, cell.time)
        for metric in metrics
        for labels, cell in column(metric, picture.answers.get(metric.query), at).cells.items()
    )
    verdicts = tuple(views_of(picture, policy, holding))
    return Portrait(policy, engine.organisation, engine.plan.version, at, verdicts, measured, recorded, holding)
