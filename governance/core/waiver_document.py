"""A waiver as somebody asks for it in YAML, and what must be so for it to make sense."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from pydantic import Field, field_validator

from governance.core.authored import Authored
from governance.core.authority import Refused, authority
from governance.core.compiled import CompiledPolicy
from governance.core.document import Document, Instant
from governance.core.duration import parse_duration
from governance.core.organisation import Organisation
from governance.core.placed import placed, unknown
from governance.core.problem import Problem
from governance.core.waiver import Event, WrittenWaiver

_EVENTS: tuple[Event, ...] = ("new_version", "retrained")
_UNUSED = "unused_for"


class WaiverDocument(Document):
    """A request that a rule is not enforced on a model; it takes effect when somebody else approves it.

    It ends with the first of `until` and what `ends_on` names: new_version, retrained, "unused_for 14d".
    """

    rule: str
    model: str
    labels: dict[str, str] = Field(default_factory=dict)
    because: str = Field(min_length=1)
    requested_by: str
    until: Instant
    ends_on: tuple[str, ...] = ()

    @field_validator("ends_on")
    @classmethod
    def _known_ends(cls, ends: tuple[str, ...]) -> tuple[str, ...]:
        split_ends(ends)
        return ends


def split_ends(ends: Sequence[str]) -> tuple[tuple[Event, ...], timedelta | None]:
    """Return the events and the time without use that end a waiver, as they are written in `ends_on`.

    :raises ValueError: saying what may be written.
    """
    events: list[Event] = []
    unused: timedelta | None = None
    for each in ends:
        word, _, rest = each.partition(" ")
        if word == _UNUSED and rest:
            unused = parse_duration(rest.strip())
            if unused < timedelta(hours=1):
                raise ValueError("a waiver is unused for an hour or longer")
        elif (event := next((one for one in _EVENTS if one == each), None)) is not None:
            events.append(event)
        else:
            raise ValueError(f"ends_on takes new_version, retrained and 'unused_for 14d', not '{each}'")
    return tuple(dict.fromkeys(events)), unused


def written_waiver(waiver: Authored[WaiverDocument]) -> WrittenWaiver:
    """Return what a file asks for."""
    said = waiver.document
    events, unused = split_ends(said.ends_on)
    labels = tuple(sorted(said.labels.items()))
    digest = hashlib.sha256(said.model_dump_json().encode()).hexdigest()[:16]
    return WrittenWaiver(
        digest, said.model, said.rule, labels, said.because, said.requested_by, said.until, events, unused,
        waiver.source.at(("rule",)),
    )  # fmt: skip


def waiver_problems(
    waivers: Sequence[Authored[WaiverDocument]], policies: Mapping[str, CompiledPolicy], organisation: Organisation
) -> Iterator[Problem]:
    """Check the waivers against the policies; whether one has ended is no matter of the file."""
    seen: dict[tuple[object, ...], str] = {}
    for each in waivers:
        said = each.document
        policy = policies.get(said.model)
        if policy is None:
            yield unknown(each, ("model",), "model", said.model, policies)
            continue
        yield from _rule_problems(each, policy)
        yield from _person_problems(each, policy, organisation)
        key = (said.model, said.rule, tuple(sorted(said.labels.items())))
        if key in seen:
            message = f"{seen[key]} asks for the same waiver"
            yield placed(each, ("rule",), "duplicate-waiver", message, "keep one of the files")
        seen.setdefault(key, each.source.file)


def _rule_problems(waiver: Authored[WaiverDocument], policy: CompiledPolicy) -> Iterator[Problem]:
    said = waiver.document
    why = next((each.reason for each in policy.inapplicable if each.rule == said.rule), None)
    if why is not None:
        message = f"'{said.rule}' is not judged for {said.model}: {why}"
        yield placed(waiver, ("rule",), "nothing-to-waive", message, "remove this file")
        return
    rule = next((each for each in policy.rules if each.rule.id == said.rule), None)
    if rule is None:
        if said.rule not in {each.id for each in policy.policy.rules}:  # else the problems of the rule are told
            yield unknown(waiver, ("rule",), "rule", said.rule, {each.rule.id for each in policy.rules})
        return
    for name in said.labels:
        if name not in rule.dimensions:
            message = f"the instances of '{said.rule}' have no label '{name}'"
            listed = f"; they have {', '.join(rule.dimensions)}" if rule.dimensions else ""
            yield placed(waiver, ("labels", name), "unknown-label", message + listed)


def _person_problems(
    waiver: Authored[WaiverDocument], policy: CompiledPolicy, organisation: Organisation
) -> Iterator[Problem]:
    name = waiver.document.requested_by
    if organisation.people and name not in organisation.people:
        yield unknown(waiver, ("requested_by",), "person", name, organisation.people)
        return
    found = authority(name, "waiver.request", policy.policy.card, organisation)
    if isinstance(found, Refused):
        yield placed(waiver, ("requested_by",), "may-not-request", str(found))
