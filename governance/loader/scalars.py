"""What a plain scalar stands for: the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema)."""

from __future__ import annotations

import re

_FIRST = frozenset("~nNtTfF.+-0123456789")  # anything else is text, and needs no regular expression
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST = 400  # digits; a double has at most 309 before the point


def plain_value(text: str) -> str | int | float | bool | None:
    """Return what a plain scalar stands for.

    :raises ValueError: the number is too large for a double
    """
    if not text:
        return None
    if text[0] not in _FIRST:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return _number(text)


def _number(text: str) -> str | int | float:
    if _INTEGER.fullmatch(text):
        return int(_bounded(text))
    if _BASED.fullmatch(text):
        return int(_bounded(text), 0)
    if _FLOAT.fullmatch(text):
        return _finite(float(_bounded(text)))
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def _bounded(digits: str) -> str:
    if len(digits) > _LONGEST:
        raise ValueError("this number has too many digits")
    return digits


def _finite(number: float) -> float:
    if number in (float("inf"), float("-inf")):
        raise ValueError("this number is too large")
    return number
