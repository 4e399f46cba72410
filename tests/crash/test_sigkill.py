"""Killed at any instant, the engine ends where it would have ended undisturbed, and its log says the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crash.receiver import Heard, listening
from crash.scene import BEATS, EDITED, EVERY, START, prepare, settings
from crash.worker import SHARES
from transcripts.workspace import Workspace

from governance.core.alert import Alert
from governance.core.effect import Effect
from governance.core.incident import Incident
from governance.store import alerts, decision_log, effects, incidents
from governance.store.database import Database

TESTS = Path(__file__).parent.parent
EXIT_UNAVAILABLE = 4
SOAK = int(os.environ.get("SOAK", "0"))
"""How many kills at random instants; 0 for the few of every day."""
LIVES = 10
"""Kills at random instants in one scene."""


@dataclass(frozen=True)
class Ending:
    """What is left when the scene is over."""

    alerts: list[Alert]
    incidents: list[Incident]
    effects: list[Effect]
    entries: list[bytes]
    kept: dict[str, list[Any]]
    heard: list[Heard]


_KEPT = {
    "samples": """
        select key, labels, time, value, count, reason, detail from sample join sample_series on series = id
        order by key, labels, time
    """,
    "series": "select key, labels from sample_series order by key, labels",
    "spans": "select key, since, until from sample_span order by key",
    "instances": "select model, rule, labels, missing_since from instance order by model, rule, labels",
    "pushed": "select * from pushed_sample order by time, received_at",
    "progress": "select name, at from progress order by name",
    "evidence": "select * from evidence order by id",
    "waivers": "select * from waiver order by id",
}
"""What else the database holds; the numbers of series are given anew after a crash."""


def _environment(folder: Path) -> dict[str, str]:
    hidden = ("GOV_", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
    shown = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    paths = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH", "")]))
    found = settings(folder)
    return {**shown, "PYTHONPATH": paths, "GOV_HOME": str(found.home), "GOV_POLICIES": str(found.policies)}


def _gov(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, which is not the one that is killed."""
    found = settings(folder)
    return Workspace(folder).ask(*arguments, GOV_HOME=str(found.home), GOV_POLICIES=str(found.policies))


def _worker(folder: Path, address: str, kills: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "crash.worker", str(folder), address, kills]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=_environment(folder), stdout=pipe, stderr=pipe, text=True)


def _ending(folder: Path, heard: list[Heard]) -> Ending:
    database = Database(settings(folder).database, read_only=True)
    checked = decision_log.verify(database)
    assert checked.ok, checked.findings
    assert decision_log.oldest_unsealed(database) is None
    with database.read() as connection:
        firing = sorted(alerts.active(connection).values(), key=lambda each: repr(each.key))
        found = incidents.listed(connection)
        told = [effect for each in found for effect in effects.of_incident(connection, each.id)]
        kept = {name: [tuple(row) for row in connection.exec_driver_sql(question)] for name, question in _KEPT.items()}
    entries = [each.content for each in decision_log.tail(database, 10_000)]
    database.close()
    return Ending(firing, found, told, entries, kept, heard)


def _played(folder: Path, kills: str) -> tuple[Ending, int]:
    """Play the scene to its end and return what is left, and how often its process was killed."""
    prepare(folder)
    with listening(settings(folder).database_file) as receiver, _worker(folder, receiver.address, kills) as worker:
        out, err = worker.communicate(timeout=900)
    assert worker.returncode == 0, err
    return _ending(folder, receiver.heard), int(out)


def _expect_same(ending: Ending, undisturbed: Ending) -> None:
    assert ending.entries == undisturbed.entries  # first, as it says most: which decision differs
    assert ending.incidents == undisturbed.incidents
    assert ending.effects == undisturbed.effects
    assert ending.alerts == undisturbed.alerts
    assert ending.kept == undisturbed.kept
    _expect_told(ending)


def _expect_told(ending: Ending) -> None:
    """Expect every message at least once, with one body, in order, and none that was not committed before."""
    assert all(each.committed for each in ending.heard)
    bodies: dict[str, set[bytes]] = {}
    for each in ending.heard:
        bodies.setdefault(each.key, set()).add(each.body)
    assert [key for key, said in bodies.items() if len(said) > 1] == []
    accepted = list(dict.fromkeys(each.key for each in ending.heard if each.answer == 200))
    assert sorted(accepted) == sorted(each.key for each in ending.effects if each.state == "sent")
    for number in {each.incident for each in ending.effects}:
        versions = [int(key.split("-")[1]) for key in accepted if key.startswith(f"{number}-")]
        assert versions == sorted(versions), f"INC-{number} was told out of order"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ending:
    """What the scene leaves when nobody kills anything."""
    ending, killed = _played(tmp_path_factory.mktemp("undisturbed"), "never")
    assert killed == 0
    return ending


