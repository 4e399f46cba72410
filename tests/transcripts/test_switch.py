"""Kill switches on the command line."""

from __future__ import annotations

import json

import pytest
from transcripts.workspace import Workspace, parsed, rows

PULL = ("switch", "pull", "loan-risk")
BECAUSE = ("--because", "wrong since noon", "--as", "ana")
RESTORE = ("switch", "restore", "loan-risk", "--because", "mended", "--confirm", "loan-risk")


@pytest.fixture
def pulled(workspace: Workspace) -> Workspace:
    """A workspace whose model is throttled for requests from the web."""
    done = workspace.ask(*PULL, "throttle", "--share", "25%", "--label", "channel=web", "--expires", "2h", *BECAUSE)
    assert done.returncode == 0, done.stderr
    return workspace


def test_a_pull_says_what_it_did(workspace: Workspace) -> None:
    done = workspace.ask(*PULL, "fallback", "--version", "v2", "--incident", "INC-2", *BECAUSE)
    first, second = done.stdout.splitlines()
    assert first.startswith("loan-risk (version v2): the fallback answers (seq 1); sealed as entry ")
    assert second == "you may, because org.yaml gives no roles, so that everybody in `people` may"
    entry = parsed(workspace.ask("audit", "tail", "--kind", "switch", "--format", "json").stdout)[-1]
    assert entry["subject"] == {"model": "loan-risk", "scope": "version v2", "incident": "2"}


def test_the_list_shows_what_is_not_live(pulled: Workspace) -> None:
    (row,) = rows(pulled.ask("switch", "list").stdout)
    assert row[:5] == ["loan-risk", "channel=web", "throttle 25 %", row[3], "ana"]
    assert row[-2:] == ["1", "wrong since noon"]
    (switch,) = parsed(pulled.ask("switch", "list", "--format", "json").stdout)["switches"]
    assert (switch["mode"], switch["settings"][0]["share"]) == ("throttle", 0.25)


def test_everything_is_live_at_first(seen: Workspace) -> None:
    assert seen.ask("switch", "list").stdout == "every model is live\n"
    assert seen.ask("switch", "get", "loan-risk", "--exit-code").stdout == "loan-risk is live (seq 0)\n"
    done = seen.ask("switch", "get", "lona-risk", "--exit-code")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no card declares the model 'lona-risk'; did you mean 'loan-risk'?" in done.stderr


def codes(workspace: Workspace, *arguments: str) -> int:
    return workspace.ask("switch", "get", "loan-risk", "--exit-code", *arguments).returncode


def test_a_batch_job_learns_who_answers_from_the_exit_code(pulled: Workspace) -> None:
    assert codes(pulled, "--label", "channel=shop") == 0
    assert codes(pulled) == 10, "without a key a throttle may mean the fallback"
    by_key = [codes(pulled, "--key", f"k{number}") for number in range(12)]
    assert set(by_key) == {0, 10}
    for mode, code in (("shadow", 11), ("fallback", 10), ("stopped", 12)):
        assert pulled.ask(*PULL, mode, "--version", "v2", "--confirm", "loan-risk", *BECAUSE).returncode == 0
        assert codes(pulled, "--version", "v2", "--label", "channel=shop") == code
    assert codes(pulled, "--version", "v1", "--label", "channel=shop") == 0
    assert pulled.run("switch", "get", "loan-risk").returncode == 0
    shown = pulled.ask("switch", "get", "loan-risk", "--version", "v2").stdout
    assert "this request: nothing answers" in shown
    assert "give it back: gov switch restore loan-risk --seq 4" in shown


def test_a_restore_gives_back_one_scope(pulled: Workspace) -> None:
    pulled.ask(*PULL, "shadow", *BECAUSE)
    done = pulled.ask(*RESTORE, "--seq", "2", "--as", "bo")
    assert done.stdout.startswith("loan-risk is given back (seq 3); sealed as entry ")
    assert "still set: channel=web: the fallback answers 25 % of the requests" in done.stdout
    done = pulled.ask(*RESTORE, "--label", "channel=web", "--seq", "1", "--as", "bo")
    assert (done.returncode, done.stdout) == (3, "")
    assert "you saw seq 1, it is 3" in done.stderr
    assert pulled.ask(*RESTORE, "--label", "channel=web", "--as", "bo").returncode == 0
    assert pulled.ask("switch", "list").stdout == "every model is live\n"


