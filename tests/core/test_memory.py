"""Plans that share what was compiled: each says what it would say by itself, and nothing is compiled twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from governance.core import compiler
from governance.core.authored import Authored
from governance.core.card import Card
from governance.core.compiled import EvaluationPlan
from governance.core.memory import Memory
from governance.core.pack import Pack
from governance.core.plan import evaluation_plan
from governance.testing.library import Library, library

POLICIES = Path(__file__).parent.parent.parent / "policies"


@pytest.fixture(scope="module")
def found() -> Library:
    return library(POLICIES)


def fleets(found: Library) -> list[tuple[Sequence[Authored[Card]], Sequence[Authored[Pack]]]]:
    """Each card with every pack, with every second one, and with none: names are there or not, from one to the next."""
    packs = list(found.packs.values())
    return [([card], some) for some in (packs, packs[::2], []) for card in found.cards.values()]


def told(plan: EvaluationPlan) -> object:
    rules = [(rule.rule.id, [str(each) for each in rule.queries]) for policy in plan.policies for rule in policy.rules]
    return plan.version, plan.problems, rules, [policy.inapplicable for policy in plan.policies]


def test_a_plan_is_the_same_whatever_was_compiled_before(found: Library) -> None:
    memory = Memory()
    for cards, packs in fleets(found):
        assert told(evaluation_plan(cards, packs, memory)) == told(evaluation_plan(cards, packs))


def test_what_was_compiled_for_one_plan_is_not_compiled_for_the_next(
    found: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, cards, packs = Memory(), list(found.cards.values()), list(found.packs.values())
    first = evaluation_plan(cards, packs, memory)
    texts: list[str] = []
    for name in ("compile_expression", "compile_template"):
        monkeypatch.setattr(compiler, name, lambda text, *_, **__: texts.append(text))
    assert told(evaluation_plan(cards, packs, memory)) == told(first)
    assert not texts