def test_the_scene_has_something_of_everything(undisturbed: Ending) -> None:
    kinds = {json.loads(each)["kind"] for each in undisturbed.entries}
    alert = {f"alert.{each}" for each in ("pending", "firing", "worsened", "eased", "resolved", "revised", "confirmed")}
    people = {"incident.acknowledged", "waiver.approved", "policy.adopted"}
    incident = {f"incident.{each}" for each in ("opened", "worsened", "new_findings", "resolved", "reopened")}
    assert {*alert, *people, *incident, "notification.sent", "notification.withheld"} <= kinds
    assert {"clock.stepped", "cycle.skipped", "evidence.reviewed", "waiver.ended"} <= kinds
    assert any(json.loads(each)["body"].get("late") for each in undisturbed.entries), "nothing is caught up"
    oldest = min(each[2] for each in undisturbed.kept["samples"])
    assert oldest > (START + EDITED * EVERY).timestamp(), "no sample is forgotten"
    assert {each.answer for each in undisturbed.heard} == {200, 503}


@pytest.mark.parametrize("share", range(SHARES if SOAK else 2))
def test_killed_at_every_boundary(tmp_path: Path, undisturbed: Ending, share: int) -> None:
    """Kill before and after commits, messages and seals of every cycle, one after the other; in the soak at all."""
    ending, killed = _played(tmp_path / "scene", f"share:{share}")
    assert killed > 1.25 * len(BEATS), "too few boundaries were found to prove anything"
    _expect_same(ending, undisturbed)


@pytest.mark.parametrize("seed", range(max(SOAK // LIVES, 2)))
def test_killed_at_random_instants(tmp_path: Path, undisturbed: Ending, seed: int) -> None:
    ending, killed = _played(tmp_path / "scene", f"after:{seed},{LIVES}")
    assert killed == LIVES, "a life ended before it was killed: give them less time"
    _expect_same(ending, undisturbed)
    verified = _gov(tmp_path / "scene", "audit", "verify")
    assert verified.returncode == 0, verified.stdout


def test_killed_while_somebody_else_acts(tmp_path: Path, undisturbed: Ending) -> None:
    """Acknowledge an incident from another process while the engine dies again and again."""
    folder = tmp_path / "scene"
    prepare(folder)
    with listening(settings(folder).database_file) as receiver:
        with _worker(folder, receiver.address, f"after:99,{3 * LIVES}") as worker:
            answer = _gov(folder, "incidents", "ack", "1", "--as", "bo")
            while answer.returncode == EXIT_UNAVAILABLE or "no incident 1" in answer.stderr:  # not yet
                time.sleep(0.1)
                answer = _gov(folder, "incidents", "ack", "1", "--as", "bo")
            out, err = worker.communicate(timeout=900)
        assert worker.returncode == 0, err
        assert int(out) > 0
    assert answer.returncode == 0, answer.stderr
    ending = _ending(folder, receiver.heard)
    _expect_told(ending)
    assert ending.alerts == undisturbed.alerts
    assert _of_others(ending) == _of_others(undisturbed)
    told = [each for each in _entries(ending) if each["subject"].get("incident") == "1"]
    settled = "incident.settled"  # the end of its flapping, which changes nothing of it
    changes = [each for each in told if each["kind"].startswith("incident.") and each["kind"] != settled]
    assert [each["actor"] for each in changes if each["kind"] == "incident.acknowledged"] == ["bo"]
    (incident,) = [each for each in ending.incidents if each.id == 1]
    assert len(changes) == incident.version  # every version has one entry, and none was lost


def _entries(ending: Ending) -> list[dict[str, Any]]:
    return [json.loads(each) for each in ending.entries]


def _of_others(ending: Ending) -> list[dict[str, Any]]:
    """Return every entry that is not about incident 1, without its number."""
    found = [each for each in _entries(ending) if each["subject"].get("incident") != "1"]
    return [{name: value for name, value in each.items() if name != "seq"} for each in found]
