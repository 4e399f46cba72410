"""The collector of garbage waits for a person who rests."""

from __future__ import annotations

import gc

from tui.memory import EVERY, NEVER, RESTS, Memory


def test_a_full_collection_is_left_to_moments_without_a_key() -> None:
    now = [1000.0]
    memory = Memory(lambda: now[0])
    assert not memory.rest(), "it was just begun"
    now[0] += EVERY
    memory.used()
    assert not memory.rest(), "a person is at work"
    now[0] += RESTS
    assert memory.rest()
    assert not memory.rest(), "it was just done"


def test_the_collector_is_left_as_it_was_found() -> None:
    before = gc.get_threshold()
    memory = Memory()
    memory.begin()
    assert gc.get_threshold() == (*before[:2], NEVER)
    memory.end()
    assert gc.get_threshold() == before
