"""Sources and notifiers that hang or are slow: they hold up nothing else."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from questions import AT, MINUTE, Told, card, engine_of
from scenarios.story import Collector as Pager

from governance.core.effect import Effect, Receipt
from governance.core.metric import Answer, Query, Sample
from governance.engine.collect import Collector
from governance.engine.cycle import run_cycle
from governance.engine.dispatch import dispatch


class SlowPast(Told):
    """A source that knows the present at once, and the past only when it is let go."""

    def __init__(self) -> None:
        super().__init__({"x": (Sample(1.0, AT),)})
        self.go = threading.Event()

    def past(
        self, queries: Sequence[Query], *, start: datetime, end: datetime, step: timedelta
    ) -> Mapping[Query, Answer]:
        """Wait to be let go."""
        del start, end, step
        self.go.wait(30)
        return dict.fromkeys(queries, Answer())


class Hanging(Told):
    """A source that answers only when it is let go."""

    def __init__(self) -> None:
        super().__init__({"x": (Sample(1.0, AT),)})
        self.go = threading.Event()

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:  # noqa: ARG002 (the shape of a source)
        """Wait to be let go."""
        self.asked.extend(queries)
        self.go.wait(30)
        return {query: Answer((Sample(1.0, AT),)) for query in queries}


def test_a_source_that_hangs_blinds_only_itself_and_is_not_asked_again_before_it_answers() -> None:
    slow, quick = Hanging(), Told({"y": (Sample(2.0, AT),)})
    sources = {"slow": slow, "quick": quick}
    x, y = Query("slow", text="x"), Query("quick", text="y")
    collector = Collector(limit=0.1)
    first = collector.now([x, y], sources, AT)
    assert first[x].failure == "'slow' did not answer within 0.1 s"
    assert first[y].samples[0].value == 2.0
    for _ in range(3):
        again = collector.now([x, y], sources, AT)
        assert "has not answered for" in again[x].failure
        assert again[y].samples[0].value == 2.0
    assert len(slow.asked) == 1
    threads = [each for each in threading.enumerate() if each.name == "collect-slow"]
    assert len(threads) == 1
    slow.go.set()
    threads[0].join(10)
    assert collector.now([x], sources, AT)[x].samples[0].value == 1.0


class Down:
    """A notifier that nobody reaches."""

    def __init__(self) -> None:
        self.tries = 0

    def perform(self, effect: Effect) -> Receipt:  # noqa: ARG002 (the shape of a notifier)
        """Fail."""
        self.tries += 1
        return Receipt(delivered=False, detail="timed out")


def test_a_notifier_that_is_slow_to_fail_is_tried_once_in_a_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.engine.dispatch.PATIENCE", 0.0)
    source = Told({str(number): (Sample(0.9, AT),) for number in range(5)})
    cards = [
        card(f"m{n}", metrics={"x": {"source": "s", "query": str(n)}}, rules=[{"rule": "r", "when": "metrics.x > 0.5"}])
        for n in range(5)
    ]
    down, pager = Down(), Pager()
    engine = replace(engine_of(cards, [], s=source), notifiers={"down": down, "pager": pager})
    run_cycle(engine, AT)
    dispatch(engine, AT)
    assert (down.tries, len(pager.effects)) == (1, 5)


def test_a_past_that_is_slow_does_not_hold_up_the_present() -> None:
    slow = SlowPast()
    collector = Collector(limit=0.1)
    query = Query("s", text="x")
    late = collector.past([query], {"s": slow}, start=AT - MINUTE, end=AT, step=MINUTE)
    assert "did not answer" in late[query].failure
    assert collector.now([query], {"s": slow}, AT)[query].samples[0].value == 1.0
    slow.go.set()
