"""`gov record` as its users meet it: what was done becomes evidence, with an entry that proves it."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from transcripts.workspace import DAY, Workspace, parsed, rows

from governance.bootstrap import engine
from governance.engine.cycle import run_cycle
from governance.engine.evidence import record
from governance.settings import Settings
from governance.store import alerts, evidence
from governance.store.database import Database

OWED = "review: [{by: lending, every: 180d}, {by: risk, every: 180d, regime: eu-ai-act}]\nretraining: {every: 30d}\n"


@pytest.fixture
def owing(workspace: Workspace) -> Workspace:
    """A workspace whose model owes reviews and trainings; carl is risk, ana and bo are lending."""
    policies = workspace.directory / "policies"
    card, org = policies / "loan-risk.yaml", policies / "org.yaml"
    card.write_text(card.read_text() + OWED)
    text = org.read_text().replace("people:\n", "people:\n  carl: {}\n")
    org.write_text(text.replace("teams:\n", "teams:\n  risk: {members: [carl]}\n"))
    return workspace


def outcomes(workspace: Workspace) -> dict[str, str]:
    """Return how each rule is judged now."""
    rules = parsed(workspace.ask("eval", "loan-risk", "--format", "json").stdout)["rules"]
    return {each["rule"]: each["outcome"] for each in rules}


def test_a_training_is_recorded_sealed_and_judged(owing: Workspace) -> None:
    assert outcomes(owing)["retraining/never-recorded"] == "fail"
    done = owing.ask("record", "trained", "loan-risk", "--version", "v3", "--at", "2026-01-02", "--as", "ana")
    said = r"loan-risk trained 2026-01-02 00:00Z, recorded by ana; sealed as entry (\d+) of the decision log\n"
    found = re.fullmatch(said, done.stdout)
    assert (done.returncode, done.stderr, bool(found)) == (0, "", True), done.stdout
    assert found is not None
    entry = parsed(owing.ask("audit", "tail", "-n", "1", "--format", "json").stdout)[0]
    assert (entry["seq"], entry["kind"], entry["actor"]) == (int(found[1]), "evidence.trained", "ana")
    assert (entry["subject"], entry["body"]["version"]) == ({"model": "loan-risk"}, "v3")
    assert entry["body"]["done_at"].startswith("2026-01-02T00:00:00")
    judged = outcomes(owing)
    assert (judged["retraining/never-recorded"], judged["retraining/overdue"]) == ("pass", "fail")
    assert owing.ask("record", "trained", "loan-risk", "--as", "ana").returncode == 0
    assert outcomes(owing)["retraining/overdue"] == "pass"


def test_what_was_recorded_is_listed_newest_first(owing: Workspace) -> None:
    assert owing.ask("record", "list", "loan-risk").stdout.startswith("nothing was recorded of loan-risk")
    owing.ask("record", "approved", "loan-risk", "--at", "2026-01-02", "--as", "ana", "--note", "by the board")
    owing.ask("record", "drilled", "loan-risk", "--as", "bo")
    done = owing.ask("record", "list", "loan-risk")
    assert [each[0] for each in rows(done.stdout)] == ["drilled", "approved"]
    assert rows(done.stdout)[1][1] == "2026-01-02 00:00Z"
    assert "by the board" in done.stdout
    found = parsed(owing.ask("record", "list", "loan-risk", "--format", "json").stdout)
    entries = parsed(owing.ask("audit", "tail", "--kind", "evidence", "--format", "json").stdout)
    assert [each["entry"] for each in found] == [each["seq"] for each in reversed(entries)]
    assert {each["body"]["channel"] for each in entries} == {"cli"}


def test_a_team_says_itself_that_it_reviewed(owing: Workspace) -> None:
    command = ("record", "reviewed", "loan-risk", "--by", "risk", "--regime", "eu-ai-act")
    done = owing.ask(*command, "--as", "ana")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "gov: 'ana' is not in risk; these people may record its review: carl (choose with --as)\n"
    assert owing.ask("record", "list", "loan-risk").stdout.startswith("nothing was recorded")
    done = owing.ask(*command, "--as", "carl")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("loan-risk reviewed by risk ")
    assert "reviewed by risk for eu-ai-act" in owing.ask("record", "list", "loan-risk").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("trained", "loan-rsk"), 2, "no card declares the model 'loan-rsk'; did you mean 'loan-risk'?"),
        (("list", "loan-rsk"), 2, "no card declares the model 'loan-rsk'; did you mean 'loan-risk'?"),
        (("trained", "loan-risk", "--at", "2999-01-01"), 3, "2999-01-01 00:00 UTC lies in the future"),
        (("trained", "loan-risk", "--at", "soon"), 2, "'soon' is no time"),
        (("reviewed", "loan-risk", "--by", "riks"), 2, "no team 'riks'; did you mean 'risk'?"),
        (("reviewed", "loan-risk"), 2, "--by"),
    ],
)
def test_what_cannot_be_recorded(arguments: tuple[str, ...], code: int, said: str, owing: Workspace) -> None:
    done = owing.ask("record", *arguments, GOV_ACTOR="carl")
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert parsed(owing.ask("audit", "tail", "--kind", "evidence", "--format", "json").stdout) == []


def test_a_review_that_would_prove_nothing_is_refused(owing: Workspace) -> None:
    done = owing.ask("record", "reviewed", "loan-risk", "--by", "risk", "--as", "carl")
    assert (done.returncode, done.stdout) == (2, "")
    assert "owes no review by risk without a regime; it owes: one for eu-ai-act" in done.stderr


def test_a_stranger_may_record_nothing(owing: Workspace) -> None:
    done = owing.ask("record", "drilled", "loan-risk", "--as", "eve")
    assert (done.returncode, done.stdout) == (3, "")
    assert "'eve' may not record evidence" in done.stderr


def test_the_log_stays_sound_and_a_record_cannot_be_changed(owing: Workspace) -> None:
    for _ in range(2):
        assert owing.ask("record", "drilled", "loan-risk", "--as", "bo").returncode == 0
    assert owing.ask("audit", "verify").returncode == 0
    with sqlite3.connect(owing.database) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("update evidence set at = '2030-01-01T00:00:00.000000Z'")
    connection.close()


def test_a_mistake_is_set_right_by_recording_again_and_the_past_stays_as_it_was_known(owing: Workspace) -> None:
    before = datetime.now(UTC)
    owing.ask("record", "trained", "loan-risk", "--at", "2026-03-01", "--as", "ana")
    owing.ask("record", "trained", "loan-risk", "--at", "2026-02-01", "--as", "ana")
    database = Database(f"sqlite:///{owing.database}", read_only=True)
    with database.read() as connection:
        assert evidence.latest(connection)["loan-risk"].trained == datetime(2026, 2, 1, tzinfo=UTC)
        assert evidence.latest(connection, known_by=before) == {}
    database.close()


def test_the_alert_that_asked_for_a_training_ends_with_it(owing: Workspace) -> None:
    built = engine(Settings(home=owing.directory / ".gov", policies=owing.directory / "policies"), base=owing.directory)

    def firing(at: datetime) -> set[str]:
        run_cycle(built, at)
        with built.database.read() as connection:
            return {key.rule for key, alert in alerts.active(connection).items() if alert.state == "firing"}

    missing, late = "retraining/never-recorded", "retraining/overdue"
    assert {missing, late} & firing(DAY + timedelta(hours=21)) == {missing}
    now, trained = DAY + timedelta(hours=21, minutes=5), DAY - timedelta(days=29)
    record(built, "loan-risk", "trained", actor="ana", now=now, at=trained)
    assert {missing, late} & firing(DAY + timedelta(hours=22)) == set()
    assert {missing, late} & firing(DAY + timedelta(days=1, hours=1)) == {late}
    built.database.close()
