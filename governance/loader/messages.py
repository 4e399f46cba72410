"""pydantic's errors in our words: what must stand there, and what stands there instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_KINDS = {
    "string_type": "text",
    "string_sub_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "finite_number": "a finite number",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "iterable_type": "a list",
    "dict_type": "a map",
    "mapping_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "dataclass_type": "a map",
    "none_required": "empty",
    "date_type": "a date such as 2013-12-14",
    "date_parsing": "a date such as 2013-12-14",
    "date_from_datetime_parsing": "a date such as 2013-12-14",
    "date_from_datetime_inexact": "a date without a time",
    "datetime_type": "a time such as 2013-12-14T09:00:00Z",
    "datetime_parsing": "a time such as 2013-12-14T09:00:00Z",
    "datetime_from_date_parsing": "a time such as 2013-12-14T09:00:00Z",
    "timezone_aware": "a time with its zone, such as 2013-12-14T09:00:00Z",
    "time_type": "a time of day such as 09:00",
    "time_parsing": "a time of day such as 09:00",
    "time_delta_type": "a duration such as 30m",
    "time_delta_parsing": "a duration such as 30m",
    "url_type": "an address such as https://example.com",
    "url_parsing": "an address such as https://example.com",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
    "multiple_of": ("multiple_of", "a multiple of"),
}
_TRUTHS = {  # what YAML 1.1 took for a truth value, and 1.2 reads as text
    **dict.fromkeys(("yes", "on", "y"), ": write true"),
    **dict.fromkeys(("no", "off", "n"), ": write false"),
}
_PATTERNS = {
    r"^[a-z0-9][a-z0-9._-]*$": "a name has lower-case letters, digits, '.', '_' and '-', the first a letter or digit",
    r"^[a-z0-9][a-z0-9-]*$": "a name has lower-case letters, digits and '-', the first a letter or digit",
}
_CODES = {
    "missing": "missing-field",
    "extra_forbidden": "unknown-field",
    "literal_error": "unknown-value",
    "enum": "unknown-value",
    "union_tag_invalid": "unknown-value",
    "union_tag_not_found": "missing-field",
    "value_error": "invalid-value",
    "assertion_error": "invalid-value",
}


def code(kind: str) -> str:
    """Return our code for a pydantic error type."""
    if kind in _CODES:
        return _CODES[kind]
    if kind in _KINDS:
        return "wrong-type"
    if kind in _BOUNDS or kind.endswith(("_too_short", "_too_long", "_mismatch")) or kind in ("too_short", "too_long"):
        return "out-of-range"
    return "invalid-value"


def wanted(kind: str) -> str:
    """Return what an error of wrong type asks for, or "" for errors of other kinds."""
    return _KINDS.get(kind, "")


def wrong_type(kinds: Sequence[str], value: Any, written: str) -> str:
    """Return the message for a value of the wrong type; `written` is the scalar as it stands in the file.

    `kinds` are the error types of all members of a union, of which any would do.
    """
    if "string_type" in kinds and isinstance(value, (bool, int, float)) and written:
        what = "a truth value" if isinstance(value, bool) else "a number"
        return f'{written} is {what} here; quote it: "{written}"'
    choices = list(dict.fromkeys(_KINDS[kind] for kind in kinds if kind in _KINDS and kind != "none_required"))
    text = listed(choices) or "empty"
    seen = "text" if isinstance(value, str) and _asks_for_other(text) else quoted(value)
    hint = _TRUTHS.get(str(value).lower(), "") if text == "true or false" else ""
    return f"must be {text}, not {seen}{hint}"


def plain(kind: str, context: dict[str, Any], text: str) -> str:
    """Return the message for an error that is no wrong type; `text` is pydantic's."""
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"must be {words} {context.get(name)}"
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", "")) or text.partition(", ")[2] or text
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(context.get("pattern")), f"must match {context.get('pattern')}")
    if kind.endswith("too_short"):
        return _sized(kind, context.get("min_length", 1), "at least")
    if kind.endswith("too_long"):
        return _sized(kind, context.get("max_length", 1), "at most")
    return _lowered(text.replace("Input should be", "must be").replace("Input should", "must"))


def listed(choices: Sequence[str]) -> str:
    """Return "a, b or c"."""
    return " or ".join(part for part in (", ".join(choices[:-1]), *choices[-1:]) if part)


def shortened(value: Any) -> str:
    """Return a value as text of at most 60 characters."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def quoted(value: Any) -> str:
    """Return text in quotes, and anything else as people call it."""
    return f"'{shortened(value)}'" if isinstance(value, str) else _described(value)


def _described(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"{value}"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, (list, tuple)) else "a map"


def _asks_for_other(text: str) -> bool:
    """Say whether text as such is wrong here, so that its content does not matter."""
    return text in ("a list", "a map", "a number", "a whole number")


def _sized(kind: str, size: int, words: str) -> str:
    if kind.startswith("string"):
        return "must not be empty" if (size, words) == (1, "at least") else f"must have {words} {size} characters"
    return f"must have {words} {size} {'entry' if size == 1 else 'entries'}"


def _lowered(text: str) -> str:
    """Lower the first letter of a sentence, unless it is an abbreviation or a quotation."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
