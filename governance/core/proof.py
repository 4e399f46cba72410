"""What a run of a runbook that came to its end proves for the model, and why one proves nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from governance.core.evidence import EvidenceKind
from governance.core.run import Run, Visit
from governance.core.runbook import CONTINUE, Step


@dataclass(frozen=True, slots=True)
class Proof:
    """What a run proves, None for nothing; `gaps` say which of its steps did not come off, whatever it proves."""

    kind: EvidenceKind | None
    gaps: tuple[str, ...] = ()


def proof(run: Run) -> Proof:
    """Return what a run proves that has ended, or has stopped.

    What its author says under `proves` is proved by a live run, and by a dry one where the runbook itself says that it
    is a dry run. To go through the runbook that the card would roll back with, dry or live, is to practise the
    rollback. Neither is proved where a step failed or nobody came, unless its author says to continue then, nor where a
    person skipped a step.
    """
    gaps = tuple(_gaps(run))
    return Proof(_kind(run) if run.state == "done" and not gaps else None, gaps)


def rollback_runbook(card: Mapping[str, object]) -> str:
    """Return the runbook that a card is rolled back with, "" of none."""
    here: object = card
    for name in ("rollback", "then", "runbook"):
        here = here.get(name) if isinstance(here, Mapping) else None
    return here if isinstance(here, str) else ""


def _kind(run: Run) -> EvidenceKind | None:
    if run.runbook.proves is not None and (run.mode == "live" or run.runbook.dry_run):
        return run.runbook.proves
    return "drilled" if run.runbook.runbook == rollback_runbook(run.card) else None


def _gaps(run: Run) -> Iterator[str]:
    steps = {each.step: each for each in run.runbook.steps}
    for visit in {each.step: each for each in run.visits if not each.undoes}.values():  # the last at each step
        said = _gap(visit, steps.get(visit.step))
        if said:
            yield f"{visit.step} {said}"


def _gap(visit: Visit, step: Step | None) -> str:
    """Return why what became of a step proves nothing, "" where it does or need not."""
    if step is None or (visit.state == "skipped" and not visit.by):
        return ""
    failed, late = step.on_failure, step.on_timeout or step.on_failure
    handled = (visit.state == "failed" and failed == CONTINUE) or (visit.state == "timed_out" and late == CONTINUE)
    if visit.state in ("done", "undone") or handled:
        return ""
    word = visit.state.replace("_", " ") if visit.state != "skipped" else f"was skipped by {visit.by}"
    return f"{word}: {visit.detail}" if visit.detail and visit.state != "skipped" else word
