"""As much of PromQL as it takes to tell a comparison from the rest, and by which labels an answer is split.

Source: https://prometheus.io/docs/prometheus/latest/querying/operators/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`|#[^\n]*|==|!=|>=|<=|=~|!~|[A-Za-z_:][\w:.]*|[0-9][\w.]*|\s+|.",
    re.DOTALL,
)
_COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
_SETS = ("and", "or", "unless")
_NUMBER = re.compile(r"[-+]?\s*(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?:\s*[*/]\s*(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)*")
_AGGREGATE = r"(?:sum|avg|min|max|count|stddev|stdvar|group|quantile)"
_BEFORE = re.compile(rf"{_AGGREGATE}\s*(?:by\s*\(([^()]*)\)\s*)?\((.*)\)", re.DOTALL | re.IGNORECASE)
_AFTER = re.compile(rf"{_AGGREGATE}\s*\((.*)\)\s*by\s*\(([^()]*)\)", re.DOTALL | re.IGNORECASE)
_QUANTILE = re.compile(r"histogram_quantile\s*\(\s*[\d.]+\s*,(.*)\)", re.DOTALL)
_THROUGH = re.compile(
    r"(?:abs|ceil|floor|round|sqrt|exp|ln|log2|log10|clamp_min|clamp_max|scalar)\s*\((.*)\)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, how, and with which number."""

    left: str
    operator: str
    limit: float


def comparison(expression: str) -> Comparison | None:
    """Return an expression as a comparison with a number, None where it is something else."""
    parts = list(_top_level(expression, (*_COMPARISONS, *_SETS)))
    if len(parts) != 3 or parts[1] not in _COMPARISONS:
        return None
    left, operator, right = (each.strip() for each in parts)
    right = re.sub(r"^bool\b\s*", "", right)
    if _NUMBER.fullmatch(_bare(right)):
        return Comparison(_bare(left), operator, _value(_bare(right)))
    if _NUMBER.fullmatch(_bare(left)):
        mirrored = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(operator, operator)
        return Comparison(_bare(right), mirrored, _value(_bare(left)))
    return None


def labels(expression: str) -> tuple[str, ...] | None:
    """Return the labels of an answer, as far as the expression says; None where only the server knows."""
    expression = _bare(expression)
    operands = list(_top_level(expression, ("+", "-", "*", "/", "%", "^", *_SETS, *_COMPARISONS)))
    if any(each in (*_SETS, *_COMPARISONS) for each in operands[1::2]):
        return None
    if len(operands) > 1:
        found = {labels(each) for each in operands[::2] if not _NUMBER.fullmatch(each.strip())}
        return next(iter(found)) if len(found) == 1 else None
    return _of_one(expression)


def _of_one(expression: str) -> tuple[str, ...] | None:
    quantile = _QUANTILE.fullmatch(expression)
    if quantile is not None:
        inner = labels(quantile[1])
        return tuple(each for each in inner if each != "le") if inner is not None else None
    through = _THROUGH.fullmatch(expression)
    if through is not None:
        return () if expression.startswith("scalar") else labels(through[1].rpartition(",")[0] or through[1])
    after = _AFTER.fullmatch(expression)
    if after is not None and _balanced(after[1]):
        return _listed(after[2])
    before = _BEFORE.fullmatch(expression)
    if before is not None and _balanced(before[2]):
        return _listed(before[1] or "")
    return () if re.fullmatch(r"(?:vector|time)\s*\([^()]*\)", expression) else None


def _listed(names: str) -> tuple[str, ...]:
    return tuple(sorted(each.strip() for each in names.split(",") if each.strip()))


def _top_level(expression: str, operators: tuple[str, ...]) -> Iterator[str]:
    """Yield operands and the operators between them, outside of all brackets and texts."""
    depth, piece = 0, ""
    for token in _TOKEN.findall(expression):
        if token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth -= 1
        if depth == 0 and token.lower() in operators and (piece.strip() or token not in {"+", "-"}):
            yield piece
            yield token.lower()
            piece = ""
        elif not token.startswith("#"):
            piece += token
    yield piece


def _bare(expression: str) -> str:
    """Return an expression without brackets that hold all of it."""
    expression = expression.strip()
    while expression.startswith("(") and expression.endswith(")") and _balanced(expression[1:-1]):
        expression = expression[1:-1].strip()
    return expression


def _balanced(expression: str) -> bool:
    depth = 0
    for token in _TOKEN.findall(expression):
        depth += (token in ("(", "[", "{")) - (token in (")", "]", "}"))
        if depth < 0:
            return False
    return depth == 0


def _value(text: str) -> float:
    """Return what a product or quotient of numbers comes to."""
    first, *rest = re.split(r"\s*([*/])\s*", text.replace(" ", ""))
    value = float(first)
    for operator, number in zip(rest[::2], rest[1::2], strict=True):
        value = value * float(number) if operator == "*" else value / float(number)
    return value
