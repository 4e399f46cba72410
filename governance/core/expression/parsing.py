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
from governance.core.expression.syntax import Node, Span

LONGEST = 4_000  # characters
_FOREIGN = {"and": "&&", "or": "||", "=": "==", "&": "&&", "|": "||", "is": "=="}
# A string that is not closed is found first, in linear time. Comments are stepped over, as they may hold apostrophes.
_QUOTED = re.compile(rf"""//[^\n]*|{LONG_STRING}|{STRING}|(?P<open>['"])""")
_BARE_DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+\b")
_PERCENT = re.compile(r"(?<![0-9.])([0-9]{1,6}(?:\.[0-9]{1,6})?) ?%\s*$")
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
        token = error.token
        span = (token.start_pos, token.end_pos)
        return _unexpected(text, span, str(token))
    if isinstance(error, UnexpectedCharacters):
        start = error.pos_in_stream
        return _unexpected(text, (start, start + 1), text[start])
    end = len(text.rstrip())
    message = "the expression ends too early" if end else "the expression is empty"
    return problem_at(text, (max(0, end - 1), end), "syntax", message, _percent_hint(text[:end]))


def _unexpected(text: str, span: Span, found: str) -> Any:
    instead = "!" if text[: span[0]].rstrip().endswith("not") else _FOREIGN.get(found)
    hint = _percent_hint(text[: span[0]]) or (
        f"write {instead}" if instead else _duration_hint(text, _number_before(text, span[0]))
    )
    shown = found if found.isprintable() else repr(found)[1:-1]
    return problem_at(text, span, "syntax", f"unexpected '{shown}'", hint)


def _percent_hint(before: str) -> str:
    """Return how to write the percentage on which a text ends, "" when it does not: % is the remainder here."""
    percent = _PERCENT.search(before)
    return f"{percent[1]}% is written {float(percent[1]) / 100:g}" if percent else ""


def _duration_hint(text: str, start: int) -> str:
    """Return how to write the bare duration that begins at an offset, "" when none does."""
    duration = _BARE_DURATION.match(text, start)
    if duration is None:
        return ""
    before = text[:start].rstrip()
    if before.endswith("["):  # as in PromQL
        return f"write the window last, as in avg_over_time(metrics.<name>, '{duration[0]}')"
    return f"write '{duration[0]}'" if before.endswith(",") else f"write duration('{duration[0]}')"


def _number_before(text: str, end: int) -> int:
    """Return where the digits begin that end at an offset."""
    return len(text[:end].rstrip("0123456789"))
