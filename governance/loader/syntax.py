"""What libyaml says about text that is not YAML, in words that tell the author what to do."""

from __future__ import annotations

import re

import yaml

from governance.core.problem import Problem
from governance.loader.source import Source

_STARTS = ("scanning an anchor", "scanning an alias", "block scalar")
_NEAR = 300  # characters of a line that are looked at
_TAGGED = re.compile(r"[:-] +(!)[A-Za-z(][^ ]* ")
"""An expression that begins with a negation, which YAML takes for a tag."""


def syntax_problem(source: Source, text: str, error: yaml.MarkedYAMLError) -> Problem:
    """Return the problem of a syntax error."""
    at = _offset(error.problem_mark, text)
    opened = _offset(error.context_mark, text) if error.context_mark else at
    complaint, context = error.problem or "", error.context or ""
    start, code, message = _described(text, at, opened, f"{context} {complaint}")
    return source.problem(source.span(start, start + 1), code, message)


def _described(text: str, at: int, opened: int, complaint: str) -> tuple[int, str, str]:
    """Return offset, code and message."""
    if text[at : at + 1] == "\t":
        return at, "tab", "a tab cannot indent; use spaces"
    if "cannot start any token" in complaint:
        return at, "syntax", f"text cannot start with '{text[at : at + 1]}'; quote it"
    if "unexpected end of stream" in complaint or "unexpected document indicator" in complaint:
        return opened, "syntax", "this quote is never closed"
    if "flow node" in complaint:
        return _nothing(text, at)
    if any(each in complaint for each in _STARTS):
        return _start(text, at, opened)
    if "flow mapping" in complaint or "flow sequence" in complaint:
        return _flow(text, at, opened)
    if "mapping values are not allowed" in complaint:
        return _colon(text, at)
    if "unknown escape character" in complaint or "hexdecimal" in complaint or "Unicode character" in complaint:
        at = text.rfind("\\", opened, at + 2)
        return at, "syntax", f"no escape '{text[at : at + 2]}' in double quotes; use single quotes, or write \\\\"
    return _block(text, at, opened, complaint)


def _flow(text: str, at: int, opened: int) -> tuple[int, str, str]:
    closer = "}" if text[opened : opened + 1] == "{" else "]"
    line = text.count("\n", 0, opened) + 1
    if not text[at + 1 :].strip() and text[at : at + 1] not in ("]", "}"):
        return opened, "syntax", f"this '{text[opened : opened + 1]}' is never closed"
    where = "" if "\n" not in text[opened:at] else f"; the '{text[opened : opened + 1]}' on line {line} is still open"
    return at, "syntax", f"expected ',' or '{closer}' here{where}"


def _start(text: str, at: int, opened: int) -> tuple[int, str, str]:
    """Tell of a text that begins with what means something to YAML: an anchor, an alias, a block, a tag before them."""
    tagged = _TAGGED.search(text, max(text.rfind("\n", 0, at) + 1, at - _NEAR), at)
    if tagged:
        return tagged.start(1), "syntax", "text cannot start with '!'; quote it"
    if text[opened : opened + 1] in ("&", "*"):
        return opened, "syntax", f"text cannot start with '{text[opened]}'; quote it"
    return at, "syntax", "after | or > comes a line break; the text starts on the next line, indented with spaces"


def _nothing(text: str, at: int) -> tuple[int, str, str]:
    if text[at + 1 :].strip() or text[at : at + 1] not in tuple("[{,"):
        return at, "syntax", "expected a value here"
    return at, "syntax", f"nothing follows this '{text[at]}': write on, or close what is open"


def _colon(text: str, at: int) -> tuple[int, str, str]:
    start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    if re.search(r":\s", text[start:at]):
        return at, "syntax", "a colon and a space cannot stand inside plain text: quote the text or use a block"
    key = start + len(text[start:at]) - len(text[start:at].lstrip(" -"))
    return key, "syntax", "the line above is text, which cannot hold entries: check the indentation and the colons"


def _block(text: str, at: int, opened: int, complaint: str) -> tuple[int, str, str]:
    line = text.count("\n", 0, opened) + 1
    before = text[text.rfind("\n", 0, at) + 1 : at].rstrip()
    if before[-1:] in ("'", '"', "]", "}"):
        return at, "syntax", f"nothing may follow the closing {before[-1]} here: quote the whole text or use a block"
    if "block mapping" in complaint:
        return at, "syntax", f"expected an entry of the map that starts on line {line}; check the indentation"
    if "block collection" in complaint:
        return at, "syntax", f"expected '- ' as in the list that starts on line {line}; check the indentation"
    if "expected ':'" in complaint:
        return opened, "syntax", "expected ': ' and a value after this key"
    return at, "syntax", " ".join(complaint.split())


def _offset(mark: yaml.Mark | None, text: str) -> int:
    """Return the offset of a mark; at the end of the text, that of the last thing written."""
    if mark is None:
        return 0
    return mark.index if mark.index < len(text) else max(0, len(text.rstrip()) - 1)
