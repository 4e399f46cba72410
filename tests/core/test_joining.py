"""Label sets join in one way, whatever the order of the values, and neither side loses any."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.core.joining import TooManyError, dimensions, label_sets
from governance.core.metric import Labels, labels


def joined(*tables: list[Labels], closed: list[Labels] | None = None, limit: int = 500) -> list[dict[str, str]]:
    named: dict[frozenset[str], list[Labels]] = {}
    for table in tables:
        for each in table:
            named.setdefault(frozenset(name for name, _ in each), []).append(each)
    return [dict(each) for each in label_sets(named, limit, closed)]


PSI = [labels(feature="carrier"), labels(feature="origin")]
NULLS = [
    labels(feature="carrier", version="1"),
    labels(feature="carrier", version="2"),
    labels(feature="delay", version="1"),
]
SHARE = [labels(version="1"), labels(version="3")]


def test_two_values_join_on_what_they_share_and_neither_loses_a_set() -> None:
    assert joined(PSI, NULLS) == [
        {"feature": "carrier", "version": "1"},
        {"feature": "carrier", "version": "2"},
        {"feature": "delay", "version": "1"},
        {"feature": "origin"},  # PSI alone: what the other one says of it is missing
    ]


def test_a_third_value_joins_two_that_share_nothing() -> None:
    assert dimensions([["feature"], ["version"], ["feature", "version"]]) == ("feature", "version")
    assert dimensions([["feature"], ["version"]]) is None
    assert joined(PSI, SHARE, NULLS) == [
        {"feature": "carrier", "version": "1"},
        {"feature": "carrier", "version": "2"},
        {"feature": "delay", "version": "1"},
        {"feature": "origin"},
        {"version": "3"},
    ]


def test_the_items_of_a_for_each_are_all_there_can_be() -> None:
    items = [labels(feature="carrier"), labels(feature="unlogged")]
    assert joined(PSI, NULLS, SHARE, closed=items) == [
        {"feature": "carrier", "version": "1"},
        {"feature": "carrier", "version": "2"},
        {"feature": "unlogged"},
    ]
    assert joined(PSI, closed=[]) == []


def test_values_that_would_give_too_many_are_given_up_early() -> None:
    left = [labels(a=str(each), x=str(each % 3)) for each in range(100)]
    right = [labels(b=str(each), x=str(each % 3)) for each in range(100)]
    with pytest.raises(TooManyError):
        joined(left, right, limit=500)
    with pytest.raises(TooManyError) as error:
        joined([labels(a=str(each)) for each in range(7)], limit=6)
    assert error.value.found == 7


NAMES = [("x",), ("y",), ("x", "y"), ("y", "z"), ("x", "z"), ("x", "y", "z")]
TABLES = st.lists(
    st.sampled_from(NAMES).flatmap(
        lambda names: st.lists(
            st.tuples(*[st.sampled_from("12") for _ in names]).map(
                lambda values, names=names: tuple(zip(names, values, strict=True))
            ),
            max_size=4,
            unique=True,
        )
    ),
    min_size=1,
    max_size=4,
)


def by_definition(tables: list[list[Labels]]) -> set[Labels]:
    """The unions of all connected, agreeing sets of rows that are not part of a larger one."""
    rows = [each for table in tables for each in table]
    found: set[Labels] = set()
    for size in range(1, len(rows) + 1):
        for chosen in combinations(rows, size):
            union = {pair for each in chosen for pair in each}
            if len({name for name, _ in union}) == len(union) and dimensions(dict(each) for each in chosen) is not None:
                found.add(tuple(sorted(union)))
    return {each for each in found if not any(set(each) < set(other) and _shares(each, other) for other in found)}


def _shares(one: Labels, other: Labels) -> bool:
    return bool(set(one) & set(other))


@given(TABLES)
@settings(max_examples=150, deadline=None)
def test_the_join_is_its_definition_in_every_order(tables: list[list[Labels]]) -> None:
    if sum(map(len, tables)) > 9:
        return
    results = {tuple(map(str, joined(*order))) for order in permutations(tables)}
    assert len(results) == 1
    assert {tuple(sorted(each.items())) for each in joined(*tables)} == by_definition(tables)
