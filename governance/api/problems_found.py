"""What is wrong with the policies and tests that were read last, with what the pages on problems say of it."""

from __future__ import annotations

from governance import problem_pages
from governance.core.problem import Problem, printable
from governance.engine.parts import Engine
from governance.views import CheckView, ProblemView

MOST = 1000
"""Problems that are listed; all are counted."""
_WIDEST = 300


def checked(engine: Engine) -> CheckView:
    """Return every problem of the policies that cannot rule, none where those on disk rule; and every one of tests."""
    standing = engine.standing
    broken, tests = standing.broken, standing.tests
    untested = [*(broken.problems if broken is not None else ()), *(tests or ())]
    problems = sorted(dict.fromkeys(untested), key=lambda each: each.position)
    return CheckView(
        version=engine.plan.version,
        source=standing.source,
        since=broken.since if broken is not None else None,
        count=len(problems),
        in_tests=len(tests) if tests is not None else None,
        problems=[_view(each) for each in problems[:MOST]],
        refused=standing.refused,
        pull_failure=standing.pull_failure,
    )


def _view(problem: Problem) -> ProblemView:
    at, page = problem.position, problem_pages.page(problem.code)
    return ProblemView(
        file=at.file,
        line=at.line,
        column=at.column,
        length=at.length,
        code=problem.code,
        message=printable(problem.message),
        suggestion=printable(problem.suggestion),
        text=printable(problem.source.rstrip())[:_WIDEST],
        meaning=problem_pages.meaning(page) if page is not None else "",
        advice=problem_pages.advice(page) if page is not None else "",
    )
