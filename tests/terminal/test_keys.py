"""Keys, their reasons, a person's own keys, words to filter by and places to go to: what no screen is needed for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from governance.errors import InvalidDocument
from governance.views import FleetRow, FleetView, IncidentView, WhoamiView
from tui.acts import until
from tui.filtering import Sieve, parsed
from tui.keymap import TOGETHER, keymap
from tui.keys import GROUPS, keys_of
from tui.known import Kept, Snapshot
from tui.places import places
from tui.situation import Situation

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def row(model: str, **more: Any) -> FleetRow:
    return FleetRow.model_validate({"model": model, "tier": 1, "team": "t", "severity": "none", "mode": "live", **more})


def incident(number: int, **more: Any) -> IncidentView:
    facts = {"model": "loans", "status": "triggered", "severity": "critical", "peak": "critical", "title": "Errors"}
    rest = {"opened_at": NOW, "changed_at": NOW, "resolved_at": None, "acknowledged_by": "", "resolved_by": ""}
    return IncidentView.model_validate(
        {"id": number, **facts, **rest, "reopened": 0, "version": 1, "findings": [], **more}
    )


def why(act: str, **here: Any) -> str:
    key = next(key for _, key in keys_of(("incident", "model", "run", "approval")) if key.act == act)
    return key.off(Situation(**here))


def test_a_key_that_does_nothing_says_why() -> None:
    assert why("acknowledge", row=row("loans"), incident=incident(1)) == ""
    assert why("acknowledge", row=row("loans")) == "there is no open incident here"
    assert why("acknowledge", incident=incident(1, status="resolved")) == "INC-1 is resolved"
    assert why("acknowledge", incident=incident(1), offline=True) == "the engine is not reached"
    assert why("acknowledge", incident=incident(1), looks_only="only look") == "only look"
    assert why("restore", row=row("loans")) == "it is live already"
    assert why("restore", row=row("loans", mode="fallback")) == ""
    assert why("pull", row=row("engine", mode="")) == "the engine itself has no kill switch"
    assert why("tick") == "no run of a runbook is here"


def test_all_that_acts_is_off_while_the_engine_is_lost_and_for_who_only_looks() -> None:
    looking = {
        "view",
        "move",
        "open",
        "filter",
        "only_open",
        "model",
        "follow",
        "next_step",
        "ended",
        "unfold",
        "older",
    }
    for _, key in keys_of(group for group in GROUPS if group != "app"):
        if key.act.partition("(")[0] not in looking:
            assert key.off(Situation(offline=True)) == "the engine is not reached", key
            assert key.off(Situation(looks_only="no")) == "no", key


def test_no_two_acts_of_one_screen_have_one_key() -> None:
    for groups in TOGETHER:
        keys = [key for _, each in keys_of(groups) for key in each.keys.split(",")]
        assert len(keys) == len(set(keys)), groups


def own(folder: Path, text: str) -> dict[str, str]:
    path = folder / "keys.toml"
    path.write_text(text, encoding="utf-8")
    return keymap(path)


def test_own_keys(tmp_path: Path) -> None:
    assert own(tmp_path, 'acknowledge = "A"\npull = ["ctrl+k", "f9"]\n') == {"acknowledge": "A", "pull": "ctrl+k,f9"}
    assert keymap(tmp_path / "none.toml") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('acknowlege = "A"', "'acknowlege' is no act of the app; did you mean 'acknowledge'?"),
        ("acknowledge = 3", 'acknowledge: write a key such as "a", or a list of keys'),
        ('acknowledge = "banana"', "acknowledge: 'banana' is no key; keys are written a, A, f5"),
        (
            'acknowledge = "K"',
            "the key 'K' would do two things, 'acknowledge' and 'pull'; give one of them another key",
        ),
        ('acknowledge = "?"', "the key 'question_mark' would do two things"),
        ("acknowledge = ", "Invalid value"),
    ],
)
def test_wrong_keys_are_told_before_the_app_opens(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=r"keys\.toml: ") as caught:
        own(tmp_path, text)
    assert said in str(caught.value)


def test_a_file_of_keys_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument, match="no such file of keys; GOV_KEYS names it"):
        keymap(tmp_path / "none.toml", needed=True)


FLEET = [row("loans", tier=1, severity="critical"), row("quiet", tier=3), row("loud", tier=1, mode="fallback")]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", ["loans", "quiet", "loud"]),
        ("lo", ["loans", "loud"]),
        ("LO critical", ["loans"]),
        ("tier:1", ["loans", "loud"]),
        ("tier:1 -critical", ["loud"]),
        ("-tier:1", ["quiet"]),
        ("switch:fallback", ["loud"]),
        ("nofield:1", []),
        ("tier:", ["loans", "quiet", "loud"]),
    ],
)
def test_words_and_fields_narrow(typed: str, found: list[str]) -> None:
    def fields(each: FleetRow) -> dict[str, object]:
        return {"model": each.model, "tier": each.tier, "severity": each.severity, "switch": each.mode}

    kept = Sieve[FleetRow]().kept(FLEET, parsed(typed, ("model", "tier", "severity", "switch")), _model, fields)
    assert [each.model for each in kept] == found


def _model(each: FleetRow) -> str:
    return each.model


def known() -> Snapshot:
    who = WhoamiView(actor="ana", kind="person", roles=[], scopes=[], environment="test", read_only=False)
    fleet = FleetView(environment="test", as_of=NOW, judged_at=NOW, policy_version="1", tallies={}, items=FLEET)
    return Snapshot(who=who, fleet=fleet, incidents={4: incident(4)}, approvals=(), at=NOW)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("loans", ("model", "loans")),
        ("lou", ("model", "loud")),
        ("inc-4", ("incident", "4")),
        ("INC9", ("incident", "9")),
        ("run-2", ("run", "RUN-2")),
        ("apr-3", ("approval", "APR-3")),
        ("#120", ("entry", "120")),
        ("decision", ("view", "log")),
        ("errors", ("incident", "4")),
    ],
)
def test_what_has_a_name_can_be_gone_to(typed: str, first: tuple[str, str]) -> None:
    found = places(known(), typed)[0]
    assert (found.kind, found.name) == first


@pytest.mark.parametrize(
    ("text", "ahead"),
    [("30m", "0:30:00"), ("2h", "2:00:00"), ("13:30", "1:30:00"), ("09:00", "21:00:00"), ("soon", None), ("0h", None)],
)
def test_until_when(text: str, ahead: str | None) -> None:
    found = until(text, NOW)
    assert (str(found - NOW) if isinstance(found - NOW, timedelta) else "") == ahead if found else ahead is None


def test_what_changed_takes_its_place_and_all_else_stays_the_very_same() -> None:
    kept = Kept(known().fleet)
    whole = kept.view
    same = kept.merge(whole.model_copy(update={"items": [row("quiet", tier=3, cost_per_1k=2.0)]}))
    assert [each.model for each in same.items] == ["loans", "loud", "quiet"]
    assert same.items[2].cost_per_1k == 2.0
    assert same.items[0] is whole.items[0]
    worse = kept.merge(whole.model_copy(update={"items": [row("quiet", tier=3, severity="critical"), row("new")]}))
    assert [each.model for each in worse.items] == ["loans", "quiet", "loud", "new"]
    assert (worse.tallies["critical"], worse.tallies["none"], worse.tallies["not_live"]) == (2, 2, 1)
    live = kept.merge(whole.model_copy(update={"items": [row("loud", tier=1)]}))
    assert (live.tallies["not_live"], live.state, live.whole) == (0, whole.state, True)
