"""Expressions stay correct in threads, end within bounds, and cost nothing before the first one."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

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


def test_threads_do_not_disturb_each_other() -> None:
    program = compile_expression("[1, 2, 3].exists(x, metrics.a == double(x) + parameters.b) && has(items.own)", NAMES)
    base = Context({"parameters": {"b": 10.0}})

    def wrong(thread: int) -> int:
        context = base.extend({"items": {"own": 1} if thread % 2 else {}})
        results = [program.evaluate({A: float(turn % 20)}, context) for turn in range(2_000)]
        expected = [turn % 20 in (11, 12, 13) and thread % 2 == 1 for turn in range(2_000)]
        return sum(one is not other for one, other in zip(results, expected, strict=True))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(wrong, range(4))) == [0, 0, 0, 0]


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
        ("(" * 3_000, "too early"),
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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("items.all(a, items.all(b, items.all(c, true)))", "the macros visit more than 20,000 items"),
        ("items.map(a, items.map(b, items)).size() > 0", "the macros visit more than 20,000 items"),
    ],
)
def test_macros_have_a_budget(text: str, reason: str) -> None:
    start = time.thread_time()
    with pytest.raises(EvaluationFailed) as error:
        compile_expression(text, NAMES).evaluate({}, Context({"items": list(range(1_000))}))
    assert error.value.reason == reason
    assert time.thread_time() - start < 3


def test_the_parser_is_imported_with_the_first_expression() -> None:
    code = (
        "import sys, governance.core.expression\n"
        "assert not {'celpy', 'lark', 're2', 'pendulum'} & {name.split('.')[0] for name in sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
