"""What an author meant where the grammar finds something else: habits of other languages, and brackets left open."""

from __future__ import annotations

import re
from typing import NamedTuple

from governance.core.expression.grammar import LONG_STRING, STRING
from governance.core.expression.syntax import Span

_FOREIGN = {
    **dict.fromkeys(("and", "AND", "&"), "&&"),
    **dict.fromkeys(("or", "OR", "|"), "||"),
    **dict.fromkeys(("=", "is"), "=="),
    **dict.fromkeys(("xor", "≠"), "!="),
    **dict.fromkeys("“”‘’", "straight quotes"),
    "≥": ">=",
    "≤": "<=",
    "~": "text.matches('…')",
}
_LOOSE = (  # what stands around the place where the grammar gives up, and what to write; the first that fits
    (
        re.compile(r"(?P<number>(?<![\w.])\d+(\.\d+)?([eE][-+]?\d+)?)\s*%"),
        "a % takes the remainder of a division",
        "write {share:g}",
    ),
    (re.compile(r"<>"), "unexpected '<>'", "write !="),
    (re.compile(r"=>"), "unexpected '=>'", "write >="),
    (re.compile(r"=<"), "unexpected '=<'", "write <="),
    (re.compile(r"=!"), "unexpected '=!'", "write !="),
    (re.compile(r"={3,}"), "unexpected '='", "write =="),
    (re.compile(r"=~"), "unexpected '=~'", "write text.matches('…')"),
    (re.compile(r"(?P<name>(?<![\w.])[\w.]+)\s+is\s+not\s+(None|null|nil)\b"), "unexpected 'is'", "write has({name})"),
    (re.compile(r"(?P<name>(?<![\w.])[\w.]+)\s+is\s+(None|null|nil)\b"), "unexpected 'is'", "write !has({name})"),
    (re.compile(r"is\s+not\b"), "unexpected 'is not'", "write !="),
    (re.compile(r"(?P<name>(?<![\w.])[\w.]+)\s+not\s+in\b"), "unexpected 'not'", "write !({name} in …)"),
    (re.compile(r"(?P<whole>(?<![\w.])\d+),(?P<rest>\d+)"), "unexpected ','", "write {whole}.{rest}"),
    (re.compile(r"(?P<digits>(?<![\w.])\d+(_\d+)+)\b"), "a number has no _", "write {plain}"),
    (
        re.compile(r"(?P<count>(?<![\w.])\d+)\s+(?P<unit>[smhdw])(ec|econd|in|inute|our|ay|eek)s?\b"),
        "",
        "{count}{unit}",
    ),
)
_BRACKETS = re.compile(rf"//[^\n]*|{LONG_STRING}|{STRING}|(?P<open>[(\[{{])|(?P<close>[)\]}}])")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_BARE_DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+\b")
_NUMERIC = re.compile(r"\bmetrics\.\w+\s*([<>]=?|[!=]=)$")  # a metric is a number, a time in seconds


class Slip(NamedTuple):
    """Where a mistake stands, what it is, and what to write instead."""

    span: Span
    message: str
    hint: str = ""


def slip(text: str, at: Span, found: str) -> Slip:
    """Return what is wrong where the grammar does not expect what it finds; found is "" at the end."""
    loose = _loose(text, at)
    if loose:
        return loose
    bracket = _bracket(text, at, found)
    if bracket:
        return bracket
    if not found:
        return Slip(at, "the expression ends too early")
    instead = "!" if re.search(r"\bnot\s*$", text[: at[0]], re.IGNORECASE) else _FOREIGN.get(found)
    hint = f"write {instead}" if instead else _duration_hint(text, len(text[: at[0]].rstrip("0123456789")))
    shown = found if found.isprintable() else repr(found)[1:-1]
    return Slip(at, f"unexpected '{shown}'", hint)


def _loose(text: str, at: Span) -> Slip | None:
    """Return the habit of another language that holds the place, or ends just before it."""
    start = text.rfind("\n", 0, at[0]) + 1
    for pattern, message, hint in _LOOSE:
        for found in pattern.finditer(text, start, at[1] + 60):
            if found.start() > at[0]:
                break
            if at[0] < found.end() or not text[found.end() : at[0]].strip():
                return _told(text, found, message, hint)
    return None


def _told(text: str, found: re.Match[str], message: str, hint: str) -> Slip:
    parts = {name: part for name, part in found.groupdict().items() if part}
    if "number" in parts:
        return Slip(found.span(), message, hint.format(share=float(parts["number"]) / 100))
    if "unit" in parts:
        return Slip(found.span(), f"unexpected '{found[0]}'", _as_duration(text, found.start(), hint.format(**parts)))
    return Slip(found.span(), message, hint.format(plain=found[0].replace("_", ""), **parts))


def _bracket(text: str, at: Span, found: str) -> Slip | None:
    """Return the bracket that is not closed, or that closes nothing."""
    opened: list[tuple[int, str]] = []
    for each in _BRACKETS.finditer(text, 0, at[0] if found else len(text)):
        if each["open"]:
            opened.append((each.start(), each[0]))
        elif each["close"] and opened:
            opened.pop()
    if not found:
        return Slip((opened[-1][0], opened[-1][0] + 1), f"this '{opened[-1][1]}' is not closed") if opened else None
    if found not in _CLOSING.values() or text[: at[0]].rstrip()[-1:] in tuple("+-*/%<>=&|!,?:(["):
        return None
    if not opened:
        return Slip(at, f"this '{found}' closes nothing")
    start, bracket = opened[-1]
    if _CLOSING[bracket] == found:
        return None
    line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
    where = f"at column {column}" if line == 1 else f"in line {line}, column {column},"
    return Slip(at, f"unexpected '{found}'", f"the '{bracket}' {where} is closed by '{_CLOSING[bracket]}'")


def _duration_hint(text: str, start: int) -> str:
    """Return how to write the bare duration that begins at an offset, "" when none does."""
    duration = _BARE_DURATION.match(text, start)
    return _as_duration(text, start, duration[0]) if duration else ""


def _as_duration(text: str, start: int, duration: str) -> str:
    before = text[:start].rstrip()
    if before.endswith("["):  # as in PromQL
        return f"write the window last, as in avg_over_time(metrics.<name>, '{duration}')"
    if before.endswith(","):
        return f"write '{duration}'"
    return f"write {'seconds' if _NUMERIC.search(before) else 'duration'}('{duration}')"
