"""An escalation as the person who is woken by it sees it on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from escalation.duty import MINUTE, ORGANISATION, RULES, START, duty
from switches.desk import card
from transcripts.shell import Shell

from governance.store.database import Database


@pytest.fixture
def woken(shell: Shell, tmp_path: Path) -> Shell:
    """A workspace whose engine paged ana at 08:01 and nobody yet after her."""
    shell.write("policies/org.yaml", yaml.safe_dump({"kind": "org", **ORGANISATION}))
    shell.write(
        "policies/delay.yaml",
        yaml.safe_dump(card("delay", owners={"team": "ops", "escalation": "night"}, rules=RULES)),
    )
    (tmp_path / ".gov").mkdir()
    desk = duty(database=Database(f"sqlite:///{tmp_path}/.gov/governance.db"))
    desk.look()
    desk.world.values["delay-errors"] = 0.9
    desk.later()
    desk.until(3)
    assert desk.now == START + 3 * MINUTE
    desk.engine.database.close()
    return shell


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_the_policies_are_sound(woken: Shell) -> None:
    assert woken("gov check").stdout == "0 problems in 2 files\n"


def test_an_incident_says_who_was_told_and_who_is_next(woken: Shell) -> None:
    shown = lines(woken("gov incidents show 1").stdout)
    first = shown.index("escalation night: level 1 of 4 was told")
    assert shown[first : first + 3] == [
        "escalation night: level 1 of 4 was told",
        "told ana",
        "next ana, bo, cy at 2026-01-05 08:11Z",
    ]
    assert shown[first + 3] == "level 1 2026-01-05 08:01Z ana"
    view = json.loads(woken("gov incidents show 1 --format json").stdout)["escalation"]
    assert (view["policy"], view["level"], view["loop"], view["state"]) == ("night", 1, 0, "running")
    assert (view["next_at"], view["next_to"], view["told"]) == ("2026-01-05T08:11:00Z", ["ana", "bo", "cy"], ["ana"])


def test_an_answer_stops_it_at_once(woken: Shell) -> None:
    assert woken("gov incidents ack 1 --as ana").returncode == 0
    shown = lines(woken("gov incidents show 1").stdout)
    assert "escalation night: level 1 of 4 was told; it has stopped" in shown
    assert any(each.startswith("comes back ") and each.endswith("unless somebody works on it") for each in shown)
    assert not [each for each in shown if each.startswith("next ")]
    assert [each for each in shown if each.startswith("level 1 2026-01-05 08:01Z ana; ana acknowledged after ")]


def test_why_names_who_was_told_by_which_rule_with_the_receipt(woken: Shell) -> None:
    told = json.loads(woken("gov why 1 --format json").stdout)["notifications"]
    assert [(each["notifier"], each["to"], each["level"], each["rule"], each["receipt"]) for each in told] == [
        ("chat", [], 0, "", "kept"),
        ("mail", ["ana"], 1, "level 1 of night: on call for first", "kept"),
    ]
    page = " ".join(woken("gov why 1").stdout.split())
    assert "level 1 of night: on call for first" in page
    assert "every change" in page
