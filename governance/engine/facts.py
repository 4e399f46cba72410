"""What is known of a model beside its metrics: which version serves, and what evidence there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from governance.core.compiled import CompiledPolicy
from governance.core.evidence import Evidence, as_context
from governance.core.metric import Answer, Query
from governance.core.question import VERSION, filled

NO_EVIDENCE = Evidence()


@dataclass(frozen=True, slots=True)
class Facts:
    """The version that serves ("" when it is not known), the evidence, and the variables that expressions see."""

    version: str = ""
    variables: Mapping[str, object] = field(default_factory=dict)

    def asked(self, query: Query) -> Query | None:
        """Return the question with what is known now; None when it needs a version that is not known."""
        found = filled(query, self.version)
        needed = VERSION in query.text or re.search(r":version\b", query.text)
        return None if needed and not self.version else found


def facts(
    policies: Iterable[CompiledPolicy], answers: Mapping[Query, Answer], evidence: Mapping[str, Evidence]
) -> dict[str, Facts]:
    """Return what is known of every model; `answers` are those of the registries, or what they said last."""
    return {
        policy.model: _of(policy, answers.get(policy.registry) if policy.registry else None, evidence)
        for policy in policies
    }


def registry_failure(answer: Answer) -> str:
    """Return why a registry could not say which version serves, "" when it did."""
    if answer.failure:
        return answer.failure
    if len(answer.samples) != 1 or "version" not in dict(answer.samples[0].labels):
        detail = next((each.detail for each in answer.samples if each.detail), "")
        return detail or f"it names {len(answer.samples)} serving versions"
    if _trained(answer.samples[0].value) is None and answer.samples[0].value is not None:
        return f"it says that the version was trained at {answer.samples[0].value:g} s since 1970"
    return ""


def _trained(seconds: float | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
    except (ValueError, OverflowError, OSError):  # not a number, or no time that there is
        return None


def _of(policy: CompiledPolicy, answer: Answer | None, evidence: Mapping[str, Evidence]) -> Facts:
    known = evidence.get(policy.model, NO_EVIDENCE)
    if policy.registry is None:
        serving = policy.policy.card.versions.serving if policy.policy.card.versions else None
        return Facts(serving if isinstance(serving, str) else "", {"evidence": as_context(known)})
    card: dict[str, Any] = policy.policy.card.model_dump(exclude_none=True)
    version = ""
    if answer is not None and not registry_failure(answer):
        (sample,) = answer.samples
        version = dict(sample.labels)["version"]
        trained = _trained(sample.value)
        if trained is not None:
            known = replace(known, trained=max(trained, known.trained or trained))
    card["versions"] = {**card["versions"], "serving": version or None}
    return Facts(version, {"card": card, "evidence": as_context(known)})