def test_mistakes_say_what_to_write(seen: Workspace) -> None:
    for arguments, said in (
        ((*PULL, "off", *BECAUSE), "no mode 'off'; known: throttle, shadow, fallback, stopped"),
        ((*PULL, "throttle", "--share", "much", *BECAUSE), "'much' is no share; write 25% or 0.25"),
        ((*PULL, "shadow", "--label", "web", *BECAUSE), "a label is NAME=VALUE"),
        ((*PULL, "shadow", "--expires", "soon", *BECAUSE), "soon"),
        ((*PULL, "shadow", "--offline", "--expires", "2h", *BECAUSE), "an offline pull has neither"),
    ):
        done = seen.ask(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), done
        assert said in " ".join(done.stderr.replace("│", " ").split())
    for arguments, said in (
        ((*PULL, "stopped", *BECAUSE), "stopping loan-risk must be confirmed with the model's name"),
        ((*PULL, "stopped", "--because", "x", "--as", "eve"), "'eve' may not pull kill switches"),
        (("switch", "break-glass", "loan-risk", "--because", "x", "--as", "ana"), "type loan-risk"),
    ):
        done = seen.ask(*arguments)
        assert (done.returncode, done.stdout) == (3, ""), done
        assert said in done.stderr


def test_tier_1_takes_two_and_the_glass_can_be_broken(workspace: Workspace) -> None:
    card = workspace.directory / "policies" / "loan-risk.yaml"
    card.write_text(card.read_text(encoding="utf-8") + "\ntier: 1\n", encoding="utf-8")
    workspace.ask(*PULL, "shadow", *BECAUSE)
    done = workspace.ask(*RESTORE, "--as", "ana")
    assert "APR-1: loan-risk is tier 1, so a second person gives it back with you; it is not live yet" in done.stdout
    assert "gov switch approve APR-1 --as bo" in done.stdout
    assert "APR-1 waits for a second person" in workspace.ask("switch", "list").stdout
    done = workspace.ask("switch", "approve", "APR-1", "--as", "ana")
    assert (done.returncode, done.stdout) == (3, "")
    assert "ana asked for this restore; a second person must approve it: bo" in done.stderr
    done = workspace.ask("switch", "refuse", "APR-1", "--because", "not yet", "--as", "bo", "--format", "json")
    assert parsed(done.stdout)["state"] == "refused"
    workspace.ask(*RESTORE, "--as", "ana")
    assert "is given back (seq 2)" in workspace.ask("switch", "approve", "APR-2", "--as", "bo").stdout
    workspace.ask(*PULL, "shadow", *BECAUSE)
    glass = ("switch", "break-glass", "loan-risk", "--because", "sales day", "--confirm", "loan-risk", "--as", "ana")
    assert "is given back (seq 4)" in workspace.ask(*glass).stdout
    log = parsed(workspace.ask("audit", "tail", "--kind", "switch", "--lines", "50", "--format", "json").stdout)
    said = {(each["kind"].removeprefix("switch."), each["body"].get("channel")) for each in log}
    acts = ("pulled", "restore_requested", "refused", "approved", "restored", "glass_broken")
    assert said == {(act, "cli") for act in acts}
    listed = workspace.ask("incidents", "list").stdout
    assert "ana broke the glass and restored loan-risk (model) alone: sales day" in listed
    assert workspace.ask("audit", "verify").returncode == 0


def test_an_offline_pull_needs_no_database_and_no_policies(workspace: Workspace) -> None:
    workspace.database.unlink()
    (workspace.directory / "policies" / "org.yaml").write_text("kind: [", encoding="utf-8")
    arguments = (*PULL, "stopped", "--offline", "--confirm", "loan-risk", *BECAUSE)
    done = workspace.run(*arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert "GOV_OVERRIDE_KEY is not set" in done.stderr
    done = workspace.run(*arguments, GOV_OVERRIDE_KEY="k" * 40)
    assert done.returncode == 0, done.stderr
    assert "is written and signed: clients that read this folder obey it now" in done.stdout
    (path,) = (workspace.directory / ".gov" / "overrides").glob("*.json")
    assert json.loads(path.read_bytes())["mode"] == "stopped"
