"""What people can do from an incident's message in Slack: one table that the message is drawn from and clicks go by."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from governance.slack.shown import Shown

Style = Literal["", "primary", "danger"]
MORE = "incident.more"
"""The action id of the overflow menu; which act was chosen stands in the value."""


@dataclass(frozen=True, slots=True)
class SlackAct:
    """One act: its id is the word of the decision log, the API and `core.authority`.

    It is offered `when` that holds of what the message shows; a `modal` asks for more before anything happens; one in
    the `menu` is a line of the overflow menu, the others are buttons.
    """

    id: str
    label: str
    when: Callable[[Shown], bool]
    style: Style = ""
    modal: bool = False
    menu: bool = False


def _always(_: Shown) -> bool:
    return True


def _open(shown: Shown) -> bool:
    return shown.is_open


def _untaken(shown: Shown) -> bool:
    return shown.is_open and (shown.incident.status == "triggered" or not shown.incident.acknowledged_by)


def _has_runbook(shown: Shown) -> bool:
    return shown.is_open and bool(shown.runbook)


def _escalates(shown: Shown) -> bool:
    return shown.is_open and shown.can_escalate


def _switchable(shown: Shown) -> bool:
    """Also afterwards, while the model is out of service: the same screen gives it back."""
    return shown.has_switch and (shown.is_open or shown.mode != "live")


def _wakeful(shown: Shown) -> bool:
    return shown.is_open and not shown.snoozed


ACTS: tuple[SlackAct, ...] = (
    SlackAct("incident.acknowledge", "Acknowledge", _untaken, style="primary"),
    SlackAct("runbook.run", "Run next step", _has_runbook, modal=True),
    SlackAct("incident.escalate", "Escalate", _escalates, modal=True),
    SlackAct("switch.pull", "Kill switch…", _switchable, style="danger", modal=True),
    SlackAct("incident.note", "Note…", _always, modal=True),
    SlackAct("incident.severity", "Change severity…", _open, modal=True, menu=True),
    SlackAct("incident.hand_over", "Hand over…", _open, modal=True, menu=True),
    SlackAct("incident.snooze", "Snooze…", _wakeful, modal=True, menu=True),
    SlackAct("incident.resolve", "Resolve…", _open, modal=True, menu=True),
    SlackAct("incident.why", "Who was told, and why?", _always, modal=True, menu=True),
)
BY_ID: Mapping[str, SlackAct] = {each.id: each for each in ACTS}


@dataclass(frozen=True, slots=True)
class Clicked:
    """What a click says: the act, the incident, and the version that the clicked message showed."""

    act: str
    incident: int
    version: int


def offered(shown: Shown) -> tuple[SlackAct, ...]:
    """Return the acts that an incident's message offers, in the order in which they stand."""
    return tuple(each for each in ACTS if each.when(shown))


def value_of(act: SlackAct, shown: Shown) -> str:
    """Return the value of a button or a line of the menu: JSON of at most 150 characters."""
    said: dict[str, object] = {"incident": shown.incident.id, "version": shown.incident.version}
    return json.dumps({"act": act.id, **said} if act.menu else said)


def clicked(action_id: str, value: str) -> Clicked:
    """Return what a button's or a menu line's value says.

    :raises ValueError: when it is none of ours.
    """
    try:
        said = json.loads(value)
        act = str(said["act"]) if action_id == MORE else action_id
        found = Clicked(act, int(said["incident"]), int(said["version"]))
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"not the value of one of our buttons: {value[:80]!r}") from error
    if found.act not in BY_ID:
        raise ValueError(f"no button does {found.act!r}")
    return found
