"""Expressions give the right value, know what is missing, and explain themselves."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from governance.core.expression import (
    ANY,
    MISSING,
    Context,
    EvaluationFailed,
    Missing,
    Names,
    Reference,
    Shape,
    compile_expression,
)

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
A, B, PSI = Reference("a"), Reference("b"), Reference("psi")
NAMES = Names(
    {"a": (), "b": (), "psi": ("feature", "version")},
    {
        "parameters": Shape.record({"limit": Shape.leaf("double"), "window": Shape.leaf("duration")}),
        "card": Shape.record({"tier": Shape.leaf("int"), "data": Shape.record({"days": ANY})}, optional=["data"]),
        "labels": Shape.map(Shape.leaf("string")),
        "feature": Shape.record({"key": Shape.leaf("string"), "value": ANY}),
        "now": Shape.leaf("timestamp"),
    },
)
CONTEXT = Context(
    {
        "parameters": {"limit": 5, "window": timedelta(days=7)},
        "card": {"tier": 1, "data": None},
        "labels": {"slice": "origin"},
        "feature": {"key": "carrier", "value": {"pii": "none", "range": (0.5, 2), "owner": None}},
        "now": NOW,
    }
)


def outcome(text: str, values: dict[Reference, object] | None = None, context: Context = CONTEXT) -> object:
    return compile_expression(text, NAMES).evaluate(values or {}, context)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("700 / 1000.0", 0.7),
        ("1 < 2.5", True),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("(metrics.a - 1) * 100", 50.0),
        ("100 * metrics.a / 3", 50.0),
        ("2 - -metrics.a", 3.5),
        ("parameters.limit / 2", 2.5),  # declared a double, written 5 in the YAML
        ("feature.value.range[0] * 2", 1.0),  # of unknown kind until it is evaluated
        ("feature.value.range[1] * 2", 4),
        ("metrics.a == 1.5 && metrics.a != 2", True),
        ("card.tier in [1, 2.0]", True),
        ("labels.slice in {'origin': 1}", True),
        ("labels.slice + '/' + feature.key", "origin/carrier"),
        ("has(card.data)", False),
        ("has(card.data.days)", False),  # a guard of the whole path, so no error
        ("has(labels.region)", False),
        ("has(feature.value.owner)", False),
        ("has(feature.value['nothing'].x)", False),
        ("has(metrics.a)", True),
        ("has(metrics.b)", False),
        ("parameters.window == duration('7d')", True),
        ("duration('1h30m') == duration('1.5h')", True),
        ("seconds('2h')", 7200.0),
        ("now - parameters.window", NOW - timedelta(days=7)),
        ("now.getDayOfWeek('Europe/Berlin')", 1),
        ("'flight-delay'.matches('^[a-z-]+$') && matches('a1', '[0-9]')", True),
        ("[1, 2, 3].filter(x, x > 1).map(x, x * 2)", [4, 6]),
        ("[1, 2].exists(x, [2, 3].all(y, y > x))", True),
        ("{'a': 1, 'b': 2}.exists_one(k, k == 'a')", True),
        ("card.tier == 1 ? 'one' : 'more'", "one"),
        ("size(labels) + size('abc')", 4),
        ("type(1) == int", True),
    ],
)
def test_values(text: str, expected: object) -> None:
    result = outcome(text, {A: 1.5})
    assert result == expected
    assert type(result) is type(expected)


def test_division_by_zero_is_that_of_doubles() -> None:
    assert math.isnan(outcome("0.0 / 0.0"))  # type: ignore[arg-type]
    assert outcome("-1.0 / 0.0") == -math.inf


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 / 0", "division by zero"),
        ("9223372036854775807 + 1", "the result does not fit into a 64-bit integer"),
        ("feature.value.pii + 1", "cannot add a string and an int"),
        ("feature.value.owner == 'x'", "no field 'owner'"),
        ("feature.value.range[7] > 1", "no item [7] in a list of 2"),
        ("feature.value.pii < 1", "cannot compare a string with an int (<)"),
        ("duration(feature.key) > duration('1d')", "must be a duration such as 30m, 1h30m or 7d, not 'carrier'"),
        ("feature.value.all(x, x)", "needs true or false, not a string"),
        ("feature.key.matches(feature.key + '(')", "'carrier(' is no regular expression: missing ): carrier("),
        ("now.getHours(feature.key)", "no time zone 'carrier'"),
    ],
)
def test_failures(text: str, reason: str) -> None:
    with pytest.raises(EvaluationFailed) as error:
        outcome(text)
    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.a > 1 && false", False),
        ("false && metrics.a > 1", False),
        ("metrics.a > 1 || true", True),
        ("metrics.a > 1 && true", {A}),
        ("metrics.a > 1 || false", {A}),
        ("!(metrics.a > 1)", {A}),
        ("metrics.a + metrics.b > 1", {A, B}),
        ("metrics.a > 1 || metrics.b > 1", {A, B}),
        ("metrics.a > 1 || (metrics.b > 1 && false)", {A}),
        ("metrics.a > 1 ? true : false", {A}),
        ("card.tier == 1 ? true : metrics.a > 1", True),
        ("[1, 2].all(x, metrics.a > double(x))", {A}),
        ("[1, 2].exists(x, x == 2 || metrics.a > 1)", True),
        ("!has(metrics.a) || metrics.a > 1", True),
    ],
)
@pytest.mark.parametrize("values", [{}, {A: MISSING, B: MISSING}], ids=["absent", "missing"])
def test_missing(text: str, expected: object, values: dict[Reference, object]) -> None:
    program = compile_expression(text, NAMES)
    if isinstance(expected, bool):
        assert program.evaluate(values, CONTEXT) is expected
        return
    with pytest.raises(Missing) as missing:
        program.evaluate(values, CONTEXT)
    assert set(missing.value.references) == expected


def test_a_failure_outranks_missing_data() -> None:
    with pytest.raises(EvaluationFailed, match="division by zero"):
        outcome("metrics.a > 1 || 1 / 0 > 1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.a > 1", Reference("a")),
        ("metrics['a'] > 1", Reference("a")),
        ("max(metrics.psi) > 1", Reference("psi", aggregates=(("max", ()),))),
        ("sum(metrics.psi, ['feature']) > 1", Reference("psi", aggregates=(("sum", ("feature",)),))),
        (
            "max(avg(metrics.psi, ['feature'])) > 1",
            Reference("psi", aggregates=(("avg", ("feature",)), ("max", ()))),
        ),
        ("samples(metrics.a) > 100", Reference("a", "samples")),
        ("age(max(metrics.psi)) > duration('1d')", Reference("psi", "age", (("max", ()),))),
        ("series(metrics.psi).size() > 1", Reference("psi", "series")),
    ],
)
def test_references(text: str, expected: Reference) -> None:
    assert compile_expression(text, NAMES).references == (expected,)


def test_equal_references_share_one_binding() -> None:
    program = compile_expression("max(metrics.psi) > 1 && max( metrics.psi ) < 3 && metrics.psi > 0", NAMES)
    largest = Reference("psi", aggregates=(("max", ()),))
    assert program.references == (largest, PSI)
    assert program.evaluate({largest: 2.0, PSI: 1.0}, CONTEXT) is True
    assert program.variables == frozenset()
    assert program.kind == "bool"


def test_views() -> None:
    series = [{"value": 0.3, "labels": {"feature": "carrier"}}, {"value": 0.1, "labels": {"feature": "origin"}}]
    text = "series(metrics.psi).exists(s, s.value > 0.2 && s.labels.feature == 'carrier')"
    assert outcome(text, {Reference("psi", "series"): series}) is True
    assert outcome("age(metrics.a) > duration('1d')", {Reference("a", "age"): timedelta(days=2)}) is True
    assert outcome("samples(metrics.a) / 2", {Reference("a", "samples"): 5}) == 2.5


def test_explanation_has_the_text_the_outcome_and_the_values() -> None:
    text = """metrics.a < 0.60 &&
      (labels.slice == 'origin' || !has(card.data)
       || max(metrics.psi)  > parameters.limit)"""
    found = compile_expression(text, NAMES).explain({A: 0.54}, CONTEXT)
    assert [(each.text, each.outcome, each.values) for each in found] == [
        ("metrics.a < 0.60", True, (("metrics.a", 0.54),)),
        ("labels.slice == 'origin'", True, (("labels.slice", "origin"),)),
        ("!has(card.data)", True, (("card.data", None),)),
        ("max(metrics.psi) > parameters.limit", None, (("max(metrics.psi)", None), ("parameters.limit", 5.0))),
    ]


def test_explanation_takes_the_branch_that_was_taken() -> None:
    program = compile_expression("card.tier == 1 ? metrics.a > 1 : metrics.b > 1", NAMES)
    assert [term.text for term in program.explain({}, CONTEXT)] == ["card.tier == 1", "metrics.a > 1"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("!has(card.data)", {"!has(card.data)": True}),
        ("!has(card.tier)", {"!has(card.tier)": False}),
        ("!(metrics.a > 0.6)", {"!(metrics.a 0.54 > 0.6)": True}),
        ("!(metrics.a > 0.6 && has(card.tier))", {"!(metrics.a 0.54 > 0.6)": True, "!(has(card.tier))": False}),
        ("!!(metrics.a > 0.5)", {"metrics.a 0.54 > 0.5": True}),
        ("!(metrics.a < 0.5 || !has(card.data))", {"!(metrics.a 0.54 < 0.5)": True, "has(card.data)": False}),
        ("!(metrics.b > 1)", {"!(metrics.b (no data) > 1)": None}),
        ("!(card.tier == 1 ? metrics.a > 1 : metrics.b > 1)",
         {"card.tier 1 == 1": True, "!(metrics.a 0.54 > 1)": True}),
    ],
)  # fmt: skip
def test_what_is_true_in_an_explanation_speaks_for_the_whole(text: str, expected: dict[str, bool | None]) -> None:
    found = compile_expression(text, NAMES).explain({A: 0.54}, CONTEXT)
    assert {each.line: each.outcome for each in found} == expected


def test_a_child_context_hides_and_shares() -> None:
    class Once(dict[str, object]):
        reads = 0

        def items(self):  # type: ignore[no-untyped-def]
            Once.reads += 1
            return super().items()

    parent = Context({"card": Once(tier=2), "labels": {"slice": "a"}})
    program = compile_expression("card.tier == 2 && labels.slice == 'b'", NAMES)
    assert [program.evaluate({}, parent.extend({"labels": {"slice": each}})) for each in "abb"] == [False, True, True]
    assert Once.reads == 1


SERIES = [
    {"value": each, "labels": {"feature": name}} for name, each in (("origin", 0.1), ("carrier", 0.3), ("delay", 0.4))
]


@pytest.mark.parametrize(
    ("text", "line", "computed", "items"),
    [
        ("metrics.a < 0.60", "metrics.a 0.54 < 0.60", {}, {}),
        ("metrics.b < 0.60", "metrics.b (no data) < 0.60", {}, {}),
        ("labels.slice == 'origin'", "labels.slice 'origin' == 'origin'", {}, {}),
        ("has(card.data)", "has(card.data)", {}, {}),
        (
            "metrics.a > 3.0 *\n (metrics.a + 1.0)",
            "metrics.a 0.54 > 3.0 * (metrics.a 0.54 + 1.0)",
            {"metrics.a + 1.0": 1.54, "3.0 * (metrics.a + 1.0)": 4.62},
            {},
        ),
        (
            "now - timestamp('2026-01-01T00:00:00Z') > parameters.window",
            "now 2026-01-05 09:00 UTC - timestamp('2026-01-01T00:00:00Z') > parameters.window 7d",
            {"now - timestamp('2026-01-01T00:00:00Z')": timedelta(days=4, hours=9)},
            {},
        ),
        (
            "series(metrics.psi).exists(s, s.value > 0.2 && s.labels.feature != 'x')",
            "series(metrics.psi).exists(s, s.value > 0.2 && s.labels.feature != 'x')",
            {},
            {
                "s = value: 0.3, labels: feature: carrier": {
                    "s.value 0.3 > 0.2": True,
                    "s.labels.feature 'carrier' != 'x'": True,
                }
            },
        ),
        (
            "series(metrics.psi).all(s, s.value < 0.35)",
            "series(metrics.psi).all(s, s.value < 0.35)",
            {},
            {"s = value: 0.4, labels: feature: delay": {"s.value 0.4 < 0.35": False}},
        ),
        ("series(metrics.psi).all(s, s.value < 0.5)", "series(metrics.psi).all(s, s.value < 0.5)", {}, {}),
        (
            "series(metrics.psi).filter(s, s.value > 0.3).size() > 0",
            "series(metrics.psi).filter(s, s.value > 0.3).size() > 0",
            {"series(metrics.psi).filter(s, s.value > 0.3).size()": 1},
            {"s = value: 0.4, labels: feature: delay": {"s.value 0.4 > 0.3": True}},
        ),
        (
            "labels.exists(k, labels[k] == 'origin')",
            "labels.exists(k, labels[k] == 'origin')",
            {},
            {"k = slice": {"labels[k] 'origin' == 'origin'": True}},
        ),
        (
            "[1.0].exists(x, [metrics.a, x].all(y, y < x + 1.0))",
            "[1.0].exists(x, [metrics.a, x].all(y, y < x + 1.0))",
            {},
            {"x = 1": {"[metrics.a 0.54, x 1].all(y, y < x + 1.0)": True}},
        ),
        (
            "[1.0, 2.0].exists(x, metrics.b > x)",
            "[1.0, 2.0].exists(x, metrics.b > x)",
            {},
            {"x = 1": {"metrics.b (no data) > x 1": None}, "x = 2": {"metrics.b (no data) > x 2": None}},
        ),
    ],
)
def test_an_explanation_shows_values_in_the_text_and_the_items_that_decided(
    text: str, line: str, computed: dict[str, object], items: dict[str, dict[str, bool | None]]
) -> None:
    (term,) = compile_expression(text, NAMES).explain({A: 0.54, Reference("psi", "series"): SERIES}, CONTEXT)
    assert (term.line, dict(term.computed)) == (line, computed)
    assert {each.name: {part.line: part.outcome for part in each.terms} for each in term.items} == items
