"""What authors can call: texts, numbers, macros of two variables, named values, values that may not be there."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime

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
)

NAMES = Names({"a": ()}, {"card": Shape.record({"model": Shape.leaf("string"), "data": ANY}, optional=["data"])})
CONTEXT = Context({"card": {"model": "Flight-Delay", "data": {"days": 30, "owners": ["ana", "bo"], "big": 10**400}}})


def outcome(text: str, value: object = 0.5) -> object:
    return compile_expression(text, NAMES).evaluate({Reference("a"): value}, CONTEXT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("card.model.lowerAscii().replace('-', ' ').split(' ')", ["flight", "delay"]),
        ("card.model.substring(0, 6).upperAscii() + card.model.charAt(6)", "FLIGHT-"),
        ("card.model.indexOf('-') + card.model.lastIndexOf('l')", 15),
        ("' x '.trim().reverse()", "x"),
        ("'%s: %.2f of %d'.format([card.model, metrics.a, 3])", "Flight-Delay: 0.50 of 3"),
        ("strings.quote('a\"b')", '"a\\"b"'),
        ("math.greatest(metrics.a, 0.25) + math.least(1.0, 2.0)", 1.5),
        ("math.round(metrics.a) + math.abs(-1.0)", 2.0),
        ("math.bitAnd(6, 3)", 2),
        ("string(base64.decode(base64.encode(b'x')))", "x"),
        ("cel.bind(half, metrics.a / 2.0, half + half)", 0.5),
        ("[1, 2].all(i, x, x == i + 1) && {'k': 1}.exists(k, v, k == 'k' && v == 1)", True),
        ("[3, 4].transformList(i, x, i > 0, x * 2)", [8]),
        ("{'k': 2}.transformMap(k, v, v + 1)", {"k": 3}),
        ("{'k': 'v'}.transformMapEntry(k, v, {v: k})", {"v": "k"}),
        ("optional.of(2).optMap(x, x + 1).orValue(0)", 3),
        ("card.?data.hasValue()", True),
        ("card.?data.?days.orValue(7)", 30),
        ("card.?data.?weeks.orValue(7)", 7),
        ("card.?data.owners[?5].orValue('nobody')", "nobody"),
        ("[?card.?data.?nothing, 1].size()", 1),
        ("{?'days': card.?data.?days}", {"days": 30}),
        ("{'a-b': 1}.`a-b`", 1),
        ("[1, 2, ][0] + {'k': 3,}.k", 4),
        (r"r'\d' + '\x41'", "\\dA"),
    ],
)
def test_values(text: str, expected: object) -> None:
    result = outcome(text)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("card.model.charAt(50) == 'x'", "position 50 lies outside a text of 12 characters"),
        ("card.model.substring(5, 2) == ''", "a part of a text cannot begin at 5 and end at 2"),
        ("'%z'.format([1]) == ''", "format() knows no '%z', write %s"),
        ("'%d'.format(['x']) == ''", "format() cannot write a string as %d"),
        ("'%s %s'.format([1]) == ''", "format() has fewer values than the text has clauses (1)"),
        ("base64.decode('*') == b''", "this text is no base64"),
        ("optional.none().value() == 1", "the optional value is not there; ask hasValue() first, or write orValue(…)"),
        ("math.bitShiftLeft(1, 0 - 1) == 0", "math.bitShiftLeft() cannot shift by -1 bits"),
        ("{'a': 1, 'b': 1}.transformMapEntry(k, v, {v: k}).size() == 1", "the key 1 stands twice in the map"),
    ],
)
def test_failures(text: str, reason: str) -> None:
    with pytest.raises(EvaluationFailed) as error:
        outcome(text)
    assert error.value.reason == reason


def test_numbers_that_no_double_holds_are_an_error_of_the_rule() -> None:
    names = Names({"a": ()}, {"card": Shape.record({"limit": Shape.leaf("double")})})
    context = Context({"card": {"limit": 10**400}})
    for text in ("metrics.a > 1", "metrics.a < card.limit"):
        with pytest.raises(EvaluationFailed, match="too large for a double"):
            compile_expression(text, names).evaluate({Reference("a"): 10**400}, context)


@pytest.mark.parametrize(
    "call", ["int({}) > 1", "timestamp({}) > now", "duration({}) == now - now", "{{'a': 1}}[{}] == 1"]
)
def test_a_message_does_not_repeat_a_long_text(call: str) -> None:
    names = Names(variables={"long": ANY, "now": Shape.leaf("timestamp")})
    context = Context({"long": "x" * 100_000, "now": datetime(2026, 1, 5, tzinfo=UTC)})
    with pytest.raises(EvaluationFailed) as error:
        compile_expression(call.format("long"), names).evaluate({}, context)
    assert len(error.value.reason) < 200


@pytest.mark.parametrize("text", ["null.a == 1", "[1].a == 1", "true.a && true", "'x'.a == 1", "(1).a == 1"])
def test_code_for_nonsense_warns_nobody(text: str) -> None:
    from governance.core.expression.program import compile_unchecked

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(EvaluationFailed, match="has no field 'a'"):
            compile_unchecked(text).evaluate({}, Context({}))


def test_a_reserved_word_is_no_variable() -> None:
    with pytest.raises(ExpressionError, match="'package' is a reserved word"):
        compile_expression("package == 1", NAMES)


def test_500_parentheses_are_an_error_with_its_position() -> None:
    with pytest.raises(ExpressionError) as error:
        compile_expression("true &&\n " + "(" * 500 + "true" + ")" * 500, NAMES)
    (problem,) = error.value.problems
    assert problem.message == "the expression is nested too deeply, at most 50 levels are allowed"
    assert (problem.code, problem.line) == ("syntax", 2)
