"""Every problem of an expression is found in one pass, where it stands, with what was meant."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from governance.core.expression import ANY, ExpressionError, Names, Shape, compile_expression, shape_of

DAYS = Shape.leaf("duration")
NAMES = Names(
    {"p95_latency": (), "psi": ("feature",), "recall": ("slice", "value")},
    {
        "card": Shape.record(
            {"tier": Shape.leaf("int"), "cost": Shape.record({"per_day": Shape.leaf("double")}, optional=["per_day"])},
            optional=["cost"],
        ),
        "parameters": Shape.record({"limit": DAYS}),
        "labels": Shape.map(Shape.leaf("string")),
        "now": Shape.leaf("timestamp"),
    },
)

TABLE = [
    (
        "metrics.p95_latncy > 0.150",
        "unknown-metric",
        (1, 9, 10),
        "no metric 'p95_latncy'",
        "did you mean 'p95_latency'?",
    ),
    (
        "metrics['p95_latncy'] > 1",
        "unknown-metric",
        (1, 9, 12),
        "no metric 'p95_latncy'",
        "did you mean 'p95_latency'?",
    ),
    ("metrics > 1", "unknown-metric", (1, 1, 7), "metrics is no value by itself", "name one: metrics.<name>"),
    ("crad.tier > 1", "unknown-name", (1, 1, 4), "no variable 'crad'", "did you mean 'card'?"),
    ("psi > 1", "unknown-name", (1, 1, 3), "no variable 'psi'", "did you mean 'metrics.psi'?"),
    ("[1].all(x, x > y)", "unknown-name", (1, 16, 1), "no variable 'y'", ""),
    ("[1].all(x, x > 0) && x", "unknown-name", (1, 22, 1), "no variable 'x'", ""),
    ("card.teir > 1", "unknown-field", (1, 6, 4), "no field 'teir' in card", "did you mean 'tier'?"),
    ("card['teir'] > 1", "unknown-field", (1, 6, 6), "no field 'teir' in card", "did you mean 'tier'?"),
    ("card.tier.x > 1", "unknown-field", (1, 11, 1), "card.tier is an int, it has no fields", ""),
    ("has(card.csot)", "unknown-field", (1, 10, 4), "no field 'csot' in card", "did you mean 'cost'?"),
    (
        "series(metrics.psi).exists(s, s.valeu > 1)",
        "unknown-field",
        (1, 33, 5),
        "no field 'valeu' in s",
        "did you mean 'value'?",
    ),
    ("mx(metrics.psi) > 1", "unknown-function", (1, 1, 2), "no function 'mx'", "did you mean 'max'?"),
    (
        "labels.slice.startWith('a')",
        "unknown-function",
        (1, 14, 9),
        "no function 'startWith'",
        "did you mean 'startsWith'?",
    ),
    ("size(1, 2) > 1", "wrong-arguments", (1, 1, 10), "size() takes 1 argument, not 2", ""),
    ("now.getHours('a', 'b') > 1", "wrong-arguments", (1, 1, 22), "getHours() takes 0 or 1 arguments, not 2", ""),
    (
        "startsWith('a', 'b')",
        "wrong-arguments",
        (1, 1, 10),
        "startsWith() is not called like this",
        "write value.startsWith(…)",
    ),
    ("has(card)", "wrong-arguments", (1, 1, 9), "has() takes one field, such as has(card.data)", ""),
    (
        "[1].all(x)",
        "wrong-arguments",
        (1, 1, 10),
        "all() takes a variable and a condition",
        "for example list.all(each, each > 0)",
    ),
    ("max(1) > 1", "wrong-arguments", (1, 5, 1), "max() takes a metric, such as max(metrics.<name>)", ""),
    (
        "max(samples(metrics.psi)) > 1",
        "wrong-arguments",
        (1, 5, 20),
        "max() takes a metric, such as max(metrics.<name>)",
        "",
    ),
    (
        "max(metrics.psi, 'feature') > 1",
        "wrong-arguments",
        (1, 18, 9),
        "the labels to keep are a list of texts, such as ['feature']",
        "",
    ),
    (
        "max(metrics.psi, ['featrue']) > 1",
        "unknown-label",
        (1, 19, 9),
        "metric 'psi' has no label 'featrue'",
        "did you mean 'feature'?",
    ),
    (
        "max(metrics.p95_latency, ['a']) > 1",
        "unknown-label",
        (1, 27, 3),
        "metric 'p95_latency' has no label 'a'",
        "it has none",
    ),
    (
        "max(avg(metrics.recall, ['slice']), ['value']) > 1",
        "unknown-label",
        (1, 38, 7),
        "what is aggregated here has no label 'value'",
        "it has slice",
    ),
    (
        "card.cost.per_day > 5",
        "unguarded-field",
        (1, 1, 17),
        "card.cost.per_day may be absent",
        "write has(card.cost.per_day) && …",
    ),
    (
        "has(card.cost) && card.cost.per_day > 5",
        "unguarded-field",
        (1, 19, 17),
        "card.cost.per_day may be absent",
        "write has(card.cost.per_day) && …",
    ),
    (
        "now - timestamp('2026-01-01T00:00:00Z') > duration('30 d')",
        "bad-duration",
        (1, 52, 6),
        "must be a duration such as 30m, 1h30m or 7d, not '30 d'",
        "",
    ),
    ("seconds('2hh') > 1", "bad-duration", (1, 9, 5), "must be a duration such as 30m, 1h30m or 7d, not '2hh'", ""),
    ("now > timestamp('x')", "bad-timestamp", (1, 17, 3), "'x' is no instant between the years 1 and 9999", ""),
    ("labels.a.matches('(')", "bad-pattern", (1, 18, 3), "'(' is no regular expression: missing ): (", ""),
    (
        "metrics.psi * size('a') > 1",
        "wrong-type",
        (1, 1, 23),
        "cannot multiply a double and an int; CEL does not mix numbers, write 100.0 or double(…)",
        "",
    ),
    ("metrics.psi == 'x'", "wrong-type", (1, 1, 18), "a double never equals a string", ""),
    (
        "parameters.limit > 7",
        "wrong-type",
        (1, 1, 20),
        "cannot compare a duration with an int",
        "write a duration, such as duration('30m')",
    ),
    (
        "parameters.limit > '7d'",
        "wrong-type",
        (1, 1, 23),
        "cannot compare a duration with a string",
        "write duration('7d')",
    ),
    (
        "now > '2026-01-05'",
        "wrong-type",
        (1, 1, 18),
        "cannot compare a timestamp with a string",
        "write timestamp('2026-01-05T00:00:00Z')",
    ),
    ("metrics.psi > '0.5'", "wrong-type", (1, 1, 19), "cannot compare a double with a string", "write 0.5"),
    (
        "metrics.p95_latency > '2s'",
        "wrong-type",
        (1, 1, 26),
        "cannot compare a double with a string",
        "write seconds('2s')",
    ),
    ("metrics.psi == null", "wrong-type", (1, 1, 19), "a double never equals null", "write !has(metrics.psi)"),
    ("3 in ['a']", "wrong-type", (1, 1, 10), "'in' looks for an int among strings", ""),
    ("len(labels) > 1", "unknown-function", (1, 1, 3), "no function 'len'", "write size(…)"),
    ("labels.size > 1", "wrong-type", (1, 1, 15), "cannot compare a string with an int", ""),
    (
        "metrics.psi.exists(x, x > 1)",
        "wrong-type",
        (1, 1, 11),
        "exists() needs a list or a map, not a double",
        "write series(metrics.psi).exists(…)",
    ),
    (
        "metrics.recall.night < 1",
        "unknown-field",
        (1, 16, 5),
        "metrics.recall is a double, it has no fields",
        "in each instance a metric is one number: ask labels, as in labels.<name> == 'night'",
    ),
    (
        "max(metrics.psi, metrics.recall) > 1",
        "wrong-arguments",
        (1, 18, 14),
        "the labels to keep are a list of texts, such as ['feature']",
        "of two values math.greatest(…) or math.least(…) is one",
    ),
    ("metrics.psi && true", "wrong-type", (1, 1, 11), "this needs true or false, not a double", ""),
    ("labels.slice in 'abc'", "wrong-type", (1, 1, 21), "'in' needs a list or a map, not a string", ""),
    ("true &&\n  metrics.pis > 1", "unknown-metric", (2, 11, 3), "no metric 'pis'", "did you mean 'psi'?"),
    ("1 + )", "syntax", (1, 5, 1), "unexpected ')'", ""),
    ("1 +", "syntax", (1, 3, 1), "the expression ends too early", ""),
    ("  ", "syntax", (1, 1, 1), "the expression is empty", ""),
    ("true and false", "syntax", (1, 6, 3), "unexpected 'and'", "write &&"),
    ("now > 1h30m", "syntax", (1, 8, 4), "unexpected 'h30m'", "write duration('1h30m')"),
    ("not true", "syntax", (1, 5, 4), "unexpected 'true'", "write !"),
    ("card.tier = 1", "syntax", (1, 11, 1), "unexpected '='", "write =="),
    ("1 > 90%", "syntax", (1, 5, 3), "a % takes the remainder of a division", "write 0.9"),
    ("1 > 2.5 % && true", "syntax", (1, 5, 5), "a % takes the remainder of a division", "write 0.025"),
    ("size([7 % 2, 90%]) > 1", "syntax", (1, 14, 3), "a % takes the remainder of a division", "write 0.9"),
    ("1 > 2e-1%", "syntax", (1, 5, 5), "a % takes the remainder of a division", "write 0.002"),
    ("metrics.a > 5m", "syntax", (1, 14, 1), "unexpected 'm'", "write seconds('5m')"),
    ("1 <> 2", "syntax", (1, 3, 2), "unexpected '<>'", "write !="),
    ("1 => 2", "syntax", (1, 3, 2), "unexpected '=>'", "write >="),
    ("1 =< 2", "syntax", (1, 3, 2), "unexpected '=<'", "write <="),
    ("1 === 2", "syntax", (1, 3, 3), "unexpected '='", "write =="),
    ("1 ≥ 2", "syntax", (1, 3, 1), "unexpected '≥'", "write >="),
    ("card.owner =~ 'a'", "syntax", (1, 12, 2), "unexpected '=~'", "write text.matches('…')"),
    ("true AND false", "syntax", (1, 6, 3), "unexpected 'AND'", "write &&"),
    ("card.tier is None", "syntax", (1, 1, 17), "unexpected 'is'", "write !has(card.tier)"),
    ("card.tier is not None", "syntax", (1, 1, 21), "unexpected 'is'", "write has(card.tier)"),
    ("card.tier not in [1]", "syntax", (1, 1, 16), "unexpected 'not'", "write !(card.tier in …)"),
    (
        "card.tier == None",
        "unknown-name",
        (1, 14, 4),
        "no variable 'None'",
        "write !has(metrics.<name>) for what is missing",
    ),
    ("card.tier == 1 || True", "unknown-name", (1, 19, 4), "no variable 'True'", "write true"),
    ("1.0 > 0,5", "syntax", (1, 7, 3), "unexpected ','", "write 0.5"),
    ("1 > 1_000", "syntax", (1, 5, 5), "a number has no _", "write 1000"),
    ("now > 5 minutes", "syntax", (1, 7, 9), "unexpected '5 minutes'", "write duration('5m')"),
    ("'a' == “a”", "syntax", (1, 8, 1), "unexpected '“'", "write straight quotes"),
    ("(1 > 2 &&\n (2 > 3)", "syntax", (1, 1, 1), "this '(' is not closed", ""),
    ("true &&\n size([1, 2 > 1", "syntax", (2, 7, 1), "this '[' is not closed", ""),
    ("'(' == '(' // (\n && (true", "syntax", (2, 5, 1), "this '(' is not closed", ""),
    ("1 > 2)", "syntax", (1, 6, 1), "this ')' closes nothing", ""),
    ("(1 > 2] && true", "syntax", (1, 7, 1), "unexpected ']'", "the '(' at column 1 is closed by ')'"),
    ("'90%' and true", "syntax", (1, 7, 3), "unexpected 'and'", "write &&"),
    ("'abc", "syntax", (1, 1, 4), "this string is not closed", ""),
    ("'a\nb'", "syntax", (1, 1, 2), "this string is not closed", ""),
    (r"'\d'", "syntax", (1, 1, 4), r"unknown escape '\d' in a string; a backslash is written \\", ""),
    ("99999999999999999999", "syntax", (1, 1, 20), "this integer does not fit into 64 bits", ""),
    ("1e999", "syntax", (1, 1, 5), "this number is too large for a double", ""),
    ("Point{x: 1}", "syntax", (1, 1, 11), "messages are not supported; write a map, such as {'key': value}", ""),
]


@pytest.mark.parametrize(("text", "code", "place", "message", "suggestion"), TABLE)
def test_problem(text: str, code: str, place: tuple[int, int, int], message: str, suggestion: str) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_expression(text, NAMES)
    (problem,) = error.value.problems
    found = (problem.code, (problem.line, problem.column, problem.length), problem.message, problem.suggestion)
    assert found == (code, place, message, suggestion)


def test_all_problems_in_one_pass_in_the_order_of_the_text() -> None:
    with pytest.raises(ExpressionError) as error:
        compile_expression("metrics.x > 1\n && foo(card.y) && max(metrics.psi, ['z']) > now", NAMES)
    codes = ["unknown-metric", "unknown-function", "wrong-type", "unknown-label"]
    assert [problem.code for problem in error.value.problems] == codes


@pytest.mark.parametrize(
    "text",
    [
        "has(card.cost.per_day) && card.cost.per_day > 5",
        "!has(card.cost.per_day) || card.cost.per_day > 5",
        "card.tier == 1 ? has(card.cost.per_day) && card.cost.per_day > 5 : false",
        "labels.anything == 'x' && has(labels.other)",
        "card.tier * 2 > 3 && 2 * metrics.psi > 1 && metrics.psi > 1",
        "dyn(1) == 'a' || null == dyn(card.tier)",
        "[1, 'a', 2.0].exists(x, x == 1)",
    ],
)
def test_no_problem(text: str) -> None:
    assert compile_expression(text, NAMES, result="bool").kind == "bool"


def test_what_is_given_guards() -> None:
    given = Names(NAMES.metrics, NAMES.variables, given=("has(card.cost.per_day)",))
    assert compile_expression("card.cost.per_day > 5", given)
    broken = Names(NAMES.metrics, NAMES.variables, given=("has(card.cost.per_day",))
    with pytest.raises(ExpressionError, match="may be absent"):
        compile_expression("card.cost.per_day > 5", broken)


def test_the_wanted_kind_of_value() -> None:
    with pytest.raises(ExpressionError, match="this gives a double, it must give a bool"):
        compile_expression("metrics.psi", NAMES, result="bool")


class Part(BaseModel):
    at_most: timedelta
    note: str | None = None


class Whole(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    tier: Literal[1, 2] = 2
    part: Part | None = None
    parts: dict[str, Part] = {}
    known: dict[Literal["a", "b"], Part] = {}
    pair: tuple[float, float] | None = None
    items: list[Part] = []
    either: str | Part = ""
    anything: Any = None
    since: datetime
    below: Whole | None = None


def test_shape_of_a_model() -> None:
    part = Shape.record({"at_most": DAYS, "note": Shape.leaf("string")}, optional=["note"])
    expected = Shape.record(
        {
            "name": Shape.leaf("string"),
            "tier": Shape.one_of([1, 2]),
            "part": part,
            "parts": Shape.map(part),
            "known": Shape.record({"a": part, "b": part}, optional=["a", "b"]),
            "pair": Shape.list(Shape.leaf("double"), 2),
            "items": Shape.list(part),
            "either": ANY,
            "anything": ANY,
            "since": Shape.leaf("timestamp"),
            "below": ANY,
        },
        optional=["part", "pair", "below"],
    )
    assert shape_of(Whole) == expected
