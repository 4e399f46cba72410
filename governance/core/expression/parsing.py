"""From text to our syntax tree; what is wrong with a text is said in its author's words."""

from __future__ import annotations

import re
from functools import lru_cache
from threading import Lock
from typing import Any

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from governance.core.expression.conversion import converted
from governance.core.expression.grammar import LONG_STRING, STRING, parser
from governance.core.expression.problem import ExpressionError, problem_at
from governance.core.expression.syntax import Node

LONGEST = 4_000  # characters
# A string that is not closed is found first, in linear time. Comments are stepped over, as they may hold apostrophes.
_QUOTED = re.compile(rf"""//[^\n]*|{LONG_STRING}|{STRING}|(?P<open>['"])""")
_lock = Lock()


@lru_cache(maxsize=2048)  # one text is compiled for many sets of names; the tree is never changed
def parse(text: str) -> Node:
    """Return the syntax tree of an expression.

    :raises ExpressionError: a syntax error, or the text is too long or too deeply nested
    """
    if len(text) > LONGEST:
        message = f"the expression has {len(text):,} characters, at most {LONGEST:,} are allowed"
        raise ExpressionError([problem_at(text, (0, 1), "syntax", message)])
    for found in _QUOTED.finditer(text):
        if found["open"]:
            span = (found.start(), len(text))
            raise ExpressionError([problem_at(text, span, "syntax", "this string is not closed")])
    try:
        with _lock:  # the parser is shared, and its callbacks are not documented as safe for threads
            tree = parser().parse(text)
    except UnexpectedInput as error:
        raise ExpressionError([_syntax_problem(text, error)]) from None
    return converted(text, tree)


def _syntax_problem(text: str, error: UnexpectedInput) -> Any:
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        span, found = (error.token.start_pos, error.token.end_pos), str(error.token)
    elif isinstance(error, UnexpectedCharacters):
        span, found = (error.pos_in_stream, error.pos_in_stream + 1), text[error.pos_in_stream]
    else:
        end = len(text.rstrip())
        span, found = (max(0, end - 1), end), ""
        if not end:
            return problem_at(text, span, "syntax", "the expression is empty")
    from governance.core.expression.slips import slip  # a dozen patterns to compile, for a mistake only

    wrong = slip(text, span, found)
    return problem_at(text, wrong.span, "syntax", wrong.message, wrong.hint)
