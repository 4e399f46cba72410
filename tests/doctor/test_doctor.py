"""`gov doctor`: an installation that works, and what it says of one that does not, part by part."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from transcripts.workspace import Workspace

from governance.bootstrap import engine
from governance.core.effect import Effect, Message
from governance.doctor.examination import CHECKS, examine
from governance.doctor.finding import Finding
from governance.engine import pushing, tokens
from governance.engine.adoption import adopt
from governance.engine.cycle import run_cycle
from governance.policies import policies
from governance.settings import Settings
from governance.store import effects, progress
from governance.store.pushed import PushedSample

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECRET = "hunter2-and-more"  # noqa: S105 (that it is never shown is the test)
ORG = """\
kind: org
people: {ana: {email: ana@example.com}, bo: {slack: U1}}
roles: [{role: admin, who: [ana]}]
sources: {pushed: {kind: push}}
notifiers:
  hook: {kind: webhook, address: "http://127.0.0.1:%d/in"}
  mail: {kind: email, host: 127.0.0.1, port: %d, security: none, sender: gov@example.com}
alive: {address: "http://127.0.0.1:%d/ping"}
canary: {notifiers: [hook]}
escalations:
  page: {levels: [{to: [{schedule: primary}, {notifier: hook}]}], fallback: [{person: ana}]}
schedules:
  primary: {zone: Europe/Berlin, layers: [{people: [ana, bo], from: 2026-01-05}]}
