"""The kill switch from Slack: what the screen tells, what must be typed, and who confirmed."""

from __future__ import annotations

from typing import Any

from bolt.office import Office, value
from bolt.web import until

from governance.slack.switch_modals import APPROVE, CHOSEN, REFUSE
from governance.views import ConfirmationsView


def opened(at: Office, user: str = "U0ANA", model: str = "delay") -> dict[str, Any]:
    """Click the kill switch of an incident, and return the modal."""
    incident = at.breach(model)
    at.click(user, "switch.pull", value(incident))
    view: dict[str, Any] = at.web.wait("views.open").said["view"]
    return view


def typed(view: dict[str, Any]) -> bool:
    """Tell whether the modal asks for the model's name."""
    return any(block.get("block_id") == "confirm" for block in view["blocks"])


def test_the_screen_tells_what_stops_and_one_confirmation_pulls(at: Office) -> None:
    view = opened(at)
    text = str(view)
    for words in (
        "*delay* in production, version 7 serves",
        "*Fallback:* schedule · health unknown: it has no card",
        "*Models that use it:* none is known",
        "to undo takes 1 person",
        "*You may, because* ops is responder of delay",
        "no serving process has asked for this switch",
        "'initial_value': 'INC-1: ",
    ):
        assert words in text, words
    assert not typed(view)
    answer = at.submit("U0ANA", view)
    assert "pulling *delay*" in answer.body
    at.web.wait("views.update", "now *fallback*")
    setting = at.desk.switch("delay").settings[0]
    assert (setting.mode, setting.set_by, setting.incident) == ("fallback", "ana", 1)
    assert at.incident(1).status == "mitigated"
    until(lambda: at.drawn == [1])


def test_the_outcome_counts_who_has_confirmed_until_all_have(at: Office) -> None:
    at.heard[0] = ConfirmationsView(total=3, confirmed=1, late=["a", "b<!here>"])
    at.submit("U0ANA", opened(at))
    shown = at.web.wait("views.update", "*1 of 3* serving instances have confirmed; waiting for: a, b&lt;")
    assert "<!here>" not in shown.text
    at.heard[0] = ConfirmationsView(total=3, confirmed=3)
    at.web.wait("views.update", "*3 of 3* serving instances have confirmed.")


def test_stopping_asks_for_the_typed_name(at: Office) -> None:
    view = opened(at)
    shown = {**view, "id": "V1", "state": {"values": {"because": {"because": {"value": "nonsense answers"}}}}}
    at.click("U0ANA", CHOSEN, "stopped", view=shown, response_url="", container={"type": "view"}, channel={})
    stops = at.web.wait("views.update", "Type delay to confirm").said["view"]
    assert "'initial_value': 'nonsense answers'" in str(stops)
    assert '"confirm": "Type delay."' in at.submit("U0ANA", stops, confirm="dleay").body
    assert not at.desk.switch("delay").settings
    at.submit("U0ANA", stops, confirm="delay")
    at.web.wait("views.update", "now *stopped*")


def test_a_screen_that_was_not_drawn_anew_in_time_stops_nothing(at: Office) -> None:
    view = opened(at)
    at.submit("U0ANA", view, mode="stopped")
    at.web.wait("views.update", "must be confirmed with the model")
    assert not at.desk.switch("delay").settings


def test_giving_back_asks_for_the_name_and_is_for_those_whom_the_card_names(at: Office) -> None:
    at.submit("U0ANA", opened(at))
    at.web.wait("views.update", "now *fallback*")
    at.click("U0ANA", "switch.pull", value(at.incident(1)))
    at.web.wait("views.open", count=2)
    view = {**at.web.of("views.open")[-1].said["view"], "id": "V1", "state": {}}
    at.click("U0ANA", CHOSEN, "live", view=view, response_url="")
    gives = at.web.wait("views.update", "Give back").said["view"]
    assert typed(gives)
    at.submit("U0ANA", gives, because="mended", confirm="delay")
    at.web.wait("views.update", "it is *live*")
    assert not at.desk.switch("delay").settings


def test_a_restore_of_tier_one_waits_for_a_second_person_who_answers_by_a_button(at: Office) -> None:
    ask_second(at)
    asked = at.web.wait("chat.postMessage", "waits for a second person").said
    assert (asked["channel"], asked["thread_ts"]) == ("C1", "1.1")
    at.click("U0CY", APPROVE, "APR-1")
    at.web.wait("views.open", "cy asked for this restore")
    at.click("U0DEE", APPROVE, "APR-1")
    done = at.web.wait("respond", "dee approved APR-1").said
    assert done["replace_original"] is True
    assert not at.desk.switch("credit").settings


def test_a_restore_can_be_refused_with_a_reason(at: Office) -> None:
    ask_second(at)
    at.click("U0DEE", REFUSE, "APR-1")
    view = at.web.wait("views.open", "is refused for everybody").said["view"]
    at.submit("U0DEE", view, because="not yet")
    at.web.wait("chat.update", "dee refused APR-1: not yet")
    assert at.desk.switch("credit").settings
    assert at.desk.kinds("switch.refused") == ["switch.refused"]


def test_who_may_neither_pull_nor_restore_is_told_who_may(at: Office) -> None:
    incident = at.breach()
    at.click("U0EVE", "switch.pull", value(incident))
    at.web.wait("views.open", "eve may not pull kill switches")


def ask_second(at: Office) -> None:
    """Pull a model of tier 1 and ask for it back."""
    at.submit("U0ANA", opened(at, model="credit"))
    at.web.wait("views.update", "now *fallback*")
    at.click("U0CY", "switch.pull", value(at.incident(1)))
    at.web.wait("views.open", count=2)
    view = {**at.web.of("views.open")[-1].said["view"], "id": "V1", "state": {}}
    at.click("U0CY", CHOSEN, "live", view=view, response_url="")
    gives = at.web.wait("views.update", "Give back").said["view"]
    at.submit("U0CY", gives, because="mended", confirm="credit")
    at.web.wait("views.update", "waits for a second person")
