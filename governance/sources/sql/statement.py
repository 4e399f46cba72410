"""A query in SQL: the parameters that it names, and that it is one statement which reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from governance.errors import Unavailable

_TOKENS = re.compile(
    r"""
      (?P<quoted> (?<!\w)[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`
                | (?<![\w$])\$(?P<tag>(?:[A-Za-z_]\w*)?)\$.*?\$(?P=tag)\$ )
    | (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<cast> :: )
    | (?<![\w:\\]):(?P<parameter>[A-Za-z_]\w*)
    | (?P<end> ; )
    """,
    re.VERBOSE | re.DOTALL,
)
_READS = frozenset({"select", "with", "values", "table"})


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL as SQLAlchemy's text() takes it, where every colon that begins no parameter is escaped."""

    text: str
    parameters: frozenset[str]

    def values(self, known: Mapping[str, object]) -> dict[str, object]:
        """Return the values of the parameters that the text names.

        :raises Unavailable: one is not known; the message lists those that are
        """
        unknown = sorted(self.parameters - known.keys())
        if unknown:
            listed = ", ".join(f":{name}" for name in sorted(known))
            raise Unavailable(
                f"the query names :{unknown[0]}, which is not known; there are :at, :since, :model, :version and the "
                f"labels of the card, here {listed}"
            )
        return {name: known[name] for name in self.parameters}


def statement(text: str) -> Statement:
    """Read a query.

    Leaving out quoted text, comments and casts (`::`) is ours: SQLAlchemy would find parameters in them.

    :raises Unavailable: it is empty, more than one statement, or one that does not begin as a query does
    """
    written, bare, names, last = [], [], set(), 0
    for found in _TOKENS.finditer(text):
        between = text[last : found.start()]
        written += [_escaped(between), _sent(found)]
        bare += [between, _shown(found)]
        names |= {found["parameter"]} - {None}
        last = found.end()
    written.append(_escaped(text[last:]))
    _check("".join([*bare, text[last:]]))
    return Statement("".join(written), frozenset(names))


def _escaped(text: str) -> str:
    return text.replace(":", "\\:")


def _sent(found: re.Match[str]) -> str:
    if found["end"]:  # the last thing of the only statement; some databases refuse it
        return ""
    return found[0] if found["parameter"] else _escaped(found[0])


def _shown(found: re.Match[str]) -> str:
    """Return what a token means to the check: only the end of a statement matters."""
    return found[0] if found["end"] else " " if found["comment"] else "x"


def _check(bare: str) -> None:
    words = bare.strip().rstrip("; \t\r\n")
    if not words:
        raise Unavailable("a SQL source answers queries in SQL, and this one is empty")
    if ";" in words:
        raise Unavailable("the query holds more than one statement: write one")
    first = re.split(r"[^\w]", words.lstrip("( \t\r\n"), maxsplit=1)[0]
    if first.lower() not in _READS:
        raise Unavailable(
            f"the query begins with '{first[:20]}': only select, with, values and table are sent, which read"
        )
