"""Our values and errors are those of Google's C++ CEL.

Known differences, all deliberate and none of them generated here: a double is compared with an integer exactly, not
after rounding the integer; an integer literal beside a double is a double; has() is false where a part of the path is
absent; duration() takes Prometheus's units; string() writes doubles, durations and instants the shortest way.
"""

from __future__ import annotations

import math

import pytest
from cel_expr_python import cel
from core.expression_texts import KINDS, VARIABLES, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.core.expression import Context, EvaluationFailed
from governance.core.expression.program import compile_unchecked

FAILED = object()
_CLASSES = {
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "bool": cel.Type.BOOL,
    "list": cel.Type.List(cel.Type.INT),
    "map": cel.Type.Map(cel.Type.STRING, cel.Type.INT),
}
THEIRS = cel.NewEnv(variables={name: _CLASSES[each] for name, each in VARIABLES.items()})
WHOLE = st.sampled_from((0, 1, -1, 3, 2**63 - 1, -(2**63)))
DATA = st.fixed_dictionaries(
    {
        **dict.fromkeys("ij", WHOLE),
        **dict.fromkeys("de", st.sampled_from((0.0, -0.0, 1.0, 0.1, -2.5, 1e308, math.inf, math.nan))),
        "s": st.sampled_from(("", "a", "abc", "é")),
        "b": st.booleans(),
        "l": st.lists(st.integers(-3, 3), max_size=4),
        "m": st.dictionaries(st.sampled_from(("a", "ab", "x")), st.integers(-3, 3), max_size=3),
    }
)


def ours(text: str, data: dict[str, object]) -> object:
    try:
        return compile_unchecked(text).evaluate({}, Context(data))
    except EvaluationFailed:
        return FAILED


def theirs(text: str, data: dict[str, object]) -> object:
    value = THEIRS.compile(text).eval(data=data)
    return FAILED if value.type() == cel.Type.ERROR else value.plain_value()


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or one == other
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("wanted", KINDS)
@settings(max_examples=80, deadline=None)
@given(st.data())
def test_values_and_errors_are_those_of_the_other_engine(wanted: str, data: st.DataObject) -> None:
    text = data.draw(texts(wanted))
    values = data.draw(DATA)
    one, other = ours(text, values), theirs(text, values)
    assert same(one, other), (text, one, other)
