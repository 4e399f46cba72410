"""A rule as an author writes it: in a pack for every model, or in a card for one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from governance.core.document import Document, Duration, Flag, Severity, Share

Enforcement = Literal["observe", "notify", "act"]


class Then(Document):
    """What a firing rule proposes (notify) or does (act)."""

    runbook: str | None = None
    switch: Literal["throttle", "shadow", "fallback", "stopped"] | None = None
    share: Share | None = None
    scope: Literal["version", "model", "labels"] = "version"
    expires: Duration | None = None

    def describe(self) -> str:
        """Return the proposal as words, such as "run runbook roll-back"."""
        if self.runbook:
            return f"run runbook {self.runbook}"
        share = f" {self.share:.0%}" if self.share is not None else ""
        return f"switch {self.scope} to {self.switch}{share}"


class NoData(Document):
    """What missing data means for a rule: after `for` it alerts, counts as fine, or keeps the state."""

    for_: Duration | None = Field(default=None, alias="for")
    then: Literal["alert", "ok", "keep"] = "alert"
    severity: Severity = "warning"


class Rule(Document):
    """A named CEL condition; it is true when something is wrong. Omitted fields of an override are inherited.

    `applies_to` is a condition over the card: a rule of a pack is not applicable to other models.
    """

    rule: str
    applies_to: str | None = None
    when: str | dict[Severity, str] | None = None
    severity: Severity | None = None
    for_: Duration | None = Field(default=None, alias="for")
    keep_firing_for: Duration | None = None
    for_each: dict[str, str] | None = None
    enforcement: Enforcement | None = None
    no_data: NoData | None = None
    then: Then | None = None
    overridable: Flag | None = None
    summary: str | None = None
    remedy: str | None = None
    controls: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_severity(self) -> Rule:
        if self.when == {}:
            raise ValueError("`when` names no severity, so that the rule would never fire")
        if isinstance(self.when, dict) and self.severity is not None:
            raise ValueError("`when` names its severities already; remove `severity`")
        if self.for_each is not None and len(self.for_each) != 1:
            raise ValueError("`for_each` takes one variable, such as {feature: card.data.features}")
        return self

    def conditions(self) -> dict[Severity, str]:
        """Return the expression of each severity; one expression without a severity is a warning."""
        if isinstance(self.when, dict):
            return dict(self.when)
        return {self.severity or "warning": self.when} if self.when is not None else {}
