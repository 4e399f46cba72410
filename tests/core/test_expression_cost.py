"""What an expression may cost at worst is told when it is loaded."""

from __future__ import annotations

import pytest

from governance.core.card import Card
from governance.core.expression import ExpressionError, ExpressionProblem, Names, compile_expression, shape_of

NAMES = Names({"psi": ("feature",)}, {"card": shape_of(Card)})
LONG = str(list(range(200)))


def problem(text: str) -> ExpressionProblem | None:
    try:
        compile_expression(text, NAMES)
    except ExpressionError as error:
        (found,) = error.problems
        return found
    return None


@pytest.mark.parametrize(
    "text",
    [
        f"{LONG}.all(x, {LONG}.all(y, x != y))",
        "card.review.all(a, card.review.exists(b, a.by == b.by))",
        "series(metrics.psi).exists(s, s.value > 0.2 && s.labels.feature == 'a')",
        "series(metrics.psi).filter(s, s.value > 0.1).all(t, t.value < 0.2 || t.labels.feature in card.regimes)",
        "series(metrics.psi).all(s, series(metrics.psi).all(t, s.value <= 2.0 * t.value + 0.1))",
        " && ".join(["max(metrics.psi) > 0.1"] * 100),
        "[1, 2, 3].all(x, [1, 2, 3].all(y, [1, 2, 3].all(z, [1, 2, 3].all(w, x + y + z + w < 100))))",
    ],
)
def test_what_people_write_is_cheap_enough(text: str) -> None:
    assert problem(text) is None


@pytest.mark.parametrize(
    ("text", "column", "steps"),
    [
        (f"{LONG}.all(x, {LONG}.all(y, {LONG}.all(z, x + y < z)))", 1, 48_000_000),
        ("true || card.review.all(a, card.review.all(b, card.review.all(c, a.by + b.by == c.by)))", 9, 72_000_000),
        ("series(metrics.psi).all(s, card.regimes.all(r, card.regimes.exists(t, t + r < 'x')))", 1, 100_000_000),
        (
            "card.regimes.exists(r, card.regimes.map(s, s + r).exists(t, t in card.regimes.map(u, u + r)))",
            1,
            40_000_000,
        ),
    ],
)
def test_what_may_take_too_long_does_not_load(text: str, column: int, steps: int) -> None:
    found = problem(text)
    assert found is not None
    assert (found.code, found.column) == ("too-costly", column)
    said = int(found.message.split()[3].replace(",", ""))
    assert steps * 0.5 < said < steps * 2
    assert found.message.endswith("steps, at most 10,000,000 are allowed")


def test_a_binding_is_no_loop() -> None:
    nested = "cel.bind(x, [1, 2], " * 12 + "x.size() > 1" + ")" * 12
    assert problem(nested) is None
