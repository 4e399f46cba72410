"""What fails because something else failed is a finding of that incident, and is never lost when it is over."""

from __future__ import annotations

from quiet.fleet import Fleet

from governance.engine import operations

CHAIN = {"feed": (), "price": ("feed",), "offer": ("price",), "other": ()}


def test_dependants_join_the_incident_of_what_they_rest_on() -> None:
    fleet = Fleet(CHAIN)
    fleet.look(feed=0.6)
    fleet.look(price=0.6, other=0.6)
    fleet.look(offer=0.6)
    assert fleet.open() == {"feed": ["feed", "offer", "price"], "other": ["other"]}
    assert fleet.told == [(1, "first"), (1, "new_findings"), (2, "first"), (1, "new_findings")]
    message = fleet.ears.effects[-1].message
    assert message.title == "feed is 0.6 (and 2 more models)"
    assert message.findings == (
        "feed is 0.6",
        "price: price is 0.6",
        "offer: offer is 0.6",
        "models that it reached: price 1.1 (team-price, price@example.com); offer 1.2 (team-offer, offer@example.com)",
    )
    fleet.look(feed=0.1, price=0.1, offer=0.1)
    assert fleet.open() == {"other": ["other"]}
    assert fleet.told[-1] == (1, "resolved")


def test_in_one_cycle_what_fails_first_is_upstream() -> None:
    fleet = Fleet(dict(reversed(CHAIN.items())))
    fleet.look(offer=0.9, price=0.6, feed=0.6)
    assert fleet.open() == {"feed": ["feed", "offer", "price"]}
    assert fleet.told == [(1, "first")]
    assert fleet.incidents()[0].severity == "critical"
    assert fleet.ears.effects[0].message.title.startswith("feed is 0.6")


def test_a_dependant_that_still_fails_five_minutes_after_is_an_incident_by_itself() -> None:
    fleet = Fleet(CHAIN)
    fleet.look(feed=0.6, price=0.6, offer=0.6)
    fleet.look(feed=0.1)
    assert fleet.open() == {"feed": ["offer", "price"]}, "each has time to recover"
    fleet.look(4)
    assert fleet.told == [(1, "first")]
    fleet.look()
    assert fleet.open() == {"price": ["offer", "price"]}, "of those that still fail, price is the first"
    assert fleet.told == [(1, "first"), (1, "resolved"), (2, "first")]
    first, second = fleet.incidents()
    assert first.status == "resolved"
    assert {each.ending for each in first.findings if each.key.model != "feed"} == {
        "judged by itself from now on, as what it rests on is well"
    }
    assert [each.since for each in second.findings] == [first.opened_at] * 2, "it fires since it began to"
    fleet.look(price=0.1)
    fleet.look(6)
    assert fleet.open() == {"offer": ["offer"]}


def test_one_that_is_judged_each_hour_is_given_until_it_was_judged_again() -> None:
    fleet = Fleet(CHAIN, every={"price": "1h"})
    fleet.look(60, feed=0.6, price=0.6)
    fleet.look(2, feed=0.6)
    assert fleet.open() == {"feed": ["feed", "price"]}
    fleet.look(feed=0.1)
    fleet.look(30)
    assert fleet.open() == {"feed": ["price"]}, "nobody has looked at price since"
    fleet.look(20, price=0.1)
    assert fleet.open() == {"feed": ["price"]}
    fleet.look(7)
    assert fleet.open() == {}, "at ten it was found well"
    assert len(fleet.incidents()) == 1


def test_an_incident_that_a_dependant_opened_a_moment_before_is_folded_in() -> None:
    fleet = Fleet(CHAIN)
    fleet.look(price=0.6)
    fleet.look(offer=0.6)
    fleet.look(2, feed=0.6)
    assert fleet.open() == {"feed": ["feed", "offer", "price"]}
    young = fleet.incidents()[0]
    assert young.status == "resolved"
    assert young.title == "price is 0.6 (and 1 more model)"
    assert young.ending == "joined INC-2: feed is 0.6 (and 2 more models)"
    assert fleet.told == [(1, "first"), (1, "new_findings"), (1, "resolved"), (2, "first")]
    fleet.look(offer=0.1)
    fleet.look(offer=0.6)
    assert fleet.open() == {"feed": ["feed", "offer", "price"]}, "where it was folded in, it stays"


def test_one_that_somebody_took_or_that_is_older_stays_its_own() -> None:
    taken = Fleet(CHAIN)
    taken.look(price=0.6)
    operations.acknowledge(taken.engine, 1, actor="ana", at=taken.now)
    taken.look(feed=0.6)
    assert taken.open() == {"price": ["price"], "feed": ["feed"]}
    older = Fleet(CHAIN)
    older.look(price=0.6)
    older.look(7, feed=0.6)
    assert older.open() == {"price": ["price"], "feed": ["feed"]}


def test_what_an_acknowledged_incident_takes_in_triggers_it_anew_only_when_it_is_worse() -> None:
    fleet = Fleet(CHAIN)
    fleet.look(feed=0.6)
    operations.acknowledge(fleet.engine, 1, actor="ana", at=fleet.now)
    fleet.look(price=0.6)
    assert fleet.incidents()[0].status == "acknowledged"
    fleet.look(offer=0.9)
    assert fleet.incidents()[0].status == "triggered"
    assert fleet.told == [(1, "first"), (1, "new_findings"), (1, "worsened")]


def test_closing_it_by_hand_orphans_no_dependant() -> None:
    fleet = Fleet(CHAIN)
    fleet.look(feed=0.6, price=0.6)
    operations.resolve(fleet.engine, 1, actor="ana", because="the feed will stay like this", at=fleet.now)
    fleet.look(4)
    assert fleet.open() == {}
    fleet.look()
    assert fleet.open() == {"price": ["price"]}, "feed itself is silent, as who closed it was told"
    fleet.look(price=0.1)
    assert fleet.open() == {}


def test_one_that_recovered_before_nobody_hears_of() -> None:
    fleet = Fleet(CHAIN)
    fleet.look(feed=0.6, price=0.6)
    operations.resolve(fleet.engine, 1, actor="ana", because="known", at=fleet.now)
    fleet.look(price=0.1)
    fleet.look(10)
    assert [each.model for each in fleet.incidents()] == ["feed"]


def test_what_is_only_recorded_upstream_explains_nothing() -> None:
    fleet = Fleet(CHAIN)
    fleet.look(feed=0.4, price=0.6)
    assert fleet.open() == {"feed": ["feed"], "price": ["price"]}


def test_a_card_that_no_longer_depends_on_it_stays_until_it_is_over() -> None:
    fleet = Fleet(CHAIN)
    fleet.look(feed=0.6, price=0.6)
    fleet.declare({**CHAIN, "price": ()})
    fleet.look(price=0.7)
    assert fleet.open() == {"feed": ["feed", "price"]}
    fleet.look(price=0.1)
    fleet.look(price=0.6)
    assert fleet.open() == {"feed": ["feed", "price"]}
    fleet.look(feed=0.1)
    fleet.look(6)
    assert fleet.open() == {"price": ["price"]}
