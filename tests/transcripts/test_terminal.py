"""What the commands do without what they need, on a terminal, and with text that means harm."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from transcripts.workspace import GOV, HOSTILE, Workspace, environment, parsed, rows

from governance.cli.output import print_table

HEAVY = "duckdb sqlalchemy sqlmodel celpy httpx textual apscheduler slack_sdk"


@pytest.mark.parametrize(
    ("arguments", "home"),
    [
        (("incidents", "list"), "nowhere"),
        (("why", "1"), "nowhere"),
        (("audit", "verify"), "nowhere"),
        (("audit", "tail"), "policies/org.yaml/home"),
    ],
)
def test_what_is_unavailable(arguments: tuple[str, ...], home: str, seen: Workspace) -> None:
    done = seen.ask(*arguments, GOV_HOME=home)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("gov: ")
    assert home in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_no_database(workspace: Workspace) -> None:
    workspace.database.write_bytes(b"no database at all, but long enough to be read as a header of one")
    for arguments in (("incidents", "list"), ("audit", "verify")):
        done = workspace.ask(*arguments)
        assert (done.returncode, done.stdout) == (4, "")
        assert "Traceback" not in done.stderr


def test_a_source_that_fails(workspace: Workspace) -> None:
    (workspace.directory / "data").rename(workspace.directory / "elsewhere")
    done = workspace.ask("eval", "loan-risk", "--at", "2026-01-05T18:00")
    assert (done.returncode, done.stderr) == (4, "")
    shown = {each[1]: each for each in rows(done.stdout.partition("\n\n")[2]) if len(each) > 1}
    assert shown["scores-low"][0] == "! error"
    assert "no directory" in shown["scores-low"][-1]
    assert shown["ownership/no-way-back"][0] == "✓ pass"


def test_another_directory(seen: Workspace, tmp_path: Path) -> None:
    done = Workspace(tmp_path).run("-C", str(seen.directory), "incidents", "list")
    assert (done.returncode, len(rows(done.stdout))) == (0, 2)
    done = Workspace(tmp_path).run("-C", "nowhere", "incidents", "list")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere" in done.stderr


SHOWING = [
    ("incidents", "list"),
    ("incidents", "show", "3"),
    ("why", "3"),
    ("audit", "tail"),
    ("eval", "loan-risk", "--at", "2026-01-05T20:00", "--all"),
]


@pytest.mark.parametrize("arguments", SHOWING, ids=" ".join)
def test_hostile_text_is_shown_and_harmless(arguments: tuple[str, ...], seen: Workspace) -> None:
    shown = seen.ask(*arguments).stdout
    assert "Version v2�[31m[red]�]0;owned� answers" in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)


@pytest.mark.parametrize("arguments", SHOWING[1:3], ids=" ".join)
def test_json_keeps_hostile_text_as_it_is(arguments: tuple[str, ...], seen: Workspace) -> None:
    printed = seen.ask(*arguments, "--format", "json").stdout
    assert "\x1b" not in printed
    assert parsed(printed)["title"] == f"Version {HOSTILE} answers"


def test_a_hostile_reason(workspace: Workspace) -> None:
    reason = "done\x1b[2J\nINC-9 resolved by ana [bold]"
    assert workspace.ask("incidents", "resolve", "3", "--because", reason, "--as", "bo").returncode == 0
    shown = workspace.ask("audit", "tail", "-n", "1").stdout
    assert "done�[2J INC-9 resolved by ana [bold]" in shown
    stored = parsed(workspace.ask("audit", "tail", "-n", "1", "--format", "json").stdout)[0]
    assert stored["body"]["because"] == reason


def test_a_hostile_name_is_refused_harmlessly(seen: Workspace) -> None:
    done = seen.ask("incidents", "ack", "2", "--as", "eve\x1b[2J")
    assert done.returncode == 3
    assert "'eve�[2J' may not acknowledge incidents" in done.stderr


def on_terminal(workspace: Workspace, *arguments: str, **settings: str) -> str:
    """Run a command on a terminal of its own and return what it wrote there."""
    ours, theirs = pty.openpty()
    env = environment({"TERM": "xterm-256color", "COLUMNS": "200", **settings})
    with subprocess.Popen(
        [*GOV, *arguments], cwd=workspace.directory, env=env, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        written = b""
        while block := _block(ours):
            written += block
        assert process.wait() == 0
    os.close(ours)
    return written.decode()


def _block(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says so at the end of a terminal
        return b""


@pytest.mark.parametrize("arguments", SHOWING[:4], ids=" ".join)
def test_a_terminal_of_80_columns_shows_whole_words(arguments: tuple[str, ...], seen: Workspace) -> None:
    shown = on_terminal(seen, *arguments, COLUMNS="80", NO_COLOR="1").replace("\r\n", "\n")
    assert max(map(len, shown.splitlines())) <= 80
    words = set(seen.ask(*arguments).stdout.split()) - {"─" * len(each) for each in shown.split()}
    assert {each for each in words if "─" not in each} <= {each.rstrip(";") for each in shown.split()}


def test_columns_that_do_not_fit_stand_below_with_their_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("COLUMNS", "80")
    rule = "retention-and-pii/personal-data-kept-too-long {feature=income}"
    rows_ = [("✓ pass", rule, "null_rate 0", "–", ""), ("✗ fail", "leans", "null_rate 0.3", "null_rate 0.1", "late")]
    print_table(("verdict", "rule", "candidate", "serving", "why"), rows_)
    assert capsys.readouterr().out.strip("\n").splitlines() == [
        " verdict  rule",
        "     candidate; serving; why",
        f" ✓ pass   {rule}",
        "     candidate null_rate 0",
        " ✗ fail   leans",
        "     candidate null_rate 0.3; serving null_rate 0.1; late",
    ]


COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


@pytest.mark.parametrize("arguments", [("incidents", "list"), ("--help",)], ids=" ".join)
def test_no_colour_where_none_is_wanted(arguments: tuple[str, ...], seen: Workspace) -> None:
    assert "\x1b" not in seen.run(*arguments).stdout
    assert not COLOUR.search(on_terminal(seen, *arguments, NO_COLOR="1"))


def test_help_names_every_command(seen: Workspace) -> None:
    done = seen.run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("demo", "check", "eval", "schema", "incidents", "why", "audit"):
        assert re.search(rf"\b{command}\b", done.stdout)


def test_the_command_line_loads_nothing_heavy() -> None:
    script = f"import sys, governance.cli.main; print([each for each in '{HEAVY}'.split() if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
