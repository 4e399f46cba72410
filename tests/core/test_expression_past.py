"""Functions over a metric's past and over an SLO's budget, in expressions: what they stand for, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance.core.expression import (
    ANY,
    MISSING,
    Budget,
    Context,
    ExpressionError,
    Missing,
    Names,
    Over,
    Reference,
    Shape,
    compile_expression,
    compile_template,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NAMES = Names(
    {"approvals": ("origin",), "psi": ("feature",), "recall": ("slice", "value"), "x": ()},
    {"slo": Shape.record({"key": Shape.leaf("string"), "value": ANY}), "other": ANY},
    slos=frozenset({"latency", "on-time"}),
    slo_items=frozenset({"slo"}),
)
WEEK_OF_X = Reference("x", over=Over("avg_over_time", 7 * DAY))
CHANGE = Reference("approvals", aggregates=(("avg", ()),), over=Over("change", 7 * DAY))
LASTS = Reference("", budget=Budget("time_to_exhaustion", "latency"))
SIMPLE = ("avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "stddev_over_time", "slope", "change")
BURN_FORMS = "write burn_rate(slos.<name>, '1h'), or burn_rate(slo, '1h') with for_each: {slo: card.slos}"
LEFT_FORMS = "budget_left(slos.<name>), or budget_left(slo) with for_each: {slo: card.slos}"
NOT_WRITTEN = "the window must be written out, so that its data can be fetched before judging"
QUANTILE_FORM = "write quantile_over_time(0.95, metrics.<name>, '7d')"


def only(text: str) -> Reference:
    program = compile_expression(text, NAMES)
    (found,) = program.references
    assert program.kind == ("duration" if text.startswith("time_to") else "double")
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("avg_over_time(metrics.x, '7d')", WEEK_OF_X),
        ("change(avg(metrics.approvals), '7d')", CHANGE),
        ("offset(metrics.psi, '1d')", Reference("psi", over=Over("offset", DAY))),
        (
            "max_over_time(max(metrics.recall, ['slice']), '1h30m')",
            Reference("recall", aggregates=(("max", ("slice",)),), over=Over("max_over_time", 1.5 * HOUR)),
        ),
        (
            "slope(max(sum(metrics.recall, ['slice'])), '400d')",
            Reference("recall", aggregates=(("sum", ("slice",)), ("max", ())), over=Over("slope", 400 * DAY)),
        ),
        (
            "quantile_over_time(0.95, metrics.x, '7d')",
            Reference("x", over=Over("quantile_over_time", 7 * DAY, 0.95)),
        ),
        ("quantile_over_time(1, metrics.x, '7d')", Reference("x", over=Over("quantile_over_time", 7 * DAY, 1.0))),
        ("burn_rate(slos.latency, '1h')", Reference("", budget=Budget("burn_rate", "latency", HOUR))),
        ("burn_rate(slos['on-time'], '1h')", Reference("", budget=Budget("burn_rate", "on-time", HOUR))),
        ("burn_rate(slo, '1h per 30d')", Reference("", budget=Budget("burn_rate", "", HOUR, 30 * DAY))),
        ("burn_rate(slo, '30d per 30d')", Reference("", budget=Budget("burn_rate", "", 30 * DAY, 30 * DAY))),
        ("budget_left(slo)", Reference("", budget=Budget("budget_left"))),
        ("time_to_exhaustion(slos.latency)", LASTS),
    ],
)
def test_what_a_call_stands_for_and_how_it_is_written(text: str, expected: Reference) -> None:
    assert only(text) == expected
    assert expected.text == text


@pytest.mark.parametrize("function", SIMPLE)
def test_every_function_over_time(function: str) -> None:
    assert only(f"{function}(metrics.x, '2w')").over == Over(function, 14 * DAY)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("metrics['psi']", "metrics.psi"),
        ("max( metrics.psi,['feature'] )", "max(metrics.psi, ['feature'])"),
        ("samples(metrics.psi)", "samples(metrics.psi)"),
        ("series(max(metrics.recall, ['slice', 'value']))", "series(max(metrics.recall, ['slice', 'value']))"),
        ("avg_over_time(metrics.x, '24h')", "avg_over_time(metrics.x, '1d')"),
    ],
)
def test_references_are_shown_in_one_form(written: str, text: str) -> None:
    (found,) = compile_expression(written, NAMES).references
    assert found.text == text


def test_the_item_of_a_loop_counts_as_used() -> None:
    assert compile_expression("budget_left(slo) < 0.1", NAMES).variables == {"slo"}
    assert compile_expression("budget_left(slos.latency) < 0.1", NAMES).variables == frozenset()


def test_values_are_bound_like_those_of_metrics() -> None:
    program = compile_expression(
        "change(avg(metrics.approvals), '7d') < -0.05 || time_to_exhaustion(slos.latency) < duration('3d')", NAMES
    )
    assert program.references == (CHANGE, LASTS)
    assert program.evaluate({CHANGE: -0.01, LASTS: timedelta(days=2)}, Context({})) is True
    assert program.evaluate({CHANGE: -0.1, LASTS: MISSING}, Context({})) is True
    assert program.evaluate({CHANGE: 0, LASTS: timedelta(days=4)}, Context({})) is False


def test_what_is_missing_is_named_as_it_is_written() -> None:
    text = "change(avg(metrics.approvals), '7d') + burn_rate(slo, '1h per 30d') > 0"
    with pytest.raises(Missing) as error:
        compile_expression(text, NAMES).evaluate({}, Context({}))
    assert str(error.value).startswith("no data for ")
    assert "change(avg(metrics.approvals), '7d')" in str(error.value)
    assert "burn_rate(slo, '1h per 30d')" in str(error.value)


def test_explanations_and_templates_show_them() -> None:
    values = {WEEK_OF_X: 0.25, LASTS: timedelta(days=2, hours=4)}
    program = compile_expression(
        "avg_over_time(metrics.x, '7d') > 0.2 && time_to_exhaustion(slos.latency) < duration('3d')", NAMES
    )
    assert [(each.line, each.outcome, each.values) for each in program.explain(values, Context({}))] == [
        ("avg_over_time(metrics.x, '7d') 0.25 > 0.2", True, (("avg_over_time(metrics.x, '7d')", 0.25),)),
        (
            "time_to_exhaustion(slos.latency) 2d4h < duration('3d')",
            True,
            (("time_to_exhaustion(slos.latency)", timedelta(days=2, hours=4)),),
        ),
    ]
    template = compile_template(
        "{slo.key}: spent in {time_to_exhaustion(slos.latency)}, {change(metrics.x, '1d')}", NAMES
    )
    assert template.references == (LASTS, Reference("x", over=Over("change", DAY)))
    context = Context({"slo": {"key": "latency"}})
    assert template.render(values, context) == "latency: spent in 2d4h, no data"


PROBLEMS = [
    # windows
    ("avg_over_time(metrics.x, 'a week')", "bad-duration", (26, 8), "must be a duration such as 30m, 1h30m or 7d", ""),
    ("avg_over_time(metrics.x, 7)", "bad-duration", (26, 1), "add a unit, for example 7s", ""),
    ("avg_over_time(metrics.x, '0s')", "bad-duration", (26, 4), "longer than 0s and at most 400d, not '0s'", ""),
    ("change(metrics.x, '401d')", "bad-duration", (19, 6), "longer than 0s and at most 400d, not '401d'", ""),
    ("avg_over_time(metrics.x, other)", "wrong-arguments", (26, 5), NOT_WRITTEN, "for example '7d'"),
    ("avg_over_time(metrics.x, duration('7d'))", "wrong-arguments", (26, 14), NOT_WRITTEN, "write '7d'"),
    ("avg_over_time(metrics.x, 7d)", "syntax", (27, 1), "unexpected 'd'", "write '7d'"),
    (
        "avg_over_time(metrics.x[7d])",
        "syntax",
        (26, 1),
        "unexpected 'd'",
        "write the window last, as in avg_over_time(metrics.<name>, '7d')",
    ),
    # arguments
    ("slope(metrics.x)", "wrong-arguments", (1, 16), "a metric and a window", "write slope(metrics.<name>, '7d')"),
    ("quantile_over_time(metrics.x, '7d')", "wrong-arguments", (1, 35), "a quantile, a metric and", QUANTILE_FORM),
    ("quantile_over_time(95, metrics.x, '7d')", "wrong-arguments", (20, 2), "a number from 0 to 1", QUANTILE_FORM),
    ("quantile_over_time(-0.1, metrics.x, '7d')", "wrong-arguments", (20, 4), "a number from 0 to 1", QUANTILE_FORM),
    ("quantile_over_time(true, metrics.x, '7d')", "wrong-arguments", (20, 4), "a number from 0 to 1", QUANTILE_FORM),
    ("quantile_over_time(other, metrics.x, '7d')", "wrong-arguments", (20, 5), "a number from 0 to 1", QUANTILE_FORM),
    ("offset(5, '1d')", "wrong-arguments", (8, 1), "takes a metric, such as offset(metrics.<name>, '7d')", ""),
    ("offset(samples(metrics.x), '1d')", "wrong-arguments", (8, 18), "takes a metric, such as offset(metrics", ""),
    ("slope(metrics.y, '1d')", "unknown-metric", (15, 1), "no metric 'y'", ""),
    (
        "slope(max(metrics.psi, ['featur']), '1d')",
        "unknown-label",
        (25, 8),
        "no label 'featur'",
        "did you mean 'feature'?",
    ),
    (
        "metrics.x.change('7d')",
        "wrong-arguments",
        (11, 6),
        "not called like this",
        "write change(metrics.<name>, '7d')",
    ),
    ("avg_overtime(metrics.x, '7d')", "unknown-function", (1, 12), "no function", "did you mean 'avg_over_time'?"),
    ("burnrate(slo, '7d')", "unknown-function", (1, 8), "no function 'burnrate'", "did you mean 'burn_rate'?"),
    # nesting
    (
        "max(avg_over_time(metrics.psi, '7d'))",
        "wrong-arguments",
        (5, 32),
        "max() over labels is taken at each instant, before avg_over_time()",
        "write avg_over_time(max(metrics.psi), '7d')",
    ),
    (
        "count(max(quantile_over_time(0.5, metrics.recall, '7d'), ['slice']))",
        "wrong-arguments",
        (11, 45),
        "max() over labels is taken at each instant, before quantile_over_time()",
        "write quantile_over_time(0.5, max(metrics.recall, ['slice']), '7d')",
    ),
    (
        "avg_over_time(offset(max(metrics.psi), '1d'), '7d')",
        "wrong-arguments",
        (15, 30),
        "avg_over_time() cannot look back over offset()",
        "write avg_over_time(max(metrics.psi), '7d')",
    ),
    (
        "age(offset(metrics.x, '1d'))",
        "wrong-arguments",
        (5, 23),
        "age() is that of a metric now, not of offset()",
        "write age(metrics.x)",
    ),
    ("series(slope(metrics.psi, '1d'))", "wrong-arguments", (8, 24), "a metric now", "write series(metrics.psi)"),
    ("max(slope())", "wrong-arguments", (5, 7), "before slope()", "write slope(metrics.<name>, '7d')"),
    ("max(budget_left(slo))", "wrong-arguments", (5, 16), "max() takes a metric, such as max(metrics.<name>)", ""),
    # budgets
    ("budget_left(slos.latncy)", "unknown-slo", (18, 6), "no SLO 'latncy'", "did you mean 'latency'?"),
    ("budget_left(slos['ontime'])", "unknown-slo", (18, 8), "no SLO 'ontime'", "did you mean 'on-time'?"),
    ("slos == 1", "unknown-slo", (1, 4), "slos is no value by itself", f"ask one: {LEFT_FORMS}"),
    ("slos.latency > 1", "unknown-slo", (1, 4), "slos is no value by itself", f"ask one: {LEFT_FORMS}"),
    ("budget_left(slos)", "wrong-arguments", (13, 4), "budget_left() takes an SLO", f"write {LEFT_FORMS}"),
    ("budget_left(other)", "wrong-arguments", (13, 5), "budget_left() takes an SLO", f"write {LEFT_FORMS}"),
    ("budget_left(slo.key)", "wrong-arguments", (13, 7), "budget_left() takes an SLO", f"write {LEFT_FORMS}"),
    ("burn_rate('latency', '1h')", "wrong-arguments", (11, 9), "takes an SLO and a window", BURN_FORMS),
    ("burn_rate(slo)", "wrong-arguments", (1, 14), "takes an SLO and a window", BURN_FORMS),
    ("burn_rate(slo, other)", "wrong-arguments", (16, 5), NOT_WRITTEN, "for example '7d'"),
    ("burn_rate(slo, '1 h')", "bad-duration", (16, 5), "not '1 h'", ""),
    (
        "burn_rate(slo, '1h per month')",
        "bad-duration",
        (16, 14),
        "not 'month'",
        "to scale it with the SLO's own window, write '1h per 30d'",
    ),
    (
        "burn_rate(slo, '30d per 1h')",
        "bad-duration",
        (16, 12),
        "'30d' is longer than '1h'",
        "to scale it with the SLO's own window, write '1h per 30d'",
    ),
    ("time_to_exhaustion(slo) < 2", "wrong-type", (1, 27), "cannot compare a duration with an int", ""),
    ("budget_left(slo) < duration('1d')", "wrong-type", (1, 33), "cannot compare a double with a duration", ""),
    ("slosz.latency", "unknown-name", (1, 5), "no variable 'slosz'", "did you mean 'slos'?"),
]


@pytest.mark.parametrize(("text", "code", "place", "message", "suggestion"), PROBLEMS)
def test_problem(text: str, code: str, place: tuple[int, int], message: str, suggestion: str) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_expression(text, NAMES)
    (problem,) = error.value.problems
    assert (problem.code, problem.line, (problem.column, problem.length)) == (code, 1, place)
    assert message in problem.message
    assert problem.suggestion == suggestion


def test_all_problems_of_a_call_in_one_pass() -> None:
    with pytest.raises(ExpressionError) as error:
        compile_expression("quantile_over_time(2, metrics.y, other) > burn_rate(slos.y, '1')", NAMES)
    codes = ["wrong-arguments", "unknown-metric", "wrong-arguments", "unknown-slo", "bad-duration"]
    assert [problem.code for problem in error.value.problems] == codes


def test_a_variable_of_a_macro_hides_the_slo_of_the_loop() -> None:
    with pytest.raises(ExpressionError, match=r"budget_left\(\) takes an SLO"):
        compile_expression("[1].all(slo, budget_left(slo) > 0.5)", NAMES)


def test_a_variable_named_slos_is_a_variable() -> None:
    assert compile_expression("slos.latency > 1", Names(variables={"slos": ANY})).references == ()
