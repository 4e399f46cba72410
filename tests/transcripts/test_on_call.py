"""`gov oncall` as people meet it, and the same over the API."""

from __future__ import annotations

import json
from pathlib import Path

from interfaces.inside import CARDS, inside
from transcripts.workspace import Workspace

ORG = """\
kind: org
people: {ana: {}, bo: {}}
schedules:
  nights:
    zone: Europe/Berlin
    layers: [{people: [ana, bo], from: 2026-01-05, rotate: daily, handover: 18:00, hours: 18:00-08:00}]
  travel-primary:
    zone: Europe/Berlin
    layers: [{people: [ana, bo], from: 2026-01-05, handover: Mon 09:00}]
"""


def workspace(directory: Path) -> Workspace:
    (directory / "policies").mkdir()
    (directory / "policies" / "org.yaml").write_text(ORG)
    return Workspace(directory)


def words(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_who_is_on_call_and_who_follows(tmp_path: Path) -> None:
    done = workspace(tmp_path).ask("oncall", "--at", "2026-03-28T23:30")
    assert (done.returncode, done.stderr) == (0, "")
    assert words(done.stdout)[0] == "as of 2026-03-28 23:30Z"
    assert words(done.stdout)[3:] == [
        "nights ana Sun 2026-03-29 08:00 CEST nobody layer 1",  # the clocks change meanwhile
        "travel-primary bo Mon 2026-03-30 09:00 CEST ana layer 1",
    ]


def test_nobody_on_call_is_said_and_is_a_finding(tmp_path: Path) -> None:
    done = workspace(tmp_path).ask("oncall", "nights", "--at", "2026-03-29T10:00", "--for", "1d")
    assert done.returncode == 1
    assert [line for line in words(done.stdout) if "NOBODY" in line] == [
        "nights NOBODY Sun 2026-03-29 18:00 CEST bo",
        "NOBODY Sun 2026-03-29 12:00 CEST Sun 2026-03-29 18:00 CEST",
        "NOBODY Mon 2026-03-30 08:00 CEST Mon 2026-03-30 12:00 CEST",
    ]


def test_a_schedule_nobody_knows(tmp_path: Path) -> None:
    done = workspace(tmp_path).run("oncall", "travel")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no schedule 'travel'; did you mean 'travel-primary'?" in done.stderr


def test_the_api_says_the_same(tmp_path: Path) -> None:
    shown = workspace(tmp_path).ask("oncall", "--at", "2026-03-28T23:30", "--for", "2d", "--format", "json")
    schedules = ORG[ORG.index("schedules:") :]
    api = inside(tmp_path / "own", {**CARDS, "org.yaml": CARDS["org.yaml"] + schedules.replace("bo]", "bob]")})
    answered = api.client.get("/v1/oncall?at=2026-03-28T23:30Z&days=2")
    assert answered.json()["items"] == json.loads(shown.stdout.replace('"bo"', '"bob"'))
    assert api.client.get("/v1/oncall?at=2026-02-31T00:00Z").status_code == 422


def test_shifts_as_a_calendar_say_the_same_when_they_are_read_again(tmp_path: Path) -> None:
    here = workspace(tmp_path)
    done = here.ask("oncall", "nights", "--at", "2026-03-28T23:30", "--for", "30d", "--ical")
    assert (done.returncode, done.stderr) == (0, "")
    assert "SUMMARY:NOBODY on call (nights)" in done.stdout
    (tmp_path / "policies" / "nights.ics").write_text(done.stdout)
    again = ORG[: ORG.index("schedules:")] + "schedules: {nights: {zone: Europe/Berlin, ical: nights.ics}}\n"
    before = here.ask("oncall", "nights", "--at", "2026-03-28T23:30", "--for", "29d", "--format", "json")
    (tmp_path / "policies" / "org.yaml").write_text(again)
    after = here.ask("oncall", "nights", "--at", "2026-03-28T23:30", "--for", "29d", "--format", "json")
    assert before.stdout.replace("layer 1", "calendar") == after.stdout
    (found,) = json.loads(after.stdout)
    assert len(found["shifts"]) > 50


def test_the_calendar_over_the_api_is_the_same_each_time(tmp_path: Path) -> None:
    schedules = ORG[ORG.index("schedules:") :].replace("bo]", "bob]")
    api = inside(tmp_path, {**CARDS, "org.yaml": CARDS["org.yaml"] + schedules})
    first = api.client.get("/v1/oncall.ics?schedule=travel-primary&days=30")
    assert first.headers["content-type"] == "text/calendar; charset=utf-8"
    api.clock.on(hours=1)
    later = api.client.get("/v1/oncall.ics?schedule=travel-primary&days=30")
    uids = [[line for line in each.text.splitlines() if line.startswith("UID:")] for each in (first, later)]
    assert uids[0] == uids[1]
    assert uids[0][0] == "UID:20260126T080000Z-travel-primary@on-call.model-governance"
    whole = [[line for line in each.text.splitlines() if "DTSTAMP" not in line] for each in (first, later)]
    assert whole[0] == whole[1]
    refused = api.client.get("/v1/oncall.ics?schedule=travel")
    assert (refused.status_code, "did you mean" in refused.text) == (404, True)
