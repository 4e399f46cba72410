"""What checking an expression finds, and how an evaluation ends without a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from governance.core.expression.reference import Reference


@dataclass(frozen=True, slots=True)
class ExpressionProblem:
    """One thing wrong with an expression; line and column count from 1 within its text, length in characters."""

    code: str
    message: str
    line: int
    column: int
    length: int = 1
    suggestion: str = ""


class ExpressionError(Exception):
    """The expression cannot be used; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Sequence[ExpressionProblem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class EvaluationFailed(Exception):
    """The expression has no outcome for these values; `reason` is one sentence for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Missing(Exception):
    """The outcome rests on values that are missing; `references` are those."""

    def __init__(self, references: Sequence[Reference]) -> None:
        super().__init__("no data for " + ", ".join(each.text for each in references))
        self.references = tuple(references)


def problem_at(text: str, span: tuple[int, int], code: str, message: str, suggestion: str = "") -> ExpressionProblem:
    """Return a problem at a span of offsets into the text; of a span over several lines it marks the first."""
    return ExpressionProblem(code, message, *place_of(text, span), suggestion)


def place_of(text: str, span: tuple[int, int]) -> tuple[int, int, int]:
    """Return the line and column of a span of offsets, counted from 1, and its length on that line."""
    start, end = span
    before = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    stop = min(end, line_end) if line_end >= 0 else end
    return text.count("\n", 0, start) + 1, start - before + 1, max(1, stop - start)
