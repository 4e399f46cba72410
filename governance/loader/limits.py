"""What is refused before a file is parsed, so that a hostile one costs little."""

from __future__ import annotations

import re

from governance.core.problem import Position, Problem
from governance.loader.source import Source

LARGEST = 1024 * 1024  # bytes of one file
DEEPEST = 64  # levels of maps and lists; libyaml's composer exhausts the stack at some ten thousand
MOST_VALUES = 100_000  # keys, values, maps and lists of one file
MOST_PROBLEMS = 100  # of one file that are shown

# All but c-printable of YAML 1.2, and the line breaks that only YAML 1.1 knows, which editors do not count as lines.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_FIRST_CONTENT = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))*(%)")


def too_large(file: str) -> Problem:
    """Return the problem of a file over the limit."""
    return Problem(Position(file, 1, 1), "too-large", f"larger than {LARGEST // 1024} KiB; split the file")


def too_deep(source: Source, offset: int) -> Problem:
    """Return the problem of nesting over the limit, where it is passed."""
    return source.problem(source.span(offset, offset + 1), "too-deep", f"nested more than {DEEPEST} levels deep")


def too_many(source: Source, offset: int) -> Problem:
    """Return the problem of more values than the limit, where it is passed."""
    message = f"more than {MOST_VALUES} keys and values; split the file"
    return source.problem(source.span(offset, offset + 1), "too-large", message)


def cleaned(source: Source) -> tuple[str, list[Problem]]:
    """Return the text with spaces in place of what YAML does not allow, so that the rest can still be checked."""
    found = _UNPRINTABLE.search(source.text)
    problems = [_unprintable(source, found)] if found else []
    text = _UNPRINTABLE.sub(" ", source.text) if found else source.text
    if directive := _FIRST_CONTENT.match(text):
        at = directive.start(1)
        message = "directives such as %YAML and %TAG are not allowed; remove the line"
        problems.append(source.problem(source.span(at, len(text)), "directive", message))
    return text, problems


def at_most(problems: list[Problem]) -> list[Problem]:
    """Keep the first problems of a file, and say that there are more."""
    if len(problems) <= MOST_PROBLEMS:
        return problems
    kept = problems[:MOST_PROBLEMS]
    message = f"more than {MOST_PROBLEMS} problems in this file; these come first"
    return [*kept, Problem(kept[-1].position, "too-many-problems", message)]


def _unprintable(source: Source, found: re.Match[str]) -> Problem:
    count = len(_UNPRINTABLE.findall(source.text)) - 1
    more = f" (and {count} more in this file)" if count else ""
    message = f"the character U+{ord(found[0]):04X} is not allowed{more}"
    return source.problem(source.span(found.start(), found.end()), "control-character", message)
