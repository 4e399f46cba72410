"""Where each character of a scalar stands in the file.

YAML folds lines, strips indentation and knows escapes; an error inside an expression has to point through all of that.
Each decoder reads the raw text of a scalar again and pairs every character of its value with the offset that it came
from. The folding follows libyaml's scanner, so that the values are equal; `decoded` is tested against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from governance.loader.tree import Scalar

Pairs = list[tuple[str, int]]
"""Characters of the value with their offsets in the file."""

_SIMPLE = dict(zip('0abt\tnvfre "/\\N_LP', '\0\a\b\t\t\n\v\f\r\x1b "/\\\x85\xa0\u2028\u2029', strict=True))
_DEEPEST = 256  # columns of indentation that are tried
_LENGTHS = {"x": 2, "u": 4, "U": 8}
_HEADER = re.compile(r"[|>]([-+0-9]*)[^\r\n]*(\r\n|\r|\n)?")


def offsets(text: str, scalar: Scalar) -> list[int]:
    """Return the offset in `text` of every character of the scalar's value, and of the place after the last."""
    pairs = decoded(text, scalar)
    if "".join(character for character, _ in pairs) != scalar.text:  # never seen; then point at the start
        return [scalar.start] * (len(scalar.text) + 1)
    return [*(offset for _, offset in pairs), _after(text, scalar, pairs)]


def decoded(text: str, scalar: Scalar) -> Pairs:
    """Return the scalar's value, each character with its offset in `text`."""
    raw = text[scalar.start : scalar.end]
    if scalar.style in ("|", ">"):
        return _block(raw, scalar)
    if scalar.style in ("'", '"'):
        return _flow(raw[1:-1], scalar.start + 1, scalar.style)
    return _flow(raw, scalar.start, "")


def _after(text: str, scalar: Scalar, pairs: Pairs) -> int:
    if scalar.style in ("'", '"'):
        return scalar.end - 1
    if scalar.style == "":
        return scalar.end
    return min(len(text), pairs[-1][1] + 1) if pairs else scalar.start


def _flow(raw: str, base: int, style: str) -> Pairs:
    """Decode a plain or quoted scalar without its quotes."""
    pairs: Pairs = []
    blanks: Pairs = []  # white space that counts only if text follows on the same line
    breaks: Pairs = []
    escaped = False  # whether the line ended in a backslash, which removes the break
    for kind, value, offset in _pieces(raw, base, style):
        if kind == "blank" and not breaks and not escaped:
            blanks.append((value, offset))
        elif kind == "break":
            blanks = []
            breaks.append(("\n", offset))
        elif kind == "joint":
            pairs += _joined(breaks, escaped=escaped) + blanks
            blanks, breaks, escaped = [], [], True
        elif kind == "text":
            pairs += _joined(breaks, escaped=escaped) + blanks
            pairs.append((value, offset))
            blanks, breaks, escaped = [], [], False
    return pairs + _joined(breaks, escaped=escaped) + blanks


def _joined(breaks: Pairs, *, escaped: bool) -> Pairs:
    """Fold line breaks: one is a space, of n breaks n - 1 stay; after an escaped break all of them count."""
    if escaped or not breaks:
        return breaks
    return breaks[1:] if len(breaks) > 1 else [(" ", breaks[0][1])]


def _pieces(raw: str, base: int, style: str) -> Iterator[tuple[str, str, int]]:
    """Cut a flow scalar into (kind, character, offset); kind is blank, break, joint (an escaped break) or text."""
    at = 0
    while at < len(raw):
        kind, value, length = _piece(raw, at, style)
        yield kind, value, base + at
        at += length


def _piece(raw: str, at: int, style: str) -> tuple[str, str, int]:
    each = raw[at]
    if each in " \t":
        return "blank", each, 1
    if each in "\r\n":
        return "break", "\n", 2 if raw.startswith("\r\n", at) else 1
    if style == "'" and raw.startswith("''", at):
        return "text", "'", 2
    if style == '"' and each == "\\" and at + 1 < len(raw):
        return _escape(raw, at)
    return "text", each, 1


def _escape(raw: str, at: int) -> tuple[str, str, int]:
    code = raw[at + 1]
    if code in "\r\n":
        return "joint", "", 3 if raw.startswith("\r\n", at + 1) else 2
    if code in _LENGTHS:
        end = at + 2 + _LENGTHS[code]
        return "text", chr(int(raw[at + 2 : end], 16)), end - at
    return "text", _SIMPLE.get(code, code), 2


def _block(raw: str, scalar: Scalar) -> Pairs:
    """Decode a literal or folded block, trying indentations until the value is the parser's.

    The indentation follows from lines above the scalar, which are not at hand; the candidates are few.
    """
    header = _HEADER.match(raw)
    if header is None:
        return []
    body, base = raw[header.end() :], scalar.start + header.end()
    lines = _lines(body, base)
    pairs: Pairs = []
    for indent in _indents(lines, header[1]):
        pairs = _unfolded(lines, indent, folded=scalar.style == ">", chomping=header[1])
        if "".join(character for character, _ in pairs) == scalar.text:
            break
    return pairs


def _lines(body: str, base: int) -> list[tuple[str, bool, int]]:
    """Cut a block into (line, whether a break ends it, offset)."""
    matches = re.finditer(r"([^\r\n]*)(\r\n|\r|\n|$)", body)
    return [(each[1], bool(each[2]), base + each.start()) for each in matches if each.end() > each.start()]


def _indents(lines: list[tuple[str, bool, int]], header: str) -> Iterator[int]:
    leading = next((len(line) - len(line.lstrip(" ")) for line, _, _ in lines if line.strip(" ")), 0)
    blank = max((len(line) for line, _, _ in lines), default=0) if leading == 0 else leading
    if not any(each.isdigit() for each in header):
        yield leading
    yield from range(min(max(leading, blank), _DEEPEST), -1, -1)


def _unfolded(lines: list[tuple[str, bool, int]], indent: int, *, folded: bool, chomping: str) -> Pairs:
    pairs: Pairs = []
    leading: Pairs = []  # the break that ends the line before
    trailing: Pairs = []  # breaks of blank lines since
    spaced = True  # whether the line before starts with white space; the first has none before it
    for line, ended, base in lines:
        rest, end = line[indent:], (("\n", base + len(line)),) if ended else ()
        if not rest and not line.strip(" "):
            trailing += end
            continue
        if line[:indent].strip(" "):
            break  # less indented: a comment after the block
        blank = rest[0] in " \t"
        if folded and leading and not spaced and not blank:
            leading = [] if trailing else [(" ", leading[0][1])]
        pairs += leading + trailing + [(each, base + indent + at) for at, each in enumerate(rest)]
        leading, trailing, spaced = list(end), [], blank
    if "-" in chomping:
        return pairs
    return pairs + leading + (trailing if "+" in chomping else [])
