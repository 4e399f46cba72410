"""How a problem reads, and what is suggested."""

from __future__ import annotations

import pytest

from governance.core.problem import Position, Problem
from governance.core.suggestion import closest

LINE = "    when: metrics.p95_latncy > 0.150"


def test_a_problem_shows_the_line_and_the_place() -> None:
    at = Position("policies/flight-delay.yaml", 41, 19, 10)
    problem = Problem(at, "unknown-metric", "no metric 'p95_latncy'", closest("p95_latncy", ["p95_latency"]), LINE)
    assert problem.render() == (
        "policies/flight-delay.yaml:41:19: error[unknown-metric]: no metric 'p95_latncy'\n"
        "   41 |     when: metrics.p95_latncy > 0.150\n"
        "      |                   ^^^^^^^^^^ did you mean 'p95_latency'?"
    )


def test_without_a_line_the_suggestion_follows_the_message() -> None:
    problem = Problem(Position("a.yaml", 1, 1), "empty-file", "the file is empty", "start with kind:")
    assert problem.render() == "a.yaml:1:1: error[empty-file]: the file is empty start with kind:"


def test_carets_stand_below_wide_characters() -> None:
    rendered = Problem(Position("a.yaml", 1, 6, 1), "x", "y", source="日本: z!").render()
    assert rendered.splitlines()[2] == "      |        ^"


def test_a_place_after_the_line_is_shown() -> None:
    rendered = Problem(Position("a.yaml", 1, 4), "x", "y", source="abc").render()
    assert rendered.splitlines()[2] == "      |    ^"


def test_a_long_line_is_cut_around_the_place() -> None:
    rendered = Problem(Position("a.yaml", 1, 5001, 3), "x", "y", source="a" * 5000 + "bcd" + "e" * 5000).render()
    line, carets = rendered.splitlines()[1:]
    assert len(line) < 200
    assert line[carets.index("^") : carets.rindex("^") + 1] == "bcd"


def test_a_file_cannot_command_the_terminal() -> None:
    assert "\x1b" not in Problem(Position("a\x1b.yaml", 1, 1), "x", "\x1b[2J", source="\x1b[31mred").render()


def test_a_high_line_number_widens_the_margin() -> None:
    rendered = Problem(Position("a.yaml", 123456, 1), "x", "y", source="abc").render()
    assert rendered.splitlines()[1:] == [" 123456 | abc", "        | ^"]


@pytest.mark.parametrize(
    ("word", "candidates", "expected"),
    [
        ("ownrs", ["owners", "versions"], "did you mean 'owners'?"),
        ("keepFiringFor", ["keep_firing_for"], "did you mean 'keep_firing_for'?"),
        ("rollback-to", ["rollback_to"], "did you mean 'rollback_to'?"),
        ("zebra", ["owners", "versions"], ""),
        ("x", [], ""),
        ("a" * 1000, ["a" * 1000], ""),
    ],
)
def test_the_nearest_name_is_suggested(word: str, candidates: list[str], expected: str) -> None:
    assert closest(word, candidates) == expected
