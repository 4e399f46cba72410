"""What differs between two versions of a runbook, and whether it asks fewer people before it acts than it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from governance.core.authored import Authored
from governance.core.run_path import ways
from governance.core.runbook import CONTINUE, END, STOP, Consent, Runbook, Step

RunbookEffect = Literal["added", "removed", "changed", "loosened"]


@dataclass(frozen=True, slots=True)
class RunbookChange:
    """How one runbook differs; `reasons` say what it no longer asks people for."""

    runbook: str
    effect: RunbookEffect
    reasons: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The difference in words."""
        return f"{self.effect} runbook {self.runbook}" + (f": {'; '.join(self.reasons)}" if self.reasons else "")


def runbook_changes(
    before: Mapping[str, Authored[Runbook]], after: Mapping[str, Authored[Runbook]]
) -> tuple[RunbookChange, ...]:
    """Return which runbooks are new, gone or say something else; one that asks less before it acts is loosened."""
    common = [name for name in after if name in before and before[name].document != after[name].document]
    return (
        *(RunbookChange(name, "added") for name in after if name not in before),
        *(RunbookChange(name, "removed") for name in before if name not in after),
        *(_change(name, before[name].document, after[name].document) for name in common),
    )


def unasked(runbook: Runbook, consent: str) -> frozenset[str]:
    """Return the steps, and END, to which a run can come without the consent that a step asks for.

    A consent that is skipped, or that nobody has to give, as the run goes on without it, guards nothing.
    """
    found = dict(ways(runbook))
    names = [each.step for each in runbook.steps]
    asked = runbook.steps[names.index(consent)]
    found[consent] = frozenset(_past(asked, [*names, END][names.index(consent) + 1]))
    seen: set[str] = set()
    waiting = [names[0]]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(found.get(name, ()))
    return frozenset(seen)


def _past(step: Step, following: str) -> Iterator[str]:
    """Yield where a run goes on from a consent that nobody gave."""
    if step.when is not None:
        yield following
    for where in (step.on_failure, step.on_timeout):
        if where is not None and where != STOP:
            yield following if where == CONTINUE else where


def _change(name: str, old: Runbook, new: Runbook) -> RunbookChange:
    reasons = tuple(dict.fromkeys(_reasons(old, new)))
    return RunbookChange(name, "loosened" if reasons else "changed", reasons)


def _reasons(old: Runbook, new: Runbook) -> Iterator[str]:
    before, after = _guards(old), _guards(new)
    asks = any(before.values())
    for act, guards in after.items():
        if act in before:
            yield from _weaker(act, before[act], guards)
        elif asks and not guards:
            yield f"{act} is new and asks nobody"
    olds, news = _consents(old), _consents(new)
    for step in olds.keys() & news.keys():
        if olds[step].when != news[step].when and olds[step].when is not None:
            yield f"when {step} is asked changed; whether that is stricter cannot be told"


def _weaker(act: str, before: Mapping[str, Consent], after: Mapping[str, Consent]) -> Iterator[str]:
    others = [each for name, each in after.items() if name not in before]
    for name, wanted in before.items():
        if any(_as_strict(each, wanted) for each in (*([after[name]] if name in after else []), *others)):
            continue
        if name not in after:
            yield f"{act} can be done without {name}"
            continue
        found = after[name]
        if found.people < wanted.people:
            yield f"{name} asks {found.people} instead of {wanted.people} before {act}"
        if found.role != wanted.role:
            yield f"{name} asks the role {found.role}, was {wanted.role}; whether that is stricter cannot be told"
        if found.not_ == "nobody" and wanted.not_ == "starter":
            yield f"{name} may be given by whoever started it"


def _as_strict(found: Consent, wanted: Consent) -> bool:
    own = found.not_ == wanted.not_ or found.not_ == "starter"
    return found.role == wanted.role and found.people >= wanted.people and own


def _consents(runbook: Runbook) -> dict[str, Step]:
    return {each.step: each for each in runbook.steps if each.approve is not None}


def _guards(runbook: Runbook) -> dict[str, dict[str, Consent]]:
    """Return, for each step that acts, the consents without which no run comes to it."""
    free = {name: unasked(runbook, name) for name in _consents(runbook)}
    return {
        each.step: {
            name: step.approve
            for name, step in _consents(runbook).items()
            if step.approve is not None and each.step not in free[name]
        }
        for each in runbook.steps
        if each.act is not None
    }
