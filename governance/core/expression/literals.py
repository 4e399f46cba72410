"""Literals of CEL: what a token of the text stands for.

Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#string-and-bytes-values
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from governance.core.expression.values import Uint

_ESCAPE = re.compile(r"\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.?))", re.DOTALL)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"} | {
    each: each for each in "\\?\"'`"
}


def literal_value(kind: str, token: str) -> object:
    """Return the value of a literal token of that kind of the grammar (INT_LIT, STRING_LIT …).

    :raises ValueError: the token stands for no value, such as an integer beyond 64 bits
    """
    return _READERS[kind](token)


def _integer(token: str) -> int:
    value = int(token, 16 if "x" in token.lower() else 10)
    if not -(2**63) <= value < 2**63:
        raise ValueError("this integer does not fit into 64 bits")
    return value


def _double(token: str) -> float:
    value = float(token)
    if math.isinf(value):
        raise ValueError("this number is too large for a double")
    return value


def _unsigned(token: str) -> Uint:
    digits = token.rstrip("uU")
    value = int(digits, 16 if "x" in digits.lower() else 10)
    if not 0 <= value < 2**64:
        raise ValueError("this unsigned integer does not fit into 64 bits")
    return Uint(value)


def _string(token: str) -> str:
    body, raw = _body(token, "rR")
    if raw:
        return body
    return _ESCAPE.sub(lambda found: chr(_point(found)), body)


def _bytes(token: str) -> bytes:
    body, raw = _body(token[1:], "rR")
    if raw:
        return body.encode()
    pieces: list[bytes] = []
    end = 0
    for found in _ESCAPE.finditer(body):
        pieces.append(body[end : found.start()].encode())
        byte = found[1] or found[4]
        pieces.append(bytes([_point(found)]) if byte else chr(_point(found)).encode())
        end = found.end()
    return b"".join([*pieces, body[end:].encode()])


def _body(token: str, prefixes: str) -> tuple[str, bool]:
    """Return what stands between the quotes, and whether it is raw."""
    raw = token[0] in prefixes
    quoted = token[1:] if raw else token
    width = 3 if quoted[:3] in ('"""', "'''") and len(quoted) >= 6 else 1
    return quoted[width:-width], raw


def _point(found: re.Match[str]) -> int:
    digits = found[1] or found[2] or found[3]
    if digits:
        point = int(digits, 16)
        if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
            raise ValueError(f"{found[0]} is no character of Unicode")
        return point
    if found[4]:
        return int(found[4], 8)
    if found[5] not in _SIMPLE:
        raise ValueError(f"unknown escape '{found[0]}' in a string; a backslash is written \\\\")
    return ord(_SIMPLE[found[5]])


_READERS: dict[str, Callable[[str], object]] = {
    "INT_LIT": _integer,
    "UINT_LIT": _unsigned,
    "FLOAT_LIT": _double,
    "STRING_LIT": _string,
    "MLSTRING_LIT": _string,
    "BYTES_LIT": _bytes,
    "BOOL_LIT": lambda word: word == "true",
    "NULL_LIT": lambda _: None,
}
