"""The Common Expression Language's own test suite, over bare CEL."""

from __future__ import annotations

import base64
import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from governance.core.expression import Context, EvaluationFailed, ExpressionError, Missing
from governance.core.expression.exact import evaluated
from governance.core.expression.program import compile_unchecked
from governance.core.expression.values import Type, Uint, kind

CASES = Path(__file__).parents[3] / "shared" / "cel-conformance"
CORE = (
    *("basic", "comparisons", "conversions", "fields", "fp_math", "integer_math", "lists", "logic", "macros"),
    *("parse", "plumbing", "namespace", "string", "timestamps"),
)
GROUPS = {  # what must pass of each; docs/expressions.md lists what does not, and why
    "core": (CORE, 0.98),
    "texts": (("string_ext",), 0.95),
    "mathematics": (("math_ext",), 0.95),
    "encoders": (("encoders_ext",), 0.95),
    "bindings": (("bindings_ext",), 0.95),
    "macros of two variables": (("macros2",), 0.95),
    "optionals": (("optionals",), 0.95),
}


def decoded(tagged: dict) -> object:
    """Return the native value of a tagged pair."""
    ((tag, value),) = tagged.items()
    match tag:
        case "int":
            return int(value)
        case "uint":
            return Uint(value)
        case "double":
            return float(value)
        case "bytes":
            return base64.b64decode(value)
        case "list":
            return [decoded(each) for each in value]
        case "map":
            return {decoded(key): decoded(each) for key, each in value}
        case "timestamp":
            return datetime.fromtimestamp(0, UTC) + timedelta(
                seconds=int(value["seconds"]), microseconds=value["nanos"] // 1000
            )
        case "duration":
            return timedelta(seconds=int(value["seconds"]), microseconds=value["nanos"] // 1000)
        case "type":
            return Type(value)
        case _:
            return value


def same(one: object, other: object) -> bool:
    """Compare strictly: the kinds must be equal too, and NaN is NaN."""
    if kind(one) != kind(other):
        return False
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or one == other
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    return one == other


def passes(case: dict) -> bool:
    """Evaluate twice: to the letter, too, where the fast way has an answer."""
    context = Context({name: decoded(value) for name, value in case["bindings"].items()})
    names = [name for _, name, _ in case["env"] or []]
    try:
        program = compile_unchecked(case["expr"], case["container"] or "", names)
        results = [program.evaluate({}, context), evaluated(program._node, {}, context)]
    except (ExpressionError, EvaluationFailed, Missing):
        return "error" in case["expect"]
    return "value" in case["expect"] and all(same(each, decoded(case["expect"]["value"])) for each in results)


def cases(name: str) -> list[dict]:
    return [json.loads(line) for line in (CASES / f"{name}.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("group", GROUPS)
def test_conformance(group: str) -> None:
    if not CASES.is_dir():
        pytest.skip(f"put the CEL conformance cases into {CASES}; its README says where they come from")
    names, floor = GROUPS[group]
    table, failed = [], []
    for name in names:
        bad = [case["id"] for case in cases(name) if not passes(case)]
        total = len(cases(name))
        table.append((name, total - len(bad), total))
        failed.extend(bad)
    passed, total = (sum(row[index] for row in table) for index in (1, 2))
    for name, good, of in [*table, (f"{group} together", passed, total)]:
        print(f"{name:34} {good:4} of {of:4}  {good / of:6.1%}")
    print(*failed, sep="\n")
    assert passed / total >= floor, failed
