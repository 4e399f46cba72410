"""Which runbook a person means to start on which model, by the words they typed; nothing here asks or draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from governance.views import FleetRow, IncidentView
from governance.views.runs import RunbookView
from tui.known import Snapshot

FILL = frozenset({"start", "run", "runbook", "on", "for"})
"""Words that say that something is to be started, and name nothing."""
MOST = 12
"""Starts that are offered at once."""
MODELS = 5
"""Models for which the engine is asked at once whether a runbook can be started."""
SHORTEST = 3
"""Letters of a word by which a runbook is meant: of what is only begun the engine is not asked."""
UNFIT = "is not for this model"
"""What the engine says of a runbook whose condition over the card does not hold."""
WORST = 3
"""Models in trouble that are offered where no model is named or under the cursor."""


@dataclass(frozen=True, slots=True)
class Start:
    """A runbook on a model, about the incident that was named, or the worst open one of the model, if any."""

    runbook: str
    model: str
    incident: IncidentView | None


def refusal(runbook: RunbookView) -> str:
    """Return why a runbook cannot be started for the model that it was asked for, "" where it can."""
    return runbook.refused or (runbook.may.because if runbook.may is not None and not runbook.may.allowed else "")


def starts(
    known: Snapshot, runbooks: Sequence[RunbookView], words: Sequence[str], here: FleetRow | None
) -> list[Start]:
    """Return what may be meant: each word is of the runbook, of the model or its incident, or says that it starts."""
    said = [each for each in words if each not in FILL]
    return list(islice(_starts(known, runbooks, said, here, begins=len(said) < len(words)), MOST))


def _starts(
    known: Snapshot, runbooks: Sequence[RunbookView], said: Sequence[str], here: FleetRow | None, *, begins: bool
) -> Iterator[Start]:
    asked: set[str] = set()

    @lru_cache
    def models(rest: tuple[str, ...]) -> list[tuple[FleetRow, IncidentView | None]]:
        return list(islice(_models(known, rest, here), MODELS))

    for each in runbooks:
        name, about = each.runbook.lower(), each.description.lower()
        rest = tuple(word for word in said if word not in name and word not in about)
        if not begins and not any(len(word) >= SHORTEST for word in said if word not in rest):
            continue
        named = tuple(word for word in said if word not in name)  # of what is only described a model may be meant
        for row, incident in models(named) or models(rest):
            if row.model in asked or len(asked) < MODELS:
                asked.add(row.model)
                yield Start(each.runbook, row.model, incident)


def _models(
    known: Snapshot, words: Sequence[str], here: FleetRow | None
) -> Iterator[tuple[FleetRow, IncidentView | None]]:
    """Yield the models that are meant, what is typed in full and what is under the cursor before the others."""
    if not words:
        worst = islice((row for row in known.fleet.items if row.incidents and row.mode), WORST)
        chosen = [here] if here is not None and here.mode else worst
        yield from ((row, known.incident_of(row)) for row in chosen)
        return
    found = [row for row in known.fleet.items if row.mode and _fits(row, words)]
    first = here.model if here is not None else ""
    found.sort(key=lambda row: (row.model not in words, row.model != first, not row.incidents, row.model))
    for row in found:
        named = (known.incidents[each] for each in row.incidents if f"inc-{each}" in words and each in known.incidents)
        yield row, next(named, None) or known.incident_of(row)


def _fits(row: FleetRow, words: Sequence[str]) -> bool:
    return all(word in row.model or word in (f"inc-{each}" for each in row.incidents) for word in words)
