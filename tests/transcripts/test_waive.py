"""gov waive: two people take a rule out of force, and everything that shows the rule says so."""

from __future__ import annotations

import re

from transcripts.workspace import Workspace, parsed, rows

RULE, AT = "version-unheard-of", ("--at", "2026-01-05T20:00")
FILE = f"""kind: waiver
rule: {RULE}
model: loan-risk
labels: {{version: v1}}
because: Compared by hand.
requested_by: bo
until: 2030-01-31
"""


def test_a_waiver_from_request_to_withdrawal(workspace: Workspace) -> None:
    until = f"{_next_year()}-01-31"
    asked = workspace.run(
        "waive", "request", "loan-risk", RULE, "--because", "The version is known.", "--until", until,
        "--ends-on", "new_version", "--ends-on", "unused_for 14d", "--as", "bo",
    )  # fmt: skip
    assert (asked.returncode, asked.stderr) == (0, "")
    assert re.fullmatch(
        rf"WVR-1 asks to waive {RULE} on loan-risk until {until} 00:00 UTC or new_version or unused_for 14d: "
        r"The version is known.; sealed as entry \d+\n"
        r"it takes effect once a second person approves it \(ana\): gov waive approve WVR-1\n",
        asked.stdout,
    )
    own = workspace.ask("waive", "approve", "WVR-1", "--as", "bo")
    assert (own.returncode, "a second person must approve it: ana" in own.stderr) == (3, True)
    assert rows(workspace.ask("waive", "list").stdout)[0][:4] == ["WVR-1", "loan-risk", "waits for approval",
                                                                  f"{until} 00:00Z"]  # fmt: skip
    assert "yet: ana may" in workspace.ask("waive", "list").stdout
    done = workspace.ask("waive", "approve", "wvr-1", "--as", "ana")
    assert re.fullmatch(rf"WVR-1 is in force until {until} 00:00Z; sealed as entry \d+\n", done.stdout), done.stderr
    (waiver,) = parsed(workspace.ask("waive", "list", "--format", "json").stdout)["active"]
    assert (waiver["rule"], waiver["approved_by"], waiver["ends_on"]) == (
        RULE,
        "ana",
        ["new_version", "unused_for 14d"],
    )
    assert "w" in waiver["left"] or "d" in waiver["left"]
    explained = workspace.ask("explain", "loan-risk", "--rule", RULE).stdout
    assert f"~ WVR-1             waived until {until} 00:00Z or new_version, unused_for 14d by ana:" in explained
    judged = workspace.ask("eval", "loan-risk", *AT, "--all").stdout
    assert f"waived until {until} or new_version or unused_for 14d by ana: The version is known." in judged
    over = workspace.ask("waive", "withdraw", "WVR-1", "--because", "it was wrong", "--as", "bo")
    assert re.fullmatch(rf"WVR-1 is withdrawn, {RULE} counts again; sealed as entry \d+\n", over.stdout), over.stderr
    assert workspace.ask("waive", "list").stdout == "nothing is waived\n"
    again = workspace.ask("waive", "withdraw", "WVR-1", "--because", "it was wrong", "--as", "bo")
    assert (again.returncode, "ended at" in again.stderr) == (3, True)


def test_a_waiver_that_cannot_be_asked_for(workspace: Workspace) -> None:
    asked = workspace.ask(
        "waive", "request", "loan-risk", "scores-hi", "--because", "x", "--until", "2000-01-01", "--as", "bo"
    )
    assert "did you mean 'scores-high'?" in asked.stderr
    late = workspace.ask("waive", "request", "loan-risk", RULE, "--because", "x", "--until", "2000-01-01", "--as", "bo")
    assert (late.returncode, "a waiver ends after now" in late.stderr) == (1, True)
    odd = workspace.ask(
        "waive", "request", "loan-risk", RULE, "--because", "x", "--until", "2000-01-01", "--ends-on", "monday",
        "--as", "bo",
    )  # fmt: skip
    assert "ends_on takes new_version, retrained and 'unused_for 14d', not 'monday'" in odd.stderr


def test_a_file_is_explained_as_a_request_before_any_engine_read_it(workspace: Workspace) -> None:
    (workspace.directory / "policies" / "waivers").mkdir()
    (workspace.directory / "policies" / "waivers" / "v1.yaml").write_text(FILE, encoding="utf-8")
    assert workspace.ask("check").returncode == 0
    text = workspace.ask("explain", "loan-risk", "--rule", RULE).stdout
    assert "~ waiver            requested by bo; would end 2030-01-31 00:00Z {version=v1}: Compared by hand.\n" in text
    assert "← policies/waivers/v1.yaml:2:7\n" in text


def _next_year() -> int:
    from datetime import UTC, datetime

    return datetime.now(UTC).year + 1
