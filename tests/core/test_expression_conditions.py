"""The conditions of an expression, which coverage counts, and what became of each."""

from __future__ import annotations

import pytest

from governance.core.expression import NOT_JUDGED, Context, Names, Reference, compile_expression

NAMES = Names({"a": (), "b": (), "c": ()})
A, B, C = Reference("a"), Reference("b"), Reference("c")


def test_conditions_are_what_logic_joins() -> None:
    text = "metrics.a > 1 && (!(metrics.b > 2) ||\n  [1, 2].exists(x, x > 1 && x < 3)) ? metrics.c > 3 : false"
    found = compile_expression(text, NAMES).conditions
    assert [each.text for each in found] == [
        "metrics.a > 1",
        "metrics.b > 2",
        "[1, 2].exists(x, x > 1 && x < 3)",
        "metrics.c > 3",
    ]
    assert [text[slice(*each.span)] for each in found] == [each.text for each in found]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("metrics.a > 1 && metrics.b > 1", (0, 2, 0), (False, NOT_JUDGED)),
        ("metrics.a > 1 && metrics.b > 1", (2, 2, 0), (True, True)),
        ("metrics.a > 1 && metrics.b > 1", (None, 0, 0), (None, False)),
        ("metrics.a > 1 || metrics.b > 1 || metrics.c > 1", (0, 2, 2), (False, True, NOT_JUDGED)),
        ("metrics.a > 1 || metrics.b > 1", (None, 0, 0), (None, False)),
        ("!(metrics.a > 1 && metrics.b > 1) && metrics.c > 1", (0, 0, 0), (False, NOT_JUDGED, False)),
        ("!(metrics.a > 1) || metrics.c > 1", (None, 0, 0), (None, False)),
        ("metrics.a > 1 ? metrics.b > 1 : metrics.c > 1", (2, 2, 2), (True, True, NOT_JUDGED)),
        ("metrics.a > 1 ? metrics.b > 1 : metrics.c > 1", (0, 2, 2), (False, NOT_JUDGED, True)),
        ("metrics.a > 1 ? metrics.b > 1 : metrics.c > 1", (None, 2, 2), (None, NOT_JUDGED, NOT_JUDGED)),
        ("has(metrics.a) && metrics.a > 1", (None, 0, 0), (False, NOT_JUDGED)),
        ("1 / int(metrics.a) > 1 || metrics.b > 1", (0, 2, 0), (None, True)),
    ],
)
def test_what_became_of_each(text: str, values: tuple[float | None, ...], expected: tuple[object, ...]) -> None:
    known = {reference: float(value) for reference, value in zip((A, B, C), values, strict=True) if value is not None}
    assert compile_expression(text, NAMES).outcomes(known, Context({})) == expected