"""
CARD = """\
kind: card
model: loans
owners: {team: t, accountable: ana}
metrics: {errors: {source: pushed, query: error_rate, every: 1m, stale_after: 1h}}
rules: [{rule: errors-high, when: metrics.errors > 0.5}]
"""


def org(port: int) -> str:
    """Return the organisation, all of whose addresses are on a port of this machine."""
    return ORG % (port, port, port)


@dataclass(frozen=True)
class Place:
    """An installation that worked when its engine last looked, at AT."""

    directory: Path

    @property
    def settings(self) -> Settings:
        return Settings(home=self.directory / ".gov", policies=self.directory / "policies")

    @property
    def org(self) -> Path:
        return self.directory / "policies" / "org.yaml"

    def found(self, *checks: str, at: datetime = AT + timedelta(seconds=30)) -> list[Finding]:
        return examine(self.settings, at, self.directory, checks)

    def wrong(self, *checks: str, at: datetime = AT + timedelta(seconds=30)) -> list[str]:
        return [f"{each.name}: {each.seen}" for each in self.found(*checks, at=at) if each.ok is False]

    def write(self, old: str, new: str) -> None:
        text = self.org.read_text()
        assert old in text
        self.org.write_text(text.replace(old, new))

    def sql(self, *statements: str) -> None:
        with sqlite3.connect(self.settings.database_file) as connection:
            for each in statements:
                connection.execute(each)
        connection.close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A port on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, port: int) -> Path:
    directory = tmp_path_factory.mktemp("doctor") / "made"
    (directory / "policies").mkdir(parents=True)
    (directory / "policies" / "org.yaml").write_text(org(port))
    (directory / "policies" / "loans.yaml").write_text(CARD)
    built = engine(Place(directory).settings, base=directory)
    adopt(built, AT)
    pushing.push(built, "pushed", [PushedSample("loans", "error_rate", AT, 0.1)], key="k", actor="ana", at=AT)
    run_cycle(built, AT)
    with built.database.transaction() as connection:
        progress.set_last(connection, progress.PINGED, AT)
        progress.set_last(connection, progress.CANARY, AT)
        effects.save(connection, [replace(each, state="sent", next_at=None) for each in effects.pending(connection)])
    built.database.close()
    return directory


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect directly, whatever the machine of the tests goes through."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Place:
    return Place(Path(shutil.copytree(made, tmp_path / "place")))


def test_an_installation_that_works(place: Place) -> None:
    found = place.found()
    assert {each.check for each in found} == set(CHECKS)
    assert [each for each in found if not each.ok] == []
    seen = {(each.check, each.name): each.seen for each in found}
    assert seen["sources", "pushed"] == "answers `error_rate` with 1 values as of 2026-01-31 12:00Z"
    assert seen["database", "durability"].startswith("journal wal, synchronous full")
    assert seen["oncall", "primary"] == "somebody at every instant of 14 days: 2 people"
    assert "is reached; nothing was sent" in seen["notifiers", "hook"]


def test_nothing_is_left_behind(place: Place) -> None:
    before = {path: path.read_bytes() for path in sorted(place.directory.rglob("*")) if path.is_file()}
    place.found()
    after = {path: path.read_bytes() for path in sorted(place.directory.rglob("*")) if path.is_file()}
    gone = {"-wal", "-shm"}  # SQLite's own, which come and go with whoever reads
    kept = [{path: text for path, text in files.items() if path.name[-4:] not in gone} for files in (before, after)]
    assert kept[0] == kept[1]


def test_a_place_where_nothing_is(tmp_path: Path) -> None:
    done = Workspace(tmp_path).ask("doctor")
    assert done.returncode == 1
    assert "✗ policies: problems – 1 in policies, the first: policies:1:1: error[missing-file]" in done.stdout
    assert "? database: file – none at .gov/governance.db – gov serve makes it" in done.stdout
    assert "? escalations – not known, as org.yaml does not load – mend the policies first: gov check" in done.stdout
    assert not (tmp_path / ".gov").exists()


def test_json_for_machines_and_one_check_alone(place: Place) -> None:
    done = Workspace(place.directory).ask("doctor", "oncall", "--format", "json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["ok"]) == (0, True)
    assert [each["name"] for each in found["findings"]] == ["primary"]
    refused = Workspace(place.directory).ask("doctor", "sorces")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no check 'sorces'; did you mean 'sources'?" in refused.stderr


def test_an_engine_that_no_longer_judges(place: Place) -> None:
    assert place.wrong("engine", at=AT + timedelta(minutes=4)) == [
        "cycle: the last complete one is of 2026-01-31 12:00:00Z; one is due every 1m"
    ]


def test_a_log_that_was_changed_and_its_guards_that_were_dropped(place: Place) -> None:
    place.sql("DROP TRIGGER log_entries_no_update")
    assert place.wrong("database", "log") == ["append-only: missing or altered: log_entries_no_update"]
    place.sql("UPDATE log_entries SET content = replace(content, 'loans', 'other') WHERE seq = 0")
    assert place.wrong("log") == ["sound: entry 0: its content does not match its hash"]


def test_heads_that_are_gone_and_a_database_that_is(place: Place) -> None:
    heads = place.settings.database_file.with_name("governance.db.heads")
    shutil.move(heads, place.directory / "away")
    assert [each.split(": ")[0] for each in place.wrong("heads")] == ["published"]
    shutil.move(place.directory / "away", heads)
    place.settings.database_file.unlink()
    assert "is gone, but" in place.wrong("database")[0]


def test_a_database_of_a_newer_program_and_one_that_is_none(place: Place) -> None:
    place.sql("UPDATE schema_version SET version = 99")
    assert "has layout 99, written by a newer version" in place.wrong("database")[0]
    place.settings.database_file.write_bytes(b"not a database, but long enough for a header" * 40)
    assert "is no SQLite database" in place.wrong("database")[0]


def test_another_clock(place: Place) -> None:
    assert place.wrong("clock", at=AT - timedelta(hours=1)) == ["recorded: something was recorded 1 h in the future"]


def test_a_source_that_does_not_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS", f"http://ana:{SECRET}@127.0.0.1:1/")
    place.write("pushed: {kind: push}", "pushed: {kind: prometheus, address_env: METRICS, token_env: TOKEN}")
    assert place.wrong("sources") == ["pushed: TOKEN is not set here"]
    monkeypatch.setenv("TOKEN", SECRET)
    found = place.found("sources")
    assert [each.ok for each in found] == [False]
    assert SECRET not in repr(found)


def test_what_a_secret_says_is_never_shown(place: Place, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", f"http://{SECRET}.invalid/in")
    place.org.write_text(org(port).replace(f'address: "http://127.0.0.1:{port}/in"', "address_env: HOOK"))
    found = place.found("notifiers")
    assert [each.ok for each in found] == [False, True]
    assert "its host is not reached" in found[0].seen
    assert SECRET not in repr(found)


def test_a_notifier_that_nobody_answers_at(place: Place, port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    place.org.write_text(org(port).replace(f"{port}/in", f"{free}/in"))
    assert place.wrong("notifiers") == [f"hook: webhook: 127.0.0.1:{free} is not reached: Connection refused"]


def test_nobody_on_call_in_the_next_days(place: Place) -> None:
    place.write("from: 2026-01-05}", "from: 2026-01-05, days: [mon, tue, wed, thu, fri]}")
    assert place.wrong("oncall") == [
        "primary: nobody for 4 d of 14 days in 3 holes, the first Sat 01-31 13:00 – Mon 02-02 00:00 CET"
    ]


def test_a_switch_that_hears_nothing_and_a_canary_that_is_late(place: Place) -> None:
    assert place.wrong("alive", at=AT + timedelta(days=1)) == [
        "dead-man's-switch: it took the last ping at 2026-01-31 12:00:00Z",
        "canary: due since 2026-02-01 00:00Z, it went the whole way last at 2026-01-31 12:00Z",
    ]


def test_people_whom_no_page_reaches(place: Place) -> None:
    place.write("bo: {slack: U1}", "bo: {}")
    assert place.wrong("escalations") == ["page: bo: neither email nor slack"]
    place.write("kind: email", "to: [ops@example.com], kind: email")
    assert place.wrong("escalations") == [
        "page: it names people, but no notifier reaches people (email without `to`, slack)"
    ]
    place.write(", fallback: [{person: ana}]", "")
    place.write("to: [ops@example.com], ", "")
    place.write("bo: {}", "bo: {slack: U1}")
    assert [each.do for each in place.found("escalations") if each.ok is None] == ["add `fallback`, such as a team"]


def test_a_token_that_ends_soon(place: Place) -> None:
    built = engine(place.settings, base=place.directory)
    made, secret = tokens.create(built, "ana", actor="ana", expires=timedelta(days=3), at=AT)
    built.database.close()
    (found,) = place.found("tokens")
    assert (found.ok, found.seen) == (None, f"{made.id} of ana ends 2026-02-03 12:00Z")
    assert secret not in repr(found)


def test_notifications_that_were_given_up_or_wait(place: Place) -> None:
    message = Message(7, "loans", "critical", "triggered", "Errors", "first", (), (), AT)
    given_up = Effect("7-1-hook", 7, 1, "hook", message, state="failed", attempts=350, receipt="HTTP 410")
    waits = replace(given_up, key="8-1-hook", incident=8, state="due", next_at=AT, receipt="HTTP 503")
    built = engine(place.settings, base=place.directory)
    with built.database.transaction() as connection:
        effects.add(connection, [given_up, waits])
    built.database.close()
    assert place.wrong("deliveries", at=AT + timedelta(minutes=6)) == [
        "given up: 1, the newest to hook about INC-7: HTTP 410",
        "waiting: 1 for hook since 2026-01-31 12:00Z (INC-8): HTTP 503",
    ]


def test_policies_that_do_not_load_and_others_than_rule(place: Place) -> None:
    place.write("bo: {slack: U1}}", "bo: {slack: U1}, cy: {}}")
    (version,) = [each for each in place.found("policies") if each.name == "version"]
    assert (version.ok, version.do) == (None, "gov plan says what differs")
    place.write("roles:", "rolls:")
    assert any("unknown-field" in each for each in place.wrong("policies"))
    assert policies([place.settings.policies]).problems


def test_systems_to_act_on_are_reached_and_their_credentials_are_named(
    place: Place, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [each.seen for each in place.found("acts")] == ["none is named, so that runbooks act on the engine itself"]
    registry = f"registry: {{kind: mlflow, address: 'http://127.0.0.1:{port}', token_env: REGISTRY_TOKEN}}"
    jobs = "jobs: {kind: http, hosts: [jobs.example.org], headers_env: {X-Key: JOBS_KEY}}"
    place.write("kind: org\n", f"kind: org\nacts:\n  {registry}\n  {jobs}\n")
    assert place.wrong("acts") == ["registry: REGISTRY_TOKEN is not set here", "jobs: JOBS_KEY is not set here"]
    monkeypatch.setenv("REGISTRY_TOKEN", SECRET)
    monkeypatch.setenv("JOBS_KEY", SECRET)
    seen = [each.seen for each in place.found("acts")]
    assert seen == [f"mlflow: 127.0.0.1:{port} is reached; nothing was sent", "http: its settings are complete"]
    place.write("kind: mlflow", "kind: mlfow")
    assert place.wrong("acts") == ["registry: no kind 'mlfow'"]
