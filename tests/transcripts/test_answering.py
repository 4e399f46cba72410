"""gov incidents: every answer with who gave it and the entry that proves it, and what may be read afterwards."""

from __future__ import annotations

import re

import pytest
from transcripts.workspace import HOSTILE, Workspace, parsed, rows

ANSWERS = [
    (("note", "2", "the feed is late"), "INC-2 noted on by ana"),
    (("snooze", "2", "--for", "2h", "--because", "lunch"), r"INC-2 snoozed until \d{4}-\d\d-\d\d \d\d:\d\dZ by ana"),
    (("severity", "2", "critical", "--because", "the main market"), "INC-2 is critical now, as said by ana"),
    (("hand-over", "2", "--to", "bo", "--because", "my shift ends"), "INC-2 handed over to bo by ana"),
    (("merge", "2", "--into", "INC-3", "--because", "one feed"), "INC-2 merged into INC-3 by ana"),
    (("link", "2", "https://tickets.example.com/7", "--title", "ticket"), "INC-2 linked by ana"),
]


def test_every_answer_is_told_with_its_entry_and_stands_in_the_timeline(workspace: Workspace) -> None:
    for arguments, said in ANSWERS[:4] + ANSWERS[5:] + ANSWERS[4:5]:
        done = workspace.ask("incidents", *arguments, "--as", "ana")
        assert re.fullmatch(rf"{said}; sealed as entry \d+ of the decision log\n", done.stdout), done.stderr
    shown = workspace.ask("incidents", "show", "2").stdout
    assert re.search(r"  lead       bo\n  also       ana\n  severity   critical, as a person says\n", shown)
    assert re.search(r"  merged     into INC-3, .* by ana\n  link       ticket  https://tickets.example.com/7\n", shown)
    lines = [row[2:] for row in rows(workspace.ask("incidents", "timeline", "2").stdout) if row[2] != "engine"]
    assert [each[0] for each in lines] == ["ana (cli)"] * 6
    assert lines[0][1] == "the feed is late"
    assert lines[2][1] == "called it critical, it was warning: the main market"
    assert lines[5][1] == "merged it into INC-3: one feed"
    last = parsed(workspace.ask("incidents", "timeline", "3", "--format", "json").stdout)[-1]
    assert (last["actor"], last["channel"], last["kind"]) == ("ana", "cli", "incident.joined")
    assert last["text"] == "merged INC-2 into it: one feed"
    late = workspace.ask("incidents", "ack", "2", "--as", "bo")
    assert (late.returncode, late.stdout) == (3, "")
    assert re.match(
        r"gov: incident 2 was merged into INC-3 by ana at .* \((just now|\d+ \w ago)\); see INC-3\n", late.stderr
    )


def test_an_incident_without_an_escalation(workspace: Workspace) -> None:
    done = workspace.ask("incidents", "escalate", "2", "--as", "ana")
    assert (done.returncode, done.stdout) == (3, "")
    assert "loan-risk has no escalation: its card names none in owners.escalation" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("snooze", "2", "--because", "x"), "write either --for 2h or"),
        (("snooze", "2", "--because", "x", "--for", "2h", "--until", "2030-01-01"), "write either --for 2h or"),
        (("snooze", "2", "--because", "x", "--for", "3d12h5"), "3d12h5"),
        (("severity", "2", "bad", "--because", "x"), "no severity 'bad'; known: info, warning, critical"),
        (("merge", "2", "--into", "two", "--because", "x"), "'two' is no incident; write 35 or INC-35"),
    ],
)
def test_what_cannot_be_understood_is_said(arguments: tuple[str, ...], said: str, seen: Workspace) -> None:
    done = seen.ask("incidents", *arguments, "--as", "ana")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("snooze", "2", "--because", "x", "--for", "8d"), "within 7 days"),
        (("hand-over", "2", "--to", "anna"), "no person 'anna'; did you mean 'ana'"),
        (("link", "2", "javascript:alert(1)"), "address: begins with https://"),
        (("merge", "2", "--into", "2", "--because", "x"), "cannot be merged into itself"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], said: str, seen: Workspace) -> None:
    done = seen.ask("incidents", *arguments, "--as", "ana")
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert said in done.stderr


def test_the_postmortem_is_written_once_and_shows_what_came_from_outside_as_text(workspace: Workspace) -> None:
    workspace.ask("incidents", "note", "2", HOSTILE, "--as", "bo")
    here = workspace.ask("incidents", "postmortem", "2").stdout
    assert here.startswith("# INC-2: ")
    assert "\x1b" not in here
    assert r"\[red\]" in here
    done = workspace.ask("incidents", "postmortem", "2", "-o", "after.md")
    assert done.stdout == "wrote after.md\n"
    assert (workspace.directory / "after.md").read_text(encoding="utf-8").startswith("# INC-2: ")
    again = workspace.ask("incidents", "postmortem", "2", "-o", "after.md")
    assert (again.returncode, "somebody may have written in it" in " ".join(again.stderr.split())) == (2, True)
