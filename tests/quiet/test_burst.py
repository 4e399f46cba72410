"""Hundreds of models that fail in one cycle are one incident by lineage, or one message for each place."""

from __future__ import annotations

import json
from typing import ClassVar

from quiet.fleet import Fleet
from scenarios.story import Collector

from governance.engine import operations
from governance.store import decision_log

MANY, SOME = 500, 150


def names(count: int) -> list[str]:
    """Return the names of so many models."""
    return [f"m{n}" for n in range(count)]


class Machine(Collector):
    """A program that listens: it has to hear of each incident."""

    FOLDS: ClassVar[str] = "never"


class Channels(Collector):
    """A notifier that posts where the card says."""

    FOLDS: ClassVar[str] = "channel"


def test_five_hundred_dependants_are_one_incident_and_one_message() -> None:
    fleet = Fleet({"feed": (), **dict.fromkeys(names(MANY), ("feed",))})
    fleet.look(feed=0.9, **dict.fromkeys(names(MANY), 0.6))
    (incident,) = fleet.incidents()
    assert (incident.model, len(incident.firing), len(incident.affects)) == ("feed", MANY + 1, MANY)
    assert fleet.told == [(1, "first")]
    message = fleet.ears.effects[0].message
    assert message.title == f"feed is 0.9 (and {MANY} more models)"
    assert len(message.findings) == 22, "it names the first, and counts the others"
    assert fleet.entries().count("alert.firing") == MANY + 1, "the record misses none"
    fleet.look(feed=0.1, **dict.fromkeys(names(MANY), 0.1))
    assert fleet.told == [(1, "first"), (1, "resolved")]
    assert decision_log.verify(fleet.database).ok


def test_without_lineage_one_message_for_each_place_names_the_others() -> None:
    fleet = Fleet(dict.fromkeys(names(SOME), ()))
    machine = Machine()
    fleet.engine.notifiers = {"chat": fleet.ears, "machine": machine}
    fleet.look(**{**dict.fromkeys(names(SOME), 0.6), "m7": 0.9})
    assert len(fleet.incidents()) == SOME
    assert len(machine.effects) == SOME
    (effect,) = fleet.ears.effects
    worst = next(each.id for each in fleet.incidents() if each.model == "m7")
    assert effect.incident == worst
    assert effect.message.title == "m7 is 0.9 – and 149 more incidents opened in this cycle"
    assert effect.message.also[0] == "149 more incidents opened in this cycle:"
    assert effect.message.also[-1] == "and 129 more"
    assert len(effect.message.also) == 22
    other = next(each for each in fleet.why(1 if worst != 1 else 2) if each.notifier == "chat")
    assert other.state == "folded"
    assert other.receipt == f"told in one message with INC-{worst} ({worst}-1-chat)"
    assert fleet.entries().count("notification.folded") == SOME - 1
    fleet.look(m3=0.1)
    assert [each.message.reason for each in fleet.ears.effects[1:]] == ["resolved"], "who was told hears of the end"
    fleet.look(**dict.fromkeys(names(SOME), 0.1))
    assert [each.message.title for each in fleet.ears.effects[2:]] == [
        "m7 is 0.9 – x is 0.1 now – and 148 more incidents were resolved in this cycle"
    ]


def test_five_are_told_one_by_one_and_six_in_one_message() -> None:
    few, more = Fleet(dict.fromkeys(names(5), ())), Fleet(dict.fromkeys(names(6), ()))
    few.look(**dict.fromkeys(names(5), 0.6))
    more.look(**dict.fromkeys(names(6), 0.6))
    assert (len(few.told), len(more.told)) == (5, 1)


def test_in_channels_there_is_one_for_each_channel() -> None:
    fleet = Fleet(dict.fromkeys(names(7), ()))
    channels = Channels()
    fleet.engine.notifiers = {"slack": channels}
    fleet.look(**dict.fromkeys(names(7), 0.6))
    assert len(channels.effects) == 7, "each card names a channel of its own"


def test_what_waited_when_the_process_died_is_told_by_the_next() -> None:
    fleet = Fleet(dict.fromkeys(names(9), ()))
    from governance.engine import loop

    def dies(*_: object) -> int:
        raise KeyboardInterrupt

    kept, loop.digest = loop.digest, dies
    try:
        fleet.look(**dict.fromkeys(names(9), 0.6))
    except KeyboardInterrupt:
        pass
    finally:
        loop.digest = kept
    assert fleet.told == []
    fleet.declare(dict.fromkeys(names(9), ()))
    fleet.look()
    assert len(fleet.told) == 1
    assert {one.state for each in range(1, 10) for one in fleet.why(each)} == {"sent", "folded"}


def test_a_page_of_each_of_many_is_one_page() -> None:
    people = {"ana": {"email": "ana@example.com"}}
    policy = {"all": {"levels": [{"after": "0m", "to": [{"person": "ana"}], "severities": ["critical"]}]}}
    fleet = Fleet(dict.fromkeys(names(8), ()), organisation={"people": people, "escalations": policy}, page="all")
    pager = Collector()
    pager.REACHES = frozenset({"people"})
    fleet.engine.notifiers = {"pager": pager}
    fleet.look(**dict.fromkeys(names(8), 0.9))
    (paged,) = pager.effects
    assert [each.person for each in paged.to] == ["ana"]
    assert paged.message.title.endswith("and 7 more incidents opened in this cycle")
    for number in range(1, 9):
        operations.acknowledge(fleet.engine, number, actor="ana", at=fleet.now)
    fleet.look(**dict.fromkeys(names(8), 0.1))
    assert [each.message.reason for each in pager.effects] == ["first", "resolved"], "who was paged hears of the end"


def test_the_log_says_of_which_message_each_is_part() -> None:
    fleet = Fleet(dict.fromkeys(names(6), ()))
    fleet.look(**dict.fromkeys(names(6), 0.6))
    entries = [json.loads(each.content) for each in decision_log.tail(fleet.database, 1000)]
    folded = [each["body"]["receipt"] for each in entries if each["kind"] == "notification.folded"]
    assert folded == ["told in one message with INC-1 (1-1-chat)"] * 5
