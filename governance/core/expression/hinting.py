"""What to write instead of what a checker refuses, where it can be guessed what was meant."""

from __future__ import annotations

import re
from collections.abc import Mapping

from governance.core.duration import parse_duration
from governance.core.expression import syntax
from governance.core.expression.shape import Shape
from governance.core.expression.syntax import Node

FOREIGN: Mapping[str, str] = {
    "len": "size(…)",
    "length": "size(…)",
    "abs": "math.abs(…)",
    "if": "condition ? yes : no",
    "isnan": "math.isNaN(…)",
    "round": "math.round(…)",
    "rate": "change(metrics.<name>, '1h') or slope(metrics.<name>, '1h')",
    "mean": "avg(metrics.<name>)",
    "any": "list.exists(each, …)",
    "lower": "lowerAscii()",
    "upper": "upperAscii()",
}
"""Functions of other languages, with ours."""
WORDS: Mapping[str, str] = {
    **dict.fromkeys(("None", "nil", "NULL", "Null", "undefined"), "!has(metrics.<name>) for what is missing"),
    **{word: word.lower() for word in ("True", "False", "TRUE", "FALSE")},
}
"""Constants of other languages, with what to write here."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def compared(left: tuple[Node, Shape], right: tuple[Node, Shape], words: tuple[str, str]) -> str:
    """Return what to write instead of a comparison of two kinds, "" when nothing comes to mind."""
    for (_, shape), (node, other), name in ((left, right, words[0]), (right, left, words[1])):
        hint = _made(shape, node, other, name)
        if hint:
            return hint
    return ""


def _made(shape: Shape, node: Node, other: Shape, name: str) -> str:
    """Return how to write what stands beside a value of a shape."""
    text = node.value if isinstance(node, syntax.Literal) and isinstance(node.value, str) else None
    if other.kind == "null":
        return (
            f"write !has({name})" if re.fullmatch(r"[\w.]+\.\w+", name) else "a value is there or missing, never null"
        )
    if shape.kind == "timestamp" and text is not None:
        return f"write timestamp('{text if 'T' in text else text + 'T00:00:00Z'}')"
    if shape.kind == "duration" and isinstance(node, syntax.Literal) and other.kind in ("string", "int", "double"):
        return f"write duration('{text}')" if text else "write a duration, such as duration('30m')"
    if shape.kind in ("double", "int") and text is not None:
        if _NUMBER.fullmatch(text):
            return f"write {text}"
        return f"write seconds('{text}')" if shape.kind == "double" and _is_duration(text) else ""
    timed = (shape.kind, other.kind) == ("double", "duration") and name.startswith("metrics.")
    return "write seconds(…) of the duration" if timed else ""


def fielded(node: syntax.Select | syntax.Index, shape: Shape, name: str, where: str) -> str:
    """Return what to write instead of a field that there is not."""
    if isinstance(node.operand, syntax.Bound):
        return f"in each instance a metric is one number: ask labels, as in labels.<name> == '{name}'"
    value = shape.field("value")
    if shape.field("key") and value and value.shape.field(name):
        return f"write {where}.value.{name}"
    return f"write size({where})" if name in ("length", "size", "count") and shape.kind in ("list", "map") else ""


def _is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True
