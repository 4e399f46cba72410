"""The commands as their users meet them in a real workspace: their words and exit codes.

Some run as real processes, the others within the test's own, which is cheaper and says the same.
"""

from __future__ import annotations

import json
import re
import sqlite3

import pytest
from transcripts.workspace import Workspace, parsed, rows

from governance.policies import KINDS

AGE = "last judged 2026-01-05 20:00Z: is gov serve running?\n"

# incidents


def test_open_incidents_newest_first(seen: Workspace) -> None:
    done = seen.run("incidents", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert [each[:4] for each in rows(done.stdout)] == [
        ["INC-3", "critical", "triggered", "loan-risk"],
        ["INC-2", "warning", "triggered", "loan-risk"],
    ]
    assert rows(done.stdout)[1][4:6] == ["The mean score of the last hour is 0.9", "2026-01-05 19:00Z"]


@pytest.mark.parametrize(
    ("status", "numbers"),
    [("open", [3, 2]), ("resolved", [1]), ("all", [3, 2, 1])],
)
def test_incidents_by_status(status: str, numbers: list[int], seen: Workspace) -> None:
    done = seen.ask("incidents", "list", "--status", status, "--format", "json")
    assert [each["id"] for each in parsed(done.stdout)] == numbers
    assert done.returncode == 0


def test_no_incidents(seen: Workspace) -> None:
    assert seen.ask("incidents", "list", "--status", "acknowledged").stdout == f"no acknowledged incidents\n{AGE}"
    assert seen.ask("incidents", "list", "--model", "another").stdout == f"no open incidents\n{AGE}"


def test_a_status_nobody_knows(seen: Workspace) -> None:
    done = seen.ask("incidents", "list", "--status", "opne")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no status 'opne'" in done.stderr


def test_one_incident(seen: Workspace) -> None:
    done = seen.ask("incidents", "show", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "INC-2  warning  triggered  loan-risk\n"
        "The mean score of the last hour is 0.9\n"
        "\n"
        "  opened     2026-01-05 19:00Z\n"
    )
    assert "\n  ▲ warning: The mean score of the last hour is 0.9\n" in done.stdout
    assert "    scores-high  fired 2026-01-05 19:00Z, still firing\n" in done.stdout
    assert "metrics.recent_score = 0.9, metrics.predictions = 60" in done.stdout


def test_a_resolved_incident_keeps_its_worst_moment_and_tells_what_ended_it(seen: Workspace) -> None:
    shown = seen.ask("incidents", "show", "1").stdout
    assert "  resolved   2026-01-05 18:00Z by " in shown
    assert "✓ warning: The mean score of the last hour is 0.05" in shown
    assert "ended 2026-01-05 18:00Z" in shown
    assert (
        "    when it fired or worsened: metrics.recent_score = 0.05\n    fired → resolved: recent_score is 0.2 now\n"
        in shown
    )
    assert "gov eval" not in shown
    assert "its values now: gov eval loan-risk\n" in seen.ask("incidents", "show", "2").stdout
    told = parsed(seen.ask("why", "1", "--format", "json").stdout)["notifications"]
    ends = {each["text"] for each in told if each["reason"] == "resolved"}
    assert ends == {"The mean score of the last hour is 0.05 – recent_score is 0.2 now"}


def test_one_incident_as_json(seen: Workspace) -> None:
    found = parsed(seen.ask("incidents", "show", "2", "--format", "json").stdout)
    assert (found["id"], found["model"], found["status"], found["severity"]) == (2, "loan-risk", "triggered", "warning")
    (finding,) = found["findings"]
    assert finding["rule"] == "scores-high"
    assert finding["values"] == {"metrics.recent_score": pytest.approx(0.9), "metrics.predictions": 60}


@pytest.mark.parametrize("command", [("incidents", "show"), ("incidents", "ack"), ("why",)])
def test_an_incident_nobody_knows(command: tuple[str, ...], seen: Workspace) -> None:
    done = seen.ask(*command, "99", GOV_ACTOR="ana")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "gov: no incident 99; the newest is 3\n"


@pytest.mark.parametrize("arguments", [("incidents", "show", "two"), ("incidnts",), ("why", "-x")])
def test_usage(arguments: tuple[str, ...], seen: Workspace) -> None:
    done = seen.ask(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage: gov" in done.stderr


def test_acknowledging(workspace: Workspace) -> None:
    done = workspace.run("incidents", "ack", "2", "--as", "ana")
    assert (done.returncode, done.stderr) == (0, "")
    found = re.fullmatch(r"INC-2 acknowledged by ana; sealed as entry (\d+) of the decision log\n", done.stdout)
    assert found is not None, done.stdout
    entry = parsed(workspace.ask("audit", "tail", "-n", "1", "--format", "json").stdout)[0]
    assert (entry["seq"], entry["kind"], entry["actor"]) == (int(found[1]), "incident.acknowledged", "ana")
    assert "  lead       ana\n" in workspace.ask("incidents", "show", "2").stdout


def test_who_comes_second_is_told_who_has_it(workspace: Workspace) -> None:
    workspace.ask("incidents", "ack", "2", "--as", "ana")
    before = workspace.ask("audit", "verify", "--format", "json").stdout
    done = workspace.ask("incidents", "ack", "2", "--as", "bo")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("gov: incident 2 was acknowledged by ana (")
    assert workspace.ask("audit", "verify", "--format", "json").stdout == before, "a refusal changes nothing"


def test_a_stranger_is_told_who_may(workspace: Workspace) -> None:
    for settings, arguments in (({}, ("--as", "eve")), ({"GOV_ACTOR": "eve"}, ())):
        done = workspace.ask("incidents", "ack", "2", *arguments, **settings)
        assert (done.returncode, done.stdout) == (3, "")
        needed = "org.yaml does not name them among its `people`"
        assert f"'eve' may not acknowledge incidents: {needed}; these people may: ana, bo" in done.stderr
        assert ("--as says who acts" in done.stderr) == ("--as" not in arguments)
    assert "triggered" in workspace.ask("incidents", "show", "2").stdout


def test_resolving(workspace: Workspace) -> None:
    done = workspace.ask("incidents", "resolve", "2", "--because", "the feed is back", "--as", "bo", "--format", "json")
    facts = {"incident": 2, "status": "resolved", "by": "bo", "entry": 0, "still_firing": 1, "under_way": []}
    assert parsed(done.stdout) | {"entry": 0} == facts
    assert re.search(r"  resolved   .* by bo\n", workspace.ask("incidents", "show", "2").stdout)
    assert "the feed is back" in workspace.ask("audit", "tail", "-n", "1").stdout
    again = workspace.ask("incidents", "ack", "2", "--as", "ana")
    assert again.returncode == 3
    assert "was resolved by bo" in again.stderr


def test_resolving_needs_a_reason(workspace: Workspace) -> None:
    done = workspace.ask("incidents", "resolve", "2", "--as", "bo")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--because" in done.stderr


def test_why(seen: Workspace) -> None:
    done = seen.ask("why", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("INC-2 loan-risk: The mean score of the last hour is 0.9\n")
    assert "that is how it began or worsened – its values now: gov eval loan-risk" in done.stdout
    told = {each[1]: each[2:6] for each in rows(done.stdout.partition("\n\n")[2])}
    assert told["terminal"] == ["first", "sent", "1", "printed"]
    assert told["hook"][:2] == ["first", "due"]
    assert told["hook"][3] == "the environment variable with the address is not set"
    found = parsed(seen.ask("why", "2", "--format", "json").stdout)
    assert {each["notifier"]: each["state"] for each in found["notifications"]} == {"terminal": "sent", "hook": "due"}


# eval and schema


def test_a_failing_rule_shows_the_part_that_fails(seen: Workspace) -> None:
    done = seen.ask("eval", "loan-risk", "--at", "2026-01-05T19:00")
    assert (done.returncode, done.stderr) == (1, "")
    head, _, rest = done.stdout.partition("\n\n")
    assert head == "loan-risk as of 2026-01-05 19:00Z"
    line = 1 + (seen.directory / "policies/loan-risk.yaml").read_text().splitlines().index("  - rule: scores-high")
    assert rest.startswith(
        "✗ warning: The mean score of the last hour is 0.9\n"
        f"    scores-high   (policies/loan-risk.yaml:{line}:11)\n"
        "    metrics.recent_score 0.9 > 0.5  ✓ true\n"
        "    metrics.predictions 60 >= 10  ✓ true\n"
        "    rests on data up to 2026-01-05 19:00Z: recent_score over 1h, predictions over 1h\n"
        "    → Compare the applicants with last week's.\n"
    )


def test_each_value_is_shown_with_its_window_or_its_unit(seen: Workspace) -> None:
    done = seen.ask("eval", "loan-risk", "--at", "2026-01-05T18:00")
    values = {each[1]: each[2] for each in rows(done.stdout.partition("\n\n")[2]) if len(each) > 2}
    assert values["scores-high"] == "recent_score 0.2 over 1h, predictions 60 over 1h"
    printed = seen.ask("eval", "loan-risk", "--at", "2026-01-05T18:00", "--format", "json").stdout
    inputs = {each["rule"]: each["inputs"] for each in parsed(printed)["rules"]}
    assert [each["window"] for each in inputs["scores-high"]] == ["1h", "1h"]


def test_eval_explains_what_passes_when_asked(workspace: Workspace) -> None:
    card = workspace.directory / "policies" / "loan-risk.yaml"
    more = """\
  - rule: alone
    when: metrics.predictions < 2 * 10 || [0.5, 0.9].exists(each, metrics.predictions < each)
"""
    card.write_text(card.read_text() + more)
    shown = workspace.ask("eval", "loan-risk", "--at", "2026-01-05T18:00", "--explain").stdout
    assert (
        "✓ pass: alone\n"
        "    metrics.predictions 60 < 2 * 10  ✗ false\n"
        "    [0.5, 0.9].exists(each, metrics.predictions < each)  ✗ false\n"
    ) in shown
    assert "pass: alone" not in workspace.ask("eval", "loan-risk", "--at", "2026-01-05T18:00").stdout


def test_what_a_card_lacks_and_an_age_are_shown_in_words(workspace: Workspace) -> None:
    card = workspace.directory / "policies" / "loan-risk.yaml"
    more = """\
  - rule: unowned
    when: "!has(card.owners.channel) && metrics.oldest_row > 60"
  - rule: kept
    when: metrics.oldest_row > 1e9
"""
    card.write_text(card.read_text() + more)
    shown = workspace.ask("eval", "loan-risk", "--at", "2026-01-05T18:00").stdout
    assert "    !has(card.owners.channel)  ✓ true\n" in shown
    values = {each[1]: each[2] for each in rows(shown.rpartition("\n\n")[2]) if len(each) > 2}
    assert values["kept"] == "oldest_row 18h"


@pytest.mark.parametrize(
    ("at", "failing"),
    [("2026-01-05T17:00", ["scores-low"]), ("2026-01-05T18:00Z", []), ("2026-01-05T20:00+01:00", ["scores-high"])],
)
def test_judging_as_of_a_time(at: str, failing: list[str], seen: Workspace) -> None:
    done = seen.ask("eval", "loan-risk", "--at", at, "--format", "json")
    rules = {each["rule"]: each["outcome"] for each in parsed(done.stdout)["rules"]}
    assert [rule for rule, outcome in rules.items() if outcome == "fail"] == failing
    assert rules["data-quality/nulls"] == "not applicable"
    assert done.returncode == (1 if failing else 0)


def test_judging_writes_nothing(workspace: Workspace) -> None:
    before = workspace.ask("audit", "verify", "--format", "json").stdout
    workspace.ask("eval", "loan-risk", "--at", "2026-01-05T19:00")
    assert workspace.ask("audit", "verify", "--format", "json").stdout == before
    elsewhere = workspace.ask("eval", "loan-risk", "--at", "2026-01-05T18:00", GOV_HOME="fresh")
    assert elsewhere.returncode == 0
    assert not (workspace.directory / "fresh").exists()


def test_a_model_nobody_knows(seen: Workspace) -> None:
    done = seen.ask("eval", "loan-rsk")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "gov: no card declares the model 'loan-rsk'; did you mean 'loan-risk'?\n"


def test_a_time_that_is_none(seen: Workspace) -> None:
    done = seen.ask("eval", "loan-risk", "--at", "yesterday")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'yesterday' is no time" in done.stderr


def test_judging_by_policies_with_mistakes(workspace: Workspace) -> None:
    card = workspace.directory / "policies" / "loan-risk.yaml"
    card.write_text(card.read_text().replace("metrics.recent_score > 0.5", "metrics.recent_scor > 0.5"))
    done = workspace.ask("eval", "loan-risk")
    assert (done.returncode, done.stdout) == (1, "")
    assert "error[unknown-metric]: no metric 'recent_scor'" in done.stderr
    assert "did you mean 'recent_score'?" in done.stderr


def test_people_can_act_in_spite_of_a_mistake_in_a_policy(workspace: Workspace) -> None:
    card = workspace.directory / "policies" / "loan-risk.yaml"
    card.write_text(card.read_text().replace("metrics.recent_score > 0.5", "metrics.recent_scor > 0.5"))
    done = workspace.ask("incidents", "ack", "2", "--as", "ana")
    assert done.returncode == 0
    assert "acknowledged by ana" in done.stdout
    assert "see gov check" in done.stderr


def test_schema(workspace: Workspace) -> None:
    card = parsed(workspace.ask("schema", "card").stdout)
    assert card["properties"]["kind"]["const"] == "card"
    assert {"kind", "model", "owners"} <= set(card["required"])
    assert set(parsed(workspace.ask("schema").stdout)) == set(KINDS)
    done = workspace.ask("schema", "--to", "schemas")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((workspace.directory / "schemas" / "card.json").read_text()) == card
    wrong = workspace.ask("schema", "crad")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean 'card'?" in wrong.stderr


# the decision log


def test_the_tail_of_the_log(seen: Workspace) -> None:
    entries = parsed(seen.ask("audit", "tail", "-n", "100", "--format", "json").stdout)
    assert [each["seq"] for each in entries] == list(range(len(entries)))
    newest = parsed(seen.ask("audit", "tail", "-n", "3", "--format", "json").stdout)
    assert newest == entries[-3:]
    opened = rows(seen.ask("audit", "tail", "--kind", "incident.opened").stdout)
    assert [each[1:4] for each in opened] == [
        [f"2026-01-05 {hour}:00Z", "incident.opened", "engine"] for hour in (17, 19, 20)
    ]
    assert parsed(seen.ask("audit", "tail", "--model", "another", "--format", "json").stdout) == []


def test_a_sound_log(seen: Workspace) -> None:
    done = seen.run("audit", "verify")
    found = re.fullmatch(r"the log is sound: (\d+) entries, root ([0-9a-f]{64})\n", done.stdout)
    assert found is not None, done.stdout
    assert (done.returncode, done.stderr) == (0, "")
    as_json = parsed(seen.ask("audit", "verify", "--format", "json").stdout)
    assert as_json == {"ok": True, "size": int(found[1]), "root": found[2], "findings": []}


def tamper(workspace: Workspace, statement: str) -> None:
    """Change the log as whoever holds the file can: the triggers are dropped first."""
    with sqlite3.connect(workspace.database) as connection:
        names = [name for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'")]
        assert names, "the log has no triggers to drop"
        for name in names:
            connection.execute(f'drop trigger "{name}"')
        assert connection.execute(statement).rowcount > 0
    connection.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "update log_entries set content = cast(replace(content, 'engine', 'nobody') as blob) where seq = 6",
            "✗ entry 6: its content does not match its hash",
        ),
        ("delete from log_entries where seq = 4", "✗ entry 4 is missing"),
        (
            "delete from log_entries where seq >= (select max(seq) from log_entries) - 1",
            r"✗ the log ends at \d+ but a published head names \d+ entries",
        ),
    ],
    ids=["an edited row", "a deleted row", "a cut tail"],
)
def test_tampering_is_found(statement: str, said: str, workspace: Workspace) -> None:
    tamper(workspace, statement)
    done = workspace.ask("audit", "verify")
    assert done.returncode == 1
    assert any(re.fullmatch(said, line) for line in done.stdout.splitlines()), done.stdout
    assert done.stdout.splitlines()[-1].startswith("THE LOG WAS TAMPERED WITH: ")
    as_json = workspace.ask("audit", "verify", "--format", "json")
    assert (as_json.returncode, parsed(as_json.stdout)["ok"]) == (1, False)
    assert parsed(as_json.stdout)["findings"] == [line[2:] for line in done.stdout.splitlines() if line[:2] == "✗ "]
