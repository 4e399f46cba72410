"""What is signed has one spelling, that of RFC 8785."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from model_governance_openfeature.canonical import canonical

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    TEXT | NUMBERS | st.booleans() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)
)


@given(VALUES)
def test_agrees_with_another_implementation(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1e21, b"1e+21"),
        (1e-7, b"1e-7"),
        (1.5e-9, b"1.5e-9"),
        (1e20, b"100000000000000000000"),
        (-0.0, b"0"),
        (0.25, b"0.25"),
    ],
)
def test_numbers_are_those_of_the_standard(value: float, written: bytes) -> None:
    assert canonical(value) == written


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800", {1, 2}])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical(value)
