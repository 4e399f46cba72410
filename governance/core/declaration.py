"""What a card declares beside what is measured: how the model is made, what its answers decide, how it was approved."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from governance.core.document import Document, Duration, Instant, Number, ParameterValue


class Component(Document):
    """A part of the model that has to be worth what it costs; `lift` is what the metric `of` gains by it."""

    lift: Number | None = None
    of: str | None = None
    latency: Number | None = None
    cost_per_1k: Number | None = None


class Provenance(Document):
    """What it takes to make the same model again: code, data, preprocessing and environment, each by version."""

    code: str | None = None
    data: str | None = None
    preprocessing: str | None = None
    environment: str | None = None


class Design(Document):
    """How the model is made, and why it is not a simpler one."""

    type: Literal["rules", "classic", "deep", "language"] = "classic"
    architecture: str | None = None
    hyperparameters: dict[str, ParameterValue] = Field(default_factory=dict)
    inference: str | None = None
    baseline: str | None = None
    gain: str | None = None
    components: dict[str, Component] = Field(default_factory=dict)
    provenance: Provenance = Provenance()


class ErrorCosts(Document):
    """What a wrong decision costs, in the currency of the card's `cost`."""

    false_positive: Number
    false_negative: Number


class DecisionPolicy(Document):
    """What becomes of a score: thresholds by segment, rules and checks around them, and who may override them."""

    used_for: str | None = None
    thresholds: dict[str, Number] = Field(default_factory=dict)
    costs: ErrorCosts | None = None
    rules: tuple[str, ...] = ()
    safety: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()


class EvaluationSet(Document):
    """The data on which a version is approved, and how long they speak for the present."""

    name: str
    as_of: Instant
    refresh_every: Duration


class EvaluationCard(Document):
    """How a version is approved, and the few metrics by which the model is known to be well, by what they tell."""

    spec: str | None = None
    set: EvaluationSet | None = None
    approve_on: tuple[str, ...] = ()
    bias: str | None = None
    business: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    leading: tuple[str, ...] = ()


class Contract(Document):
    """What a feed promises: who answers for it, its schema and expectations, how long before a change it is told."""

    owner: str | None = None
    expects: str | None = None
    notice: Duration | None = None
