"""The ways through a runbook: where each step can go on, which steps come before it, and what no way leads to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from governance.core.runbook import CONTINUE, END, STOP, Goto, Runbook, Step

Ways = Mapping[str, frozenset[str]]


def ways(runbook: Runbook) -> Ways:
    """Return, for each step, the steps to which a run can go from it, and END; names of no step are left out."""
    names = [each.step for each in runbook.steps]
    known = {*names, END}
    return {
        step.step: frozenset(_ways(step, names[place + 1] if place + 1 < len(names) else END)) & known
        for place, step in enumerate(runbook.steps)
    }


def before(found: Ways) -> Mapping[str, frozenset[str]]:
    """Return, for each step, those that come before it on some way; on a way that comes back, itself too."""
    earlier: dict[str, set[str]] = {name: set() for name in found}
    grew = True
    while grew:
        grew = False
        for name, nexts in found.items():
            for each in nexts - {END}:
                more = {name, *earlier[name]} - earlier[each]
                earlier[each] |= more
                grew = grew or bool(more)
    return {name: frozenset(each) for name, each in earlier.items()}


def reached(runbook: Runbook, found: Ways) -> frozenset[str]:
    """Return the steps, and END, that a run can come to."""
    seen: set[str] = set()
    waiting = [runbook.steps[0].step]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(found.get(name, ()))
    return frozenset(seen)


def _ways(step: Step, after: str) -> Iterator[str]:
    if isinstance(step.then, Goto):
        yield from (step.then.step, after)
    else:
        yield step.then or after
    if step.when is not None:
        yield after  # a step that is skipped is as if it were not there
    for where in (step.on_failure, step.on_timeout):
        if where is not None and where not in (STOP, CONTINUE):
            yield where
