"""A pack: rules and metrics for every card it selects."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from governance.core.document import Document, ParameterValue
from governance.core.measurement import Metric
from governance.core.rule import Rule


class Parameter(Document):
    """A limit that cards may set; `tighter` says which direction is stricter."""

    default: ParameterValue
    tighter: Literal["lower", "higher"] | None = None


class Pack(Document):
    """Rules and defaults for every card that `applies_to` selects (CEL over the card; empty: every card).

    `defaults` are values that a card may omit, written as in a card: {retraining: {every: 30d}}.
    """

    pack: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    description: str | None = None
    applies_to: str | None = None
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    defaults: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Metric] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
