"""Expressions stay correct in threads, end within bounds, and cost nothing before the first one."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from governance.core.expression import (
    ANY,
    Context,
    EvaluationFailed,
    ExpressionError,
    Names,
    Reference,
    Shape,
    compile_expression,
    compile_template,
)

A = Reference("a")
NAMES = Names({"a": ()}, {"parameters": Shape.record({"b": Shape.leaf("double")}), "items": ANY})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(" * 10_000 + "1" + ")" * 10_000, "characters"),
        ("a" * 1_000_000, "characters"),
        ("(" * 1_900 + "1" + ")" * 1_900, "nested too deeply"),
        ("[" * 1_900 + "]" * 1_900, "nested too deeply"),
        ("!" * 3_900 + "true", "nested too deeply"),
        ("1" + "+1" * 1_900, "nested too deeply"),
        ("items" + ".b" * 1_900, "nested too deeply"),
        ("items" + "[0]" * 1_300, "nested too deeply"),
        ("true?1:" * 500 + "1", "nested too deeply"),
        ("(" * 3_000, "not closed"),
        ("'" + r"\n" * 1_900, "not closed"),
        ("'''" + r"\n" * 1_900 + "'", "not closed"),
        ("r'" + r"\\" * 1_900, "not closed"),
        ("'a'.matches('" + "(" * 3_000 + "')", "regular expression"),
        ("duration('" + "1x" * 1_900 + "') > duration('1d')", "duration"),
        ("9" * 3_900, "64 bits"),
    ],
    ids=range(16),
)
@pytest.mark.parametrize("compiled", [compile_expression, lambda text, names: compile_template(f"{{{text}}}", names)])
def test_hostile_text_is_a_clear_error_at_once(text: str, message: str, compiled: Callable[..., object]) -> None:
    compile_expression("true", NAMES)  # the grammar is built once
    start = time.thread_time()
    with pytest.raises(ExpressionError) as error:
        compiled(text, NAMES)
    assert time.thread_time() - start < 1
    if compiled is compile_expression:
        assert message in str(error.value)
    assert len(str(error.value)) < 10_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * 49 + "1 < 2" + ")" * 49,
        "!" * 48 + "true",
        "1" + " + 1" * 49 + " > 0",
        "[1].all(a, " * 24 + "true" + ")" * 24,
        "[" * 49 + "]" * 49 + " != [1]",
    ],
)
def test_the_deepest_that_loads_can_be_evaluated(text: str) -> None:
    assert compile_expression(text, NAMES).evaluate({}, Context({})) is True


def test_a_long_condition_is_no_deep_one() -> None:
    assert compile_expression(" || ".join(["false"] * 400), NAMES).evaluate({}, Context({})) is False


VISITS = r"the macros (visit more than 20,000 items|take more than 140,000 steps)"
BUILDS = "the expression builds texts and lists of more than 1,000,000 characters and items"


def doubled(first: str, step: str, last: str, times: int = 40) -> str:
    """Return an expression that names a value, and then one made of two of it, and so on."""
    names = "".join(f"cel.bind(x{at + 1}, {step.format(f'x{at}')}, " for at in range(times))
    return f"cel.bind(x0, {first}, {names}{last.format(f'x{times}')}{')' * (times + 1)}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("items.all(a, items.all(b, true))", VISITS),
        ("few.all(a, few.all(b, true))", VISITS),  # three of them do not load: too-costly
        ("items.map(a, items.map(b, items)).size() > 0", VISITS),
        ("items.all(a, items.all(b, 1 / 0 > 1 || a + b >= 0))", VISITS),
        ("items.exists(a, items.exists(b, metrics.a > 1 && a == b))", VISITS),
        ("items.transformList(i, v, items.transformMap(j, w, w)).size() > 0", VISITS),
        ("items.all(a, a in items)", VISITS),
        ("items.all(a, items == items)", VISITS),
        (doubled("[1]", "[{0}, {0}]", "{0} == {0}"), VISITS),
        (doubled("[1]", "[{0}, {0}]", "'%s'.format([{0}]) == ''"), VISITS),
        (doubled("'ab'", "{0} + {0}", "{0} == ''"), BUILDS),
        (doubled("[1]", "{0} + {0}", "{0} == []"), BUILDS),
        ("items.map(a, long + long).size() > 0", BUILDS),
        ("long.replace('x', long) == ''", BUILDS),
        ("items.map(a, long).join(long) == ''", BUILDS),
        ("few.all(a, items.all(b, long.matches(string(a * 1000 + b) + long) || true))", BUILDS),
        ("few.all(a, bytes(long) != b'')", BUILDS),
        ("items.all(i, a, items.exists(j, b, a + b < 0) || true)", VISITS),
        ("items.all(a, long.matches('(x+x+)+y') || true)", BUILDS),
        ("items.all(a, items.exists(b, long.contains('y')))", BUILDS),
    ],
)
@pytest.mark.parametrize("missing", [False, True])
def test_an_evaluation_has_a_budget(text: str, reason: str, missing: bool) -> None:
    names = Names({"a": ()}, {"items": ANY, "few": ANY, "long": ANY})
    context = Context({"items": list(range(1_000)), "few": list(range(200)), "long": "x" * 100_000})
    program = compile_expression(f"metrics.a > 1 || {text}", names)
    start = time.thread_time()
    with pytest.raises(EvaluationFailed) as error:
        program.evaluate({} if missing else {A: 0.0}, context)
    assert re.fullmatch(reason, error.value.reason)
    assert time.thread_time() - start < 3


@pytest.mark.parametrize(
    ("missing", "most", "reason"), [(False, 19_999, "20,000 items"), (True, 11_000, "140,000 steps")]
)
def test_to_the_letter_as_many_steps_visit_fewer_items(missing: bool, most: int, reason: str) -> None:
    names = Names({"a": ()}, {"items": ANY})
    program = compile_expression("metrics.a > 1 || items.exists(x, x == 'last')", names)
    values = {} if missing else {A: 0.0}
    assert program.evaluate(values, Context({"items": [*range(most), "last"]})) is True
    assert program.evaluate(values, Context({"items": ["last", *range(30_000)]})) is True  # it stops at once
    with pytest.raises(EvaluationFailed, match=reason):
        program.evaluate(values, Context({"items": [*range(20_000), "last"]}))


@pytest.mark.parametrize("way", ["", "metrics.a > 1 && "])
def test_a_long_body_makes_the_items_dearer(way: str) -> None:
    program = compile_expression(f"{way}items.all(x, {' && '.join(['x >= 0'] * 50)})", Names({"a": ()}, {"items": ANY}))
    assert program.evaluate({A: 2.0}, Context({"items": list(range(900))})) is True
    with pytest.raises(EvaluationFailed, match="140,000 steps"):
        program.evaluate({A: 2.0} if not way else {}, Context({"items": list(range(1_000))}))


@pytest.mark.parametrize("given", [{}, {A: 0.0}])
def test_five_hundred_instances_with_five_slices_are_judged_though_one_item_is_missing(given: dict) -> None:
    rows = [{"slices": [{"share": 0.6, "name": f"s{at}"} for at in range(5)]} for _ in range(500)]
    del rows[7]["slices"][3]["share"]
    names = Names({"a": ()}, {"rows": ANY})
    fine = compile_expression("metrics.a > 1 || rows.all(r, r.slices.all(s, s.share > 0.5 && s.name != 'x'))", names)
    low = compile_expression(
        "metrics.a > 1 || rows.exists(r, r.slices.exists(s, s.share < 0.5 && s.name != 'x'))", names
    )
    with pytest.raises(EvaluationFailed, match="no field 'share'"):
        fine.evaluate(given, Context({"rows": rows}))
    rows[499]["slices"][4]["share"] = 0.4
    assert low.evaluate(given, Context({"rows": rows})) is True


@pytest.mark.parametrize("given", [{}, {A: 0.0}])
def test_patterns_that_differ_with_each_item_are_few(given: dict) -> None:
    program = compile_expression(
        "metrics.a > 1 || items.all(x, !'a'.matches('x' + string(x)))", Names({"a": ()}, {"items": ANY})
    )
    with pytest.raises(EvaluationFailed, match="140,000 steps"):
        program.evaluate(given, Context({"items": list(range(2_000))}))


def test_the_largest_of_a_long_list_is_paid_for() -> None:
    program = compile_expression("items.all(x, math.greatest(items) > 0)", Names({}, {"items": ANY}))
    with pytest.raises(EvaluationFailed, match="20,000 items"):
        program.evaluate({}, Context({"items": list(range(1_000))}))


def test_the_parser_is_imported_with_the_first_expression() -> None:
    code = (
        "import sys, governance.core.expression\n"
        "assert not {'celpy', 'lark', 're2', 'pendulum'} & {name.split('.')[0] for name in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
