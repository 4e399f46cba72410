"""Both ways of evaluating: what the fast one returns is what evaluation to the letter returns, whatever the data."""

from __future__ import annotations

import contextlib
import math
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from core.expression_texts import VARIABLES, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.core.expression import (
    ANY,
    MISSING,
    Context,
    EvaluationFailed,
    ExpressionError,
    Missing,
    Names,
    Program,
    Reference,
    Shape,
    compile_expression,
)
from governance.core.expression.exact import evaluated
from governance.core.expression.fault import GIVES_UP
from governance.core.expression.generation import generated
from governance.core.expression.program import compile_unchecked

METRICS = ("d", "i")
PATHS = {"d": "metrics.d", "i": "metrics.i", **{name: f"card.{name}" for name in VARIABLES if name not in METRICS}}
NAMES = Names(
    dict.fromkeys(METRICS, ()),
    {"card": Shape.record({"e": Shape.leaf("double"), "m": Shape.map(ANY)} | dict.fromkeys("jsbl", ANY))},
)
ANYTHING = st.one_of(
    st.sampled_from((0, 1, 5, -1, 2**63 - 1, 0.5, -0.0, math.inf, "", "a", "ab", True, False, b"a")),
    st.lists(st.one_of(st.integers(-2, 2), st.booleans(), st.just(0.5)), max_size=3),
    st.dictionaries(st.sampled_from(("a", "x")), st.integers(-2, 2), max_size=2),
    st.sampled_from((timedelta(seconds=90), datetime(2026, 1, 5, tzinfo=UTC))),
)
DOUBLES, WHOLES = st.floats(allow_nan=False), st.sampled_from((0, 1, -2, 3, 2**63 - 1))
TYPED = {
    "e": DOUBLES,
    "j": WHOLES,
    "s": st.sampled_from(("", "a", "ab", "é")),
    "b": st.booleans(),
    "l": st.lists(st.integers(-2, 3), max_size=4),
    "m": st.dictionaries(st.sampled_from(("a", "x")), st.integers(-2, 2), max_size=2),
}
VALUES = st.fixed_dictionaries({Reference(name): DOUBLES for name in METRICS})
CARD = st.fixed_dictionaries(TYPED)
ODD_VALUES = st.dictionaries(st.sampled_from([Reference(name) for name in METRICS]), ANYTHING | st.just(MISSING))
ODD_CARD = st.dictionaries(st.sampled_from("ejsblm"), ANYTHING)


def to_the_letter(program: Program, values: dict, context: Context) -> tuple[object, ...]:
    try:
        result = evaluated(program._node, values, context)
    except EvaluationFailed as error:
        return "failed", error.reason
    except Missing as error:
        return "missing", error.references
    return "value", result, type(result)


def agree(program: Program, values: dict, context: Context) -> bool:
    exact = to_the_letter(program, values, context)
    try:
        fast = generated(program._node)(values, context)
    except GIVES_UP:
        return True
    return exact[0] == "value" and repr(exact[1]) == repr(fast) and exact[2] is type(fast)


@settings(max_examples=300, deadline=None)
@given(texts("bool"), VALUES, CARD, ODD_VALUES, ODD_CARD)
def test_the_fast_way_is_the_exact_one(text: str, values: dict, card: dict, odd_values: dict, odd_card: dict) -> None:
    placed = re.sub(r"\b[ijdesblm]\b(?!')", lambda found: PATHS[found[0]], text)
    programs = [compile_unchecked(text)]
    with contextlib.suppress(ExpressionError):  # the checker is stricter than what makes the texts
        programs.append(compile_expression(placed, NAMES))
    for program in programs:
        for numbers, fields in ((values, card), (values, card | odd_card), (values | odd_values, card)):
            given_variables = {"card": fields, **fields, **{each.metric: value for each, value in numbers.items()}}
            assert agree(program, numbers, Context(given_variables))


@pytest.mark.parametrize(
    ("text", "card", "expected"),
    [
        ("card.e > 1.0", {"e": True}, "cannot compare a bool with a double (>)"),  # Python would say 1.0 > 1.0
        ("card.e + 1.0 > 1.0", {"e": "x"}, "cannot add a string and a double"),
        ("card.j + card.j > 0", {"j": True}, "cannot add a bool and a bool"),
        ("card.j == true", {"j": 1}, False),
        ("card.j == 1", {"j": True}, False),
        ("card.l.all(x, x)", {"l": [1]}, "needs true or false, not an int"),
        ("card.l.all(x, x == 'a')", {"l": "aa"}, "all() needs a list or a map, not a string"),
        ("card.l.exists(x, 1 / x > 0) || true", {"l": [0]}, True),
        ("card.s['a'] == 1", {"s": {"a": 1.0}}, True),
        ("card.m[1] == 1", {"m": {True: 1}}, "no key 1"),
        ("card.j * 9223372036854775807 > 0", {"j": 2}, "the result does not fit into a 64-bit integer"),
        ("-card.j > 0", {"j": True}, "cannot negate a bool"),
    ],
)
def test_data_of_another_type_than_declared_is_judged_as_what_it_is(text: str, card: dict, expected: object) -> None:
    program = compile_unchecked(text)
    if isinstance(expected, bool):
        assert program.evaluate({}, Context({"card": card})) is expected
    else:
        with pytest.raises(EvaluationFailed) as error:
            program.evaluate({}, Context({"card": card}))
        assert error.value.reason == expected


def test_eighty_thousand_evaluations_in_four_threads_are_all_right() -> None:
    names = Names({"a": ()}, {"parameters": Shape.record({"b": Shape.leaf("double")}), "items": ANY})
    one = compile_expression("metrics.a > parameters.b || [1, 2, 3].exists(x, metrics.a == double(x))", names)
    other = compile_expression("items.map(x, x * 2).exists(y, y == 6) ? metrics.a > 3.0 : 1 / 0 > 1 || true", names)
    base = Context({"parameters": {"b": 10.0}})
    start = threading.Barrier(4)
    reference = Reference("a")

    def wrong(thread: int) -> int:
        own = thread % 2 == 1
        context = base.extend({"items": [3] if own else [4]})
        count = 0
        start.wait()
        for turn in range(10_000):
            a = float(turn % 20)
            count += one.evaluate({reference: a}, context) is not (a > 10 or a in (1, 2, 3))
            count += other.evaluate({reference: a}, context) is not (a > 3 if own else True)
        return count

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(wrong, range(4))) == [0, 0, 0, 0]
