"""Answers beside the escalation, the kill switch and the log: who is paged, and what is written down afterwards."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from escalation.duty import MINUTE, RULES, Duty, duty, names
from switches.desk import card, desk

from governance.core.authority import Actor
from governance.engine import operations, switching
from governance.engine.timeline import timeline
from governance.errors import Conflict
from governance.exchange.export.postmortem import postmortem

HOUR = timedelta(hours=1)


def broken() -> Duty:
    """Return an engine whose first level has been paged for something critical."""
    found = duty()
    found.look()
    found.world.values["delay-errors"] = 0.9
    found.later()
    found.mail.effects.clear()
    return found


def test_the_new_lead_is_told_and_nobody_else() -> None:
    at = broken()
    operations.acknowledge(at.engine, 1, actor="ana", at=at.now)
    operations.hand_over(at.engine, 1, to="cy", because="my shift ends", actor="ana", at=at.now)
    at.later()
    (effect,) = at.mail.effects
    assert (names(effect), effect.message.reason, effect.rule) == (["cy"], "handover", "ana handed it over to cy")
    assert effect.message.proposals == ("ana handed it over to cy: my shift ends",)
    operations.hand_over(at.engine, 1, to="bo", because="", actor="bo", at=at.now)
    at.later()
    assert len(at.mail.effects) == 1, "who takes it knows"


def test_a_snooze_stops_the_ladder_and_its_end_begins_it_anew() -> None:
    at = broken()
    operations.snooze(at.engine, 1, until=at.now + HOUR, because="a known outage", actor="ana", at=at.now)
    for _ in range(5):
        at.later(10 * MINUTE)
    assert at.paged == []
    at.later(10 * MINUTE)
    at.later()
    assert [each[2:] for each in at.paged] == [(1, ["bo"], "reminder")], "bo is on call since nine"
    assert [each.message.reason for each in at.pager.effects] == ["first", "reminder"]


def test_the_next_level_is_told_when_somebody_asks_for_it() -> None:
    at = broken()
    done = operations.escalate(at.engine, 1, because="alone", actor=Actor("ana", channel="slack"), at=at.now)
    at.later()
    assert [names(each) for each in at.mail.effects] == [["ana", "bo", "cy"]]
    line = next(each for each in timeline(at.engine, 1) if each.seq == done.entry)
    assert (line.actor, line.channel) == ("ana", "slack")
    assert line.text == "escalated it: level 2 of night, as ana asked: team ops, person cy; told ana, bo, cy: alone"


def test_who_escalates_what_has_changed_is_told_who_was_first() -> None:
    at = broken()
    operations.acknowledge(at.engine, 1, actor="bo", at=at.now)
    with pytest.raises(Conflict, match=r"has changed since version 1: it is acknowledged by bo since .* \(just now\)"):
        operations.escalate(at.engine, 1, actor="ana", at=at.now, version=1)


def test_the_postmortem_tells_the_times_the_findings_and_who_did_what_when() -> None:
    at = broken()
    at.now += 4 * MINUTE
    operations.acknowledge(at.engine, 1, actor=Actor("ana", channel="slack"), at=at.now)
    operations.note(at.engine, 1, text="a [link](https://x) and *stars*\n# no title", actor="ana", at=at.now)
    at.now += 5 * MINUTE
    switching.pull(at.engine, "delay", "fallback", actor="ana", because="wrong", at=at.now, incident=1)
    at.world.values["delay-errors"] = 0.1
    at.later()
    page = postmortem(at.engine, 1)
    for line in (
        "# INC-1: errors",
        "- **Model**: delay, owned by ops",
        "- **Severity**: critical at its worst",
        "- **Status**: resolved by itself",
        "- **Time to acknowledge**: 4 m (2026-01-05 08:05Z)",
        "- **Time to mitigate**: 9 m (2026-01-05 08:10Z)",
        "- **Time to resolve**: 10 m (2026-01-05 08:11Z)",
        "## What we change",
    ):
        assert f"{line}\n" in page, page
    did = page.partition("## Who did what")[2].partition("##")[0]
    assert re.findall(r"- (\S+ \S+) \*\*(\w+)\*\*(?: \((\w+)\))?: (.*) \[\d+\]", did) == [
        ("2026-01-05 08:05Z", "ana", "slack", "took it"),
        ("2026-01-05 08:05Z", "ana", "", r"a \[link\](https://x) and \*stars\* \# no title"),
        ("2026-01-05 08:10Z", "ana", "", "the kill switch is fallback now: wrong"),
        ("2026-01-05 08:10Z", "ana", "", "mitigated by the kill switch"),
    ]
    assert (
        "| critical | errors | `delay: errors` | 2026-01-05 08:01Z | 2026-01-05 08:11Z | metrics.errors = 0.9 |" in page
    )
    assert re.search(r"## Who was told\n\n(- .*\n)+", page)


def test_what_was_merged_into_it_is_told_with_it() -> None:
    at = desk(*(card(name, rules=RULES) for name in ("delay", "spam")))
    at.world.values |= {"delay-errors": 0.9, "spam-errors": 0.9}
    at.later()
    operations.note(at.engine, 1, text="first seen here", actor="ana", at=at.now)
    operations.merge(at.engine, 1, into=2, because="one feed", actor="bo", at=at.now)
    at.later()
    page = postmortem(at.engine, 2)
    assert "**ana**: INC-1: first seen here [" in page
    assert "**bo**: merged INC-1 into it: one feed [" in page
    assert "`delay: errors`" in page
    assert "- **Status**: merged into INC-2 by bo\n" in postmortem(at.engine, 1)
