"""The checker on rules, right and wrong, beside Google's on the same rules: what both find, and where they differ."""

from __future__ import annotations

import pytest
from core.checker_environment import Peer
from core.checker_page import PAGE, Case, cases, ours, page

CASES = cases()


@pytest.fixture(scope="module")
def peer() -> Peer:
    return Peer()


@pytest.mark.parametrize("case", CASES, ids=[each.when for each in CASES])
def test_both_checkers_say_what_the_table_says(case: Case, peer: Peer) -> None:
    code, words = ours(case.when)
    assert code == case.ours, words
    said = peer.problem(case.when)
    assert bool(said) is case.peer_refuses, said or "the peer finds nothing"
    if bool(case.ours) is not case.peer_refuses:
        assert case.why, "a difference has a reason"


def test_there_are_enough_cases_of_both_kinds() -> None:
    right = [each for each in CASES if not each.ours]
    assert len(right) >= 30
    assert len(CASES) - len(right) >= 60
    assert len({each.when for each in CASES}) == len(CASES)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "make docs"
