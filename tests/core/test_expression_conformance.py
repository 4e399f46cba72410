"""The Common Expression Language's own test suite, over bare CEL."""

from __future__ import annotations

import base64
import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from governance.core.expression import Context, EvaluationFailed, ExpressionError, Missing
from governance.core.expression.program import compile_unchecked
from governance.core.expression.values import Type, Uint, kind

CASES = Path(__file__).parents[3] / "shared" / "cel-conformance"
FILES = (
    "basic comparisons fp_math integer_math logic lists macros string timestamps fields conversions".split()  # noqa: SIM905
)
FLOOR = 0.96  # of the cases of all files together


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
    context = Context({name: decoded(value) for name, value in case["bindings"].items()})
    try:
        result = compile_unchecked(case["expr"]).evaluate({}, context)
    except (ExpressionError, EvaluationFailed, Missing):
        return "error" in case["expect"]
    return "value" in case["expect"] and same(result, decoded(case["expect"]["value"]))


def test_conformance() -> None:
    if not CASES.is_dir():
        pytest.skip(f"put the CEL conformance cases into {CASES}; its README says where they come from")
    table, failed = [], []
    for name in FILES:
        cases = [json.loads(line) for line in (CASES / f"{name}.jsonl").read_text().splitlines()]
        bad = [case["id"] for case in cases if not passes(case)]
        table.append((name, len(cases) - len(bad), len(cases)))
        failed.extend(bad)
    for name, passed, total in table:
        print(f"{name:14} {passed:4} of {total:4}  {passed / total:6.1%}")
    passed, total = (sum(row[index] for row in table) for index in (1, 2))
    print(f"{'together':14} {passed:4} of {total:4}  {passed / total:6.1%}", *failed, sep="\n  ")
    assert passed / total >= FLOOR, failed
