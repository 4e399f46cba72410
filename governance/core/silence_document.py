"""A silence as somebody writes it in YAML, such as one for a maintenance that is planned."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from pydantic import Field, model_validator

from governance.core.authored import Authored
from governance.core.authority import Refused, authority
from governance.core.compiled import CompiledPolicy
from governance.core.document import Document, Instant
from governance.core.organisation import Organisation
from governance.core.placed import placed, unknown
from governance.core.problem import Problem
from governance.core.requested import WrittenSilence

LONGEST = timedelta(days=31)
"""A silence must end: what is muted for longer is a rule that should be changed."""


class SilenceDocument(Document):
    """Notifications that are muted from an instant to another; without `model` all of them."""

    because: str = Field(min_length=1)
    by: str
    from_: Instant = Field(alias="from")
    until: Instant
    model: str | None = None
    rule: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _short(self) -> SilenceDocument:
        if not timedelta(0) < self.until - self.from_ <= LONGEST:
            raise ValueError(f"a silence ends after it begins, and within {LONGEST.days} days")
        return self


def written_silence(silence: Authored[SilenceDocument]) -> WrittenSilence:
    """Return what a file asks for."""
    said = silence.document
    key = hashlib.sha256(said.model_dump_json().encode()).hexdigest()[:16]
    labels = tuple(sorted(said.labels.items()))
    return WrittenSilence(key, said.model or "", said.rule or "", labels, said.because, said.by, said.from_, said.until)


def silence_problems(
    silences: Sequence[Authored[SilenceDocument]], policies: Mapping[str, CompiledPolicy], organisation: Organisation
) -> Iterator[Problem]:
    """Check the silences against the policies; whether one is over is no matter of the file."""
    for each in silences:
        said = each.document
        policy = policies.get(said.model) if said.model is not None else None
        if said.model is not None and policy is None:
            yield unknown(each, ("model",), "model", said.model, policies)
            continue
        about = [policy] if policy is not None else list(policies.values())
        rules = {rule.id for one in about for rule in one.policy.rules}
        if said.rule is not None and said.rule not in rules:
            yield unknown(each, ("rule",), "rule", said.rule, rules)
        if organisation.people and said.by not in organisation.people:
            yield unknown(each, ("by",), "person", said.by, organisation.people)
            continue
        card = policy.policy.card if policy is not None else None
        found = authority(said.by, "silence.create", card, organisation)
        if isinstance(found, Refused):
            yield placed(each, ("by",), "may-not-silence", str(found))
