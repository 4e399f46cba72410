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
