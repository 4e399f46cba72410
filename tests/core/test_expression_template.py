"""Templates: text with expressions in braces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from governance.core.expression import (
    Context,
    ExpressionError,
    Names,
    Reference,
    Shape,
    compile_template,
    displayed,
)

RECALL = Reference("recall")
NAMES = Names({"recall": ("slice",)}, {"labels": Shape.map(Shape.leaf("string"))})
CONTEXT = Context({"labels": {"slice": "origin"}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Recall {metrics.recall} for {labels.slice}", "Recall 0.31 for origin"),
        ("no holes", "no holes"),
        ("", ""),
        ("{{literal}} {{{labels.slice}}}", "{literal} {origin}"),
        ("{'a}b' + \"{\"} and { {'k': 'v'}.k }", "a}b{ and v"),
        ("{max(metrics.recall)}", "no data"),
        ("{labels.region}", "?"),
        ("{1 / 0}", "?"),
        ("{duration('90m')}", "1h30m"),
        ("{metrics.recall < 0.5}", "true"),
    ],
)
def test_render(text: str, expected: str) -> None:
    assert compile_template(text, NAMES).render({RECALL: 0.31}, CONTEXT) == expected


def test_references_and_variables() -> None:
    template = compile_template("{metrics.recall} {labels.slice} {metrics.recall}", NAMES)
    assert template.references == (RECALL,)
    assert template.variables == {"labels"}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Recall {metrics.recal} of {lables.slice}", [("unknown-metric", 1, 17, 5), ("unknown-name", 1, 28, 6)]),
        ("line one\nis {metrics.x}\n{1 +}", [("unknown-metric", 2, 13, 1), ("syntax", 3, 4, 1)]),
        ("{metrics.recall +\n metrics.y}", [("unknown-metric", 2, 10, 1)]),
        ("a {labels.slice", [("syntax", 1, 3, 1)]),
        ("a } b", [("syntax", 1, 3, 1)]),
        ("a {} b", [("syntax", 1, 4, 1)]),
    ],
)
def test_positions_count_within_the_template(text: str, places: list[tuple[str, int, int, int]]) -> None:
    with pytest.raises(ExpressionError) as error:
        compile_template(text, NAMES)
    assert [(each.code, each.line, each.column, each.length) for each in error.value.problems] == places


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.31, "0.31"),
        (0.5, "0.5"),
        (1234, "1,234"),
        (1234.4, "1,234"),
        (0.000123, "0.000123"),
        (12.345, "12.3"),
        (0.9996, "1"),
        (-0.0567, "-0.0567"),
        (0.0, "0"),
        (1.5e-9, "1.50e-09"),
        (float("inf"), "inf"),
        (timedelta(hours=2), "2h"),
        (timedelta(hours=2, minutes=3, seconds=4, microseconds=5), "2h3m"),
        (timedelta(days=30, hours=1, minutes=59), "30d2h"),
        (timedelta(milliseconds=250), "250ms"),
        (datetime(2026, 1, 5, 9, 30, tzinfo=UTC), "2026-01-05 09:30 UTC"),
        (["a", 1.0], "a, 1"),
        ([], "none"),
        (True, "true"),
    ],
)
def test_displayed(value: object, expected: str) -> None:
    assert displayed(value) == expected
