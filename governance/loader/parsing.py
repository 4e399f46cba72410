"""From text to a tree: reading a file as often as cut expressions have to be mended, and saying what is no YAML."""

from __future__ import annotations

import yaml

from governance.core.problem import Problem
from governance.loader import limits
from governance.loader.builder import Builder, StopError
from governance.loader.cuts import CutError, cut_at_error
from governance.loader.source import Source
from governance.loader.syntax import syntax_problem
from governance.loader.tree import Node

_REPAIRS = 20  # cut expressions that are reported in one pass; each costs another parse
_REPAIRABLE = 64 * 1024  # characters of a file that is parsed more than once


def parse(source: Source) -> tuple[Node | None, list[Problem]]:
    """Return the tree of a file, or None where it cannot be read, and its problems as YAML."""
    text, found = limits.cleaned(source)
    if any(problem.code == "directive" for problem in found):
        return None, found
    mended: set[int] = set()
    for _ in range(_REPAIRS if len(text) < _REPAIRABLE else 1):
        try:
            root, problems = _attempt(source, text, mended)
        except CutError as cut:
            if cut.start not in mended:
                position = source.span(cut.start, cut.end)
                found.append(source.problem(position, "cut-expression", cut.message(text)))
            text = cut.repaired(text)
            mended.add(cut.start)
        else:
            return root, found + problems
    return None, found


def _attempt(source: Source, text: str, mended: set[int]) -> tuple[Node | None, list[Problem]]:
    """Parse once; a syntax error or too much depth ends the file.

    :raises CutError: a flow collection cut an expression
    """
    builder = Builder(source, text, mended)
    try:
        return builder.build(), builder.problems
    except yaml.MarkedYAMLError as error:
        if builder.open:
            cut_at_error(text, builder.open[-1], builder.last)
        return None, [*builder.problems, syntax_problem(source, text, error)]
    except StopError:
        return None, builder.problems
