"""Whose account is whose: a code in Slack, confirmed with a token of one's own; then the click is carried out."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from bolt.office import Office, value

from governance.core.authority import Actor
from governance.errors import Conflict, Denied, NotFound
from governance.slack import linking

FLO = Actor("flo")


def code_of(at: Office, words: str = "", count: int = 1) -> str:
    """Return the code that was shown."""
    found = re.search(r"gov slack link ([A-Z2-9]{4}-[A-Z2-9]{4})", at.web.wait("views.open", words, count).text)
    assert found is not None
    return found[1]


def confirmed(at: Office, code: str, who: Actor = FLO) -> None:
    """Confirm a code as the API does."""
    link, kept, _ = linking.confirm(at.desk.engine, code, actor=who, at=at.inbound.desk.now)
    at.inbound.linked(link, kept)


def test_the_click_of_an_account_that_is_not_linked_is_carried_out_once_it_is(at: Office) -> None:
    incident = at.breach()
    at.click("U0FLO", "incident.acknowledge", value(incident))
    code = code_of(at, "Link account")
    assert at.incident(incident.id).status == "triggered"
    confirmed(at, code.lower().replace("-", ""))
    at.done(incident.id, "acknowledged")
    assert at.incident(incident.id).acknowledged_by == "flo"
    at.web.wait("respond", "You are flo here from now on.")
    (entry,) = at.desk.entries("slack.linked")
    assert (entry.decision.actor, entry.decision.subject) == ("flo", {"slack": "U0FLO"})
    assert code not in str(entry)


def test_a_command_waits_for_the_link_too(at: Office) -> None:
    at.type("U0FLO", "incidents")
    confirmed(at, code_of(at))
    at.web.wait("respond", "No incident is open.")


def test_a_modal_that_waits_is_offered_as_words_since_its_time_is_over(at: Office) -> None:
    incident = at.breach()
    at.click("U0FLO", "switch.pull", value(incident))
    confirmed(at, code_of(at))
    at.web.wait("respond", "click once more")


def test_a_code_works_once_and_for_ten_minutes_and_only_the_last_one(at: Office) -> None:
    incident = at.breach()
    at.click("U0FLO", "incident.acknowledge", value(incident))
    first = code_of(at)
    at.click("U0FLO", "incident.acknowledge", value(incident))
    second = code_of(at, count=2)
    with pytest.raises(NotFound, match="another took its place"):
        confirmed(at, first)
    confirmed(at, second)
    with pytest.raises(NotFound, match="it was used"):
        confirmed(at, second)
    at.click("U0GUS", "incident.acknowledge", value(incident))
    third = code_of(at, count=3)
    with pytest.raises(Conflict, match="this code ran out"):
        linking.confirm(at.desk.engine, third, actor=FLO, at=at.inbound.desk.now + timedelta(minutes=10))


@pytest.mark.parametrize(
    "who",
    [
        Actor("flo", scopes=frozenset({"read"})),
        Actor("flo", models=("delay",)),
        Actor("flo", "service"),
        Actor("stranger"),
    ],
)
def test_no_token_gives_an_account_more_than_it_gives_itself(at: Office, who: Actor) -> None:
    at.click("U0FLO", "incident.acknowledge", value(at.breach()))
    with pytest.raises(Denied):
        confirmed(at, code_of(at), who)
    assert linking.listed(at.desk.engine) == []


def test_who_is_gone_from_the_organisation_may_nothing_however_linked(at: Office) -> None:
    incident = at.breach()
    at.click("U0FLO", "incident.acknowledge", value(incident))
    confirmed(at, code_of(at))
    at.done(incident.id, "acknowledged")
    at.replan(people={"ana": {"slack": "U0ANA"}}, teams={}, roles=[])
    at.type("U0FLO", "status")
    at.web.wait("views.open", "org.yaml does not name them among its", 1)


def test_a_link_is_ended_by_its_person_or_an_administrator(at: Office) -> None:
    at.click("U0FLO", "incident.acknowledge", value(at.breach()))
    confirmed(at, code_of(at))
    with pytest.raises(Denied):
        linking.remove(at.desk.engine, "U0FLO", actor=Actor("ana"), at=at.inbound.desk.now)
    linking.remove(at.desk.engine, "U0FLO", actor=FLO, at=at.inbound.desk.now)
    with pytest.raises(NotFound):
        linking.remove(at.desk.engine, "U0FLO", actor=FLO, at=at.inbound.desk.now)
    assert at.desk.kinds("slack") == ["slack.linked", "slack.unlinked"]


def test_the_home_tab_offers_the_link(at: Office) -> None:
    at.open_home("U0FLO")
    at.web.wait("views.publish", "Link account")
    at.click("U0FLO", "slack.link", "link")
    assert code_of(at)
    at.click("U0ANA", "slack.link", "link")
    at.web.wait("views.open", "You are ana here.")
