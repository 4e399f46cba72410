"""Text with expressions in braces: "Recall {metrics.recall_by_slice} for {labels.slice}"; {{ and }} are braces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from governance.core.expression.context import Context
from governance.core.expression.display import displayed
from governance.core.expression.names import Names
from governance.core.expression.problem import (
    EvaluationFailed,
    ExpressionError,
    ExpressionProblem,
    Missing,
    problem_at,
)
from governance.core.expression.program import Program, compile_expression
from governance.core.expression.reference import Reference

_LITERAL = re.compile(r"(?:[^{}]|\{\{|\}\})+")
# Inside a hole strings may hold braces, and maps do: both are stepped over.
_TOKEN = re.compile(r"""[rR]?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|[{}]|[^{}"']+|["']""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Template:
    """A checked template."""

    text: str
    references: tuple[Reference, ...]
    variables: frozenset[str]
    _parts: tuple[str | Program, ...] = field(repr=False, compare=False)

    def render(self, values: Mapping[Reference, object], context: Context) -> str:
        """Return the text with values as people read them; "no data" for what is missing, "?" for what fails."""
        return "".join(part if isinstance(part, str) else _shown(part, values, context) for part in self._parts)

    @property
    def parts(self) -> tuple[str | Program, ...]:
        """The text outside the holes, and the expressions in them, in their order; without empty texts."""
        return tuple(part for part in self._parts if part != "")


def compile_template(text: str, names: Names) -> Template:
    """Parse and check a template; positions of problems count within the whole text.

    :raises ExpressionError: everything that is wrong with it
    """
    parts: list[str | Program] = []
    problems: list[ExpressionProblem] = []
    for literal, start, expression in _split(text, problems):
        parts.append(literal.replace("{{", "{").replace("}}", "}"))
        if expression is None:
            continue
        try:
            parts.append(compile_expression(expression, names))
        except ExpressionError as error:
            problems.extend(_moved(text, start, each) for each in error.problems)
    if problems:
        raise ExpressionError(problems)
    programs = [part for part in parts if isinstance(part, Program)]
    references = dict.fromkeys(each for program in programs for each in program.references)
    variables = frozenset().union(*(program.variables for program in programs))
    return Template(text, tuple(references), variables, tuple(parts))


def _shown(program: Program, values: Mapping[Reference, object], context: Context) -> str:
    try:
        return displayed(program.evaluate(values, context))
    except Missing:
        return "no data"
    except EvaluationFailed:
        return "?"


def _split(text: str, problems: list[ExpressionProblem]) -> Iterator[tuple[str, int, str | None]]:
    """Yield (literal text, offset of the expression after it, that expression or None)."""
    at = 0
    while at < len(text):
        literal = _LITERAL.match(text, at)
        end = literal.end() if literal else at
        if end == len(text):
            yield text[at:end], end, None
            return
        if text[end] == "}":
            problems.append(problem_at(text, (end, end + 1), "syntax", "unexpected '}'", "a brace is written }}"))
            return
        close = _closing(text, end + 1)
        if close is None:
            message = "this brace is not closed"
            problems.append(problem_at(text, (end, end + 1), "syntax", message, "a brace is written {{"))
            return
        yield text[at:end], end + 1, text[end + 1 : close]
        at = close + 1


def _closing(text: str, at: int) -> int | None:
    depth = 0
    for token in _TOKEN.finditer(text, at):
        if token[0] == "{":
            depth += 1
        elif token[0] == "}":
            if depth == 0:
                return token.start()
            depth -= 1
    return None


def _moved(text: str, start: int, problem: ExpressionProblem) -> ExpressionProblem:
    """Return a problem of an expression that begins at an offset of the text with its position in that text."""
    line = text.count("\n", 0, start)
    column = start - (text.rfind("\n", 0, start) + 1)
    return replace(problem, line=problem.line + line, column=problem.column + (column if problem.line == 1 else 0))
