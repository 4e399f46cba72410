"""Check that the intervals of a card can all be kept: none ends before it begins."""

from __future__ import annotations

from collections.abc import Iterator

from governance.core.authored import Authored
from governance.core.card import Card
from governance.core.placed import placed
from governance.core.problem import Problem


def interval_problems(card: Authored[Card]) -> Iterator[Problem]:
    """Check pairs of durations of which one bounds the other."""
    truth, training = card.document.truth, card.document.retraining
    if truth is not None and truth.complete_after < truth.delay:
        yield placed(card, ("truth", "complete_after"), "truth-order", "`complete_after` comes before `delay`")
    for kind, kept in (card.document.data.retention if card.document.data else {}).items():
        if kept.at_least is not None and kept.at_least > kept.at_most:
            message = f"{kind} cannot be kept for at least this long: they must be gone before (`at_most`)"
            yield placed(card, ("data", "retention", kind, "at_least"), "retention-order", message)
    if training is not None and training.every and training.lead_time and training.lead_time > training.every:
        message = "training takes longer than the time between two trainings (`every`)"
        yield placed(card, ("retraining", "lead_time"), "retraining-order", message)
