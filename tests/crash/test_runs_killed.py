"""Killed at any boundary, a run ends as the undisturbed one, and each of its keys took effect once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from crash.keyed import Keyed, counting
from crash.run_scene import RUN, UNSURE
from crash.run_worker import falls_to
from store.databases import laid_out_url

from governance.core.run import Run, Visit
from governance.store import approvals, decision_log, runs, switches
from governance.store.database import Database

TESTS = Path(__file__).parent.parent
SOAK = int(os.environ.get("SOAK", "0"))
"""0 for the shares of every day."""
SHARES = {"sqlite": (3, 3 if SOAK else 1), "postgresql": (6, 6 if SOAK else 1)}
"""Into how many shares the boundaries are divided, and how many of those are played."""
ASKED = {"runbook.step_unknown", "runbook.settled"}
"""What the log has beside: that nobody knew what became of an act, and what a person found out."""


SEAL = "] None ["
"""A commit after which no entry waits; a life that began elsewhere seals at other places."""


@dataclass(frozen=True)
class Ending:
    """What is left when a run is over."""

    run: Run
    entries: list[dict[str, Any]]
    consent: list[Any]
    switch: list[Any]
    effects: dict[str, int]
    order: list[str]
    told: dict[str, set[bytes]]
    settled: set[str]


@pytest.fixture(scope="module")
def server() -> Iterator[Keyed]:
    """One server for all scenes: a run knows its address."""
    with counting() as keyed:
        yield keyed


def _played(kind: str, folder: Path, server: Keyed, kills: str) -> tuple[Ending, int]:
    """Play the scene to its end and return what is left, and how often a process was killed."""
    folder.mkdir()
    url = laid_out_url(kind, folder)
    with closing(Database(url, home=folder)) as database:
        database.create_tables()

        def is_committed(key: str) -> bool:
            with database.read() as connection:
                return any(each.key in key for run in runs.listed(connection, state="all") for each in run.visits)

        server.begin(folder, is_committed)
        paths = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH", "")]))
        command = [sys.executable, "-m", "crash.run_worker", str(folder), url, server.address, kills]
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == 0, done.stderr
        return _ending(database, server), int(done.stdout.split()[0])


def _ending(database: Database, server: Keyed) -> Ending:
    checked = decision_log.verify(database)
    assert checked.ok, checked.findings
    assert decision_log.oldest_unsealed(database) is None
    decisions = [each.decision for each in decision_log.tail(database, 10_000)]
    assert len({each.id for each in decisions}) == len(decisions)
    with database.read() as connection:
        run = runs.get(connection, RUN)
        consent = approvals.listed(connection, state="all")
        switch = switches.get(connection, "m").settings
    assert server.early == [], "asked before the intent was committed"
    return Ending(
        replace(run, version=0, visits=tuple(_visit(each) for each in run.visits)),
        [_entry(each) for each in decisions if each.kind not in ASKED],
        [replace(each, version=0) if hasattr(each, "version") else each for each in consent],
        [(each.mode, each.reason, each.seq) for each in switch],
        dict(server.effects),
        list(server.order),
        dict(server.told),
        {str(each.body["step"]) for each in decisions if each.kind in ASKED},
    )


def _visit(visit: Visit) -> Visit:
    """Return a visit without how it became known what it did, where another had to be asked."""
    if visit.step not in UNSURE:
        return visit
    plain = replace(visit, detail="")
    return replace(plain, by="", attempts=0, outputs={}) if visit.step == "order" else plain


def _entry(decision: Any) -> dict[str, Any]:
    found = {"kind": decision.kind, "at": decision.at, "subject": dict(decision.subject), "actor": decision.actor}
    body = dict(decision.body)
    if body.get("step") in UNSURE and decision.kind in ("runbook.step_done", "runbook.undone"):
        body = {name: body[name] for name in ("step", "visit", "key") if name in body}
        found["actor"] = ""
    return {**found, "body": body}


def _met(folder: Path) -> list[str]:
    return (folder / "met").read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, server: Keyed) -> tuple[Ending, set[str]]:
    """What the run leaves when nobody is killed, and which boundaries it passed."""
    folder = tmp_path_factory.mktemp("undisturbed") / "scene"
    ending, killed = _played("sqlite", folder, server, "never")
    assert killed == 0
    assert ending.settled == set()
    return ending, set(_met(folder))


def test_the_run_has_something_of_everything(undisturbed: tuple[Ending, set[str]]) -> None:
    run = undisturbed[0].run
    assert (len(run.runbook.steps), run.state) == (12, "cancelled")
    assert [(each.step, each.state) for each in run.visits] == [
        ("look", "done"), ("sound", "done"), ("consent", "done"), ("alias", "undone"), ("rest", "done"),
        ("train", "undone"), ("order", "undone"), ("tell", "done"), ("pull", "done"), ("never", "skipped"),
        ("doomed", "failed"), ("order", "done"), ("train", "done"), ("alias", "done"),
    ]  # fmt: skip
    assert {step.kind for step in run.runbook.steps} == {"instruct", "check", "approve", "act", "wait", "notify"}
    assert next(each.attempts for each in run.visits if each.step == "train") == 3
    asked = ("alias/1", "train/1", "order/1", "order/1/undo", "train/1/undo", "alias/1/undo")
    assert undisturbed[0].order == [f"{RUN}/{each}" for each in asked]


@pytest.mark.parametrize(
    ("kind", "share"), [(kind, share) for kind, (_, played) in SHARES.items() for share in range(played)]
)
def test_killed_at_every_boundary(
    tmp_path: Path, server: Keyed, undisturbed: tuple[Ending, set[str]], kind: str, share: int
) -> None:
    """Kill before and after every commit, act and message, one after the other; those of all shares in the soak."""
    expected, passed = undisturbed
    kills = f"{share}/{SHARES[kind][0]}"
    ending, killed = _played(kind, tmp_path / "scene", server, kills)
    met = _met(tmp_path / "scene")
    assert killed == len(met)
    assert {each for each in passed if falls_to(each, kills) and SEAL not in each} <= set(met)
    assert ending.entries == expected.entries  # first, as it says most
    assert ending.run == expected.run
    assert set(ending.effects.values()) == {1}
    assert replace(ending, settled=set()) == expected
    assert ending.settled <= {"order"}
