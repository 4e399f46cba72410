"""Stories that once went wrong, each a few steps of the state machine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from crash.world import CRITICAL, INFO, Cut, Terms
from test_state_machine import Governed

from governance.engine.adoption import adopt
from governance.store import decision_log

Y, Z = ("y", ()), ("z", ())


def _same_step_twice(story: Governed) -> None:
    """Set the clock back to the same instant by the same time, twice: both are recorded."""
    for _ in range(2):
        story.clock_steps(-5, seen=True)
        story.clock_steps(5, seen=True)


def _waiver_ends_again(story: Governed) -> None:
    """The clock is set back to before the end of a waiver, which then ends again."""
    story.waive("gap", 15)
    story.pass_time(20)
    story.clock_steps(-20, seen=True)
    for _ in range(3):
        story.pass_time(10)


def _away_again(story: Governed) -> None:
    """The clock is set back to before a long absence, and the engine is away for the same time again."""
    story.pass_time(10)
    story.now += timedelta(days=2)
    story.look()
    story.clock_steps(-2 * 24 * 60 - 10, seen=True)
    story.pass_time(10)
    story.now += timedelta(days=2)
    story.look()


def _worst_is_over(story: Governed) -> None:
    """A finding that was told as critical comes again as info: whoever was told hears of the end."""
    story.policy["low"] = Terms((INFO, CRITICAL))
    story.policy["gap"] = Terms((INFO, CRITICAL))
    for series, value in ((Y, 0.6), (Z, 0.9), (Z, 0.1), (Z, 0.6), (Z, 0.1), (Y, 0.1)):
        story.change(series, value, 10, looks=True)


def _late_and_over(story: Governed) -> None:
    """A finding of a missed cycle is over in the present: nobody is told of its end, as nobody heard of it."""
    story.change(Z, 0.9, 20, looks=False)
    story.change(Z, 0.1, 9, looks=True)
    story.pass_time(10)


@pytest.mark.parametrize(
    "play",
    [_same_step_twice, _waiver_ends_again, _away_again, _worst_is_over, _late_and_over],
    ids=lambda each: each.__name__,
)
def test_example(play: Callable[[Governed], None]) -> None:
    story = Governed()
    story.begin(by_rule=False, archived=True)
    play(story)
    story.entries_never_change()
    story.alerts_are_as_the_table_says()
    story.every_firing_alert_has_its_incident()
    story.every_change_is_told_once_and_in_order()
    story.who_was_told_hears_the_end()
    story.teardown()


def test_an_adoption_cut_off_before_its_seal_is_not_made_again() -> None:
    story = Governed()
    story.begin(by_rule=False, archived=False)
    engine = story.engine()
    story.database.nth = 1
    with pytest.raises(Cut):
        adopt(engine, story.now)
    adopt(story.engine(), story.now)
    adopt(story.engine(), story.now + timedelta(minutes=1))
    assert len(decision_log.tail(story.database, 100, kind="policy.adopted")) == 1
    story.database.close()
