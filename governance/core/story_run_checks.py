"""What can be wrong with the runs of runbooks in a policy test before it is played: the names in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from governance.core.authored import Authored, Path
from governance.core.own_act import is_own
from governance.core.placed import placed, unknown
from governance.core.problem import Problem
from governance.core.runbook import Runbook
from governance.core.story import Act, Expectation, Suite

_AT_STEPS = ("tick", "retry", "skip", "settle")
_ON_RUNS = ("pause", "resume", "cancel")


def run_problems(suite: Authored[Suite], index: int, runbooks: Mapping[str, Runbook]) -> Iterator[Problem]:
    """Yield the runbooks, steps and acts in a test that there are not, and what is said of acts in vain."""
    test, path = suite.document.tests[index], ("tests", index)
    acts = _acts(runbooks.values())
    for number, act in enumerate(test.acts):
        yield from _act(suite, (*path, "acts", number), act, runbooks)
    for number, one in enumerate(test.expect):
        yield from _expected(suite, (*path, "expect", number), one, runbooks)
        if one.performed is not None and one.performed not in acts:
            yield unknown(suite, (*path, "expect", number, "performed"), "act", one.performed, acts)
    for name in test.outcomes:
        yield from _outcome(suite, (*path, "outcomes", name), name, acts)


def _act(suite: Authored[Suite], where: Path, act: Act, runbooks: Mapping[str, Runbook]) -> Iterator[Problem]:
    if act.run is not None and act.run not in runbooks:
        yield unknown(suite, (*where, "run"), "runbook", act.run, runbooks)
    steps = _steps(runbooks.values())
    for each in _AT_STEPS:
        if (step := getattr(act, each)) is not None and step not in steps:
            yield unknown(suite, (*where, each), "step", step, steps)
    for each in _ON_RUNS:
        if (named := getattr(act, each)) is not None and named not in runbooks and not _is_id(named):
            yield unknown(suite, (*where, each), "runbook", named, runbooks)


def _expected(
    suite: Authored[Suite], where: Path, one: Expectation, runbooks: Mapping[str, Runbook]
) -> Iterator[Problem]:
    if one.run is not None and one.run not in runbooks and not _is_id(one.run):
        yield unknown(suite, (*where, "run"), "runbook", one.run, runbooks)
    elif one.step is not None:
        named = runbooks.get(one.run or "")
        known = _steps([named] if named is not None else runbooks.values())
        if one.step not in known:
            yield unknown(suite, (*where, "step"), "step", one.step, known)


def _outcome(suite: Authored[Suite], where: Path, name: str, acts: Collection[str]) -> Iterator[Problem]:
    if name not in acts:
        yield unknown(suite, where, "act", name, acts)
    elif is_own(name):
        message = f"'{name}' is done on the engine itself, which the test plays; what comes of it is seen, not said"
        yield placed(suite, where, "no-effect", message, "remove it")


def _acts(runbooks: Collection[Runbook]) -> set[str]:
    steps = [step for each in runbooks for step in each.steps]
    return {each.act for each in steps if each.act} | {each.undo.act for each in steps if each.undo is not None}


def _steps(runbooks: Iterable[Runbook]) -> set[str]:
    return {step.step for each in runbooks for step in each.steps}


def _is_id(name: str) -> bool:
    return name.startswith("RUN-")
