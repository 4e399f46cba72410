"""`gov plan`: how policies differ from those that rule, and what they would have told; and that it only looks."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sin
from pathlib import Path
from typing import Any

import pytest
from interfaces.serving import Served, ask, gov

from governance.bootstrap import engine
from governance.core.incident import Incident
from governance.engine.adoption import adopt
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.engine.planning import MOST_ASKED, Bounds, Side, planned
from governance.engine.pushing import push
from governance.policies import policies
from governance.settings import Settings
from governance.store import incidents
from governance.store.pushed import PushedSample
from governance.views.plan import PlanView

START = datetime(2026, 3, 2, tzinfo=UTC)
ORG = """
kind: org
people: {ana: {email: ana@example.com}, bo: {}, cy: {}}
roles: [{role: admin, who: [ana]}, {role: approver, who: [bo]}, {role: viewer, who: [cy]}]
sources: {pushed: {kind: push}}
cycle: {every: 15m}
"""
CARD = """
kind: card
model: loans
tier: 2
owners: {team: t}
metrics:
  errors: {source: pushed, query: error_rate, every: 15m}
  by_origin: {source: pushed, query: by_origin, labels: [origin], every: 15m}
  volume: {source: pushed, query: volume, every: 15m}
rules:
  - {rule: errors-high, when: metrics.errors > 0.5, for: 30m, severity: critical, summary: "Errors {metrics.errors}"}
  - {rule: origin-bad, when: metrics.by_origin > 0.8, summary: "Bad from {labels.origin}"}
  - {rule: growing, when: "avg_over_time(metrics.volume, '2h') > 90", for: 30m, summary: "Volume"}
"""
NO_PACKS = ("ownership", "practice", "review", "rollback", "retention-and-pii", "engine")


def _values(minute: int) -> list[tuple[str, float, tuple[tuple[str, str], ...]]]:
    """Return what is measured: two bumps of errors, one origin that goes bad, and a volume that swells."""
    hours = minute / 60
    errors = 0.2 + (0.45 if 2 <= hours < 3 else 0.25 if 6 <= hours < 8 else 0.0) + 0.01 * sin(minute)
    return [
        ("error_rate", errors, ()),
        ("by_origin", 0.9 if 4 <= hours < 5 else 0.3, (("origin", "JFK"),)),
        ("by_origin", 0.75 if 4 <= hours < 5 else 0.3, (("origin", "LGA"),)),
        ("volume", 60.0 + (60.0 if 9 <= hours < 11 else 0.0), ()),
    ]


@dataclass
class World:
    """An engine that lived through twelve hours."""

    directory: Path
    engine: Engine

    def plan(self, card: str, **bounds: Any) -> PlanView:
        """Plan another card against what rules."""
        other = self.directory / "other"
        _written(other, card)
        proposed = policies([other])
        assert not proposed.problems, [each.render() for each in proposed.problems]
        sides = Side(self.engine.plan, self.engine.organisation), Side(proposed.plan, proposed.organisation)
        return planned(self.engine.database, *sides, START + timedelta(hours=12), Bounds(**bounds))

    def incidents(self) -> list[Incident]:
        """Return the incidents of the model, oldest first."""
        with self.engine.database.read() as connection:
            return [each for each in incidents.listed(connection)[::-1] if each.model == "loans"]


def _written(directory: Path, card: str) -> None:
    (directory / "packs").mkdir(parents=True, exist_ok=True)
    for name in NO_PACKS:
        (directory / "packs" / f"{name}.yaml").write_text(f"kind: pack\npack: {name}\n", encoding="utf-8")
    (directory / "org.yaml").write_text(ORG.lstrip(), encoding="utf-8")
    (directory / "loans.yaml").write_text(card.lstrip(), encoding="utf-8")


def lived(directory: Path, card: str = CARD) -> World:
    """Let an engine judge twelve hours by a card."""
    _written(directory / "policies", card)
    built = engine(Settings(home=directory / ".gov", policies=directory / "policies"), base=directory)
    adopt(built, START)
    for minute in range(15, 12 * 60 + 1, 15):
        at = START + timedelta(minutes=minute)
        found = [PushedSample("loans", name, at, value, labels) for name, value, labels in _values(minute)]
        push(built, "pushed", found, key=f"k{minute}", actor="test", at=at)
        step(built, at)
    return World(directory, built)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return one that tests only look at; its clock is not that of the machine."""
    made = lived(tmp_path_factory.mktemp("lived"))
    yield made
    made.engine.database.close()


def test_nothing_differs(world: World) -> None:
    found = world.plan(CARD)
    assert (found.unchanged, found.changes, found.replay) == (True, [], None)


CHANGES: dict[str, Callable[[str], str]] = {
    "tightened": lambda card: card.replace("errors > 0.5, for: 30m", "errors > 0.4, for: 30m"),
    "loosened": lambda card: card.replace("errors > 0.5", "errors > 0.7").replace("> 0.8", "> 0.7"),
    "removed": lambda card: "".join(line for line in card.splitlines(keepends=True) if "origin-bad" not in line),
    "looked back": lambda card: card.replace("'2h') > 90", "'2h') > 75"),
    "sooner, and milder": lambda card: card.replace("for: 30m, severity: critical", "for: 15m, severity: warning"),
    "added": lambda card: card + "  - {rule: busy, when: metrics.volume > 100, summary: Busy}\n",
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_it_says_is_what_an_engine_then_does(world: World, tmp_path: Path, name: str) -> None:
    """Play the same twelve hours to an engine with the new policies: its incidents are those that the plan foresaw."""
    card = CHANGES[name](CARD)
    assert card != CARD
    replay = world.plan(card).replay
    assert replay is not None
    truth = lived(tmp_path, card).incidents()
    then = [(each.opened_at, each.peak) for each in truth]
    now = {each.id: each for each in world.incidents()}
    foreseen = {number: (each.opened_at, each.peak) for number, each in now.items()}
    for effect in replay.incidents:
        at, peak = foreseen[effect.incident]
        by = timedelta(seconds=effect.seconds)
        if effect.effect == "missed":
            del foreseen[effect.incident]
        else:
            moved = at - by if effect.effect == "earlier" else at + by
            foreseen[effect.incident] = (moved, effect.after or peak)
    expected = [*foreseen.values(), *((each.opened_at, each.severity) for each in replay.new_incidents)]
    assert sorted(expected) == sorted(then)
    assert replay.unknown == {}


def test_the_words_of_a_change(world: World) -> None:
    found = world.plan(CHANGES["tightened"](CARD))
    assert found.summary == "rules: 1 tightened on 1 model"
    assert found.changes == [
        "tightened errors-high of loans: critical when metrics.errors > 0.4, was metrics.errors > 0.5"
    ]
    assert found.replay is not None
    assert (found.replay.pages_before, found.replay.pages_after) == (4, 5)
    (new,) = found.replay.new_incidents
    assert (new.opened_at, new.severity) == (START + timedelta(hours=6, minutes=30), "critical")
    gone = world.plan(CHANGES["removed"](CARD))
    assert gone.changes == ["removed origin-bad of loans"]
    assert gone.replay is not None
    assert (gone.replay.incidents, gone.replay.pages_after) == ([], 3)  # the incident has another finding
    both = world.plan(CHANGES["removed"](CARD).replace("errors > 0.5", "errors > 0.7"))
    assert both.replay is not None
    assert [(each.incident, each.effect) for each in both.replay.incidents] == [(2, "missed")]


def test_tier_1_needs_a_second_person(world: World) -> None:
    found = world.plan(CHANGES["loosened"](CARD))
    assert not found.needs_approval  # the card is of tier 2
    first = world.plan(CARD.replace("tier: 2", "tier: 1").replace("errors > 0.5", "errors > 0.9"))
    assert first.needs_approval  # and becomes one of tier 1
    assert first.who_may == ["ana", "bo"]


def test_what_was_not_recorded_is_said_to_be_unknown(world: World) -> None:
    card = CARD.replace("metrics:\n", "metrics:\n  latency: {source: pushed, query: p99, every: 15m}\n")
    card += "  - {rule: slow, when: metrics.latency > 1.0}\n"
    replay = world.plan(card).replay
    assert replay is not None
    assert replay.unknown == {"slow of loans": "nothing was recorded of latency"}
    assert replay.pages_before == replay.pages_after


def test_it_asks_no_source_but_within_bounds_when_told_to(world: World) -> None:
    names = [f"extra{number}" for number in range(MOST_ASKED + 5)]
    metrics = "".join(f"  {name}: {{source: pushed, query: {name}, every: 15m}}\n" for name in names)
    rules = "".join(f"  - {{rule: {name}-high, when: metrics.{name} > 1.0}}\n" for name in names)
    card = CARD.replace("metrics:\n", f"metrics:\n{metrics}") + rules
    asked: list[int] = []

    def ask(queries: Any, start: datetime, end: datetime, spacing: timedelta) -> dict[Any, Any]:
        asked.append(len(queries))
        assert (end - start) / spacing < 200
        return {}

    replay = world.plan(card, ask=ask).replay
    assert replay is not None
    assert (asked, replay.asked) == ([MOST_ASKED], MOST_ASKED)
    assert world.plan(card).replay is not None
    assert asked == [MOST_ASKED]


def test_there_may_be_no_time(world: World) -> None:
    replay = world.plan(CHANGES["tightened"](CARD), seconds=-1.0).replay
    assert replay is not None
    assert (replay.models, replay.left_out) == ([], ["loans"])


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_command_writes_nothing_and_its_exit_codes(tmp_path: Path) -> None:
    world = lived(tmp_path)
    world.engine.database.close()
    database = tmp_path / ".gov" / "governance.db"
    before = _digest(database)
    os.chmod(database, 0o444)  # noqa: PTH101
    same = gov(tmp_path, "plan", "--exit-code", "--at", "2026-03-02T12:00")
    assert (same.returncode, same.stderr) == (0, "")
    assert "nothing that it asks would change" in same.stdout
    _written(tmp_path / "new", CHANGES["loosened"](CARD))
    done = ask(tmp_path, "plan", "new", "--at", "2026-03-02T12:00", "--exit-code")
    assert (done.returncode, done.stderr) == (2, "")
    assert "loosened errors-high of loans: critical when metrics.errors > 0.7, was metrics.errors > 0.5" in done.stdout
    recorded = "48 instants, 15 m apart, recorded since 2026-03-02 00:15Z:"
    assert f"tried on 30 days to 2026-03-02 12:00Z, {recorded}" in done.stdout
    assert "1 fewer page in 30 days (4 before, 3 after; critical: 1 before, 0 after)" in done.stdout
    assert (
        "incident 2 of loans would have been caught 1 h 30 m later, as warning and not critical (Errors" in done.stdout
    )
    soon = ask(tmp_path, "plan", "new", "--at", "2026-03-02T00:20").stdout
    assert "tried on 30 days to 2026-03-02 00:20Z, 1 instant, recorded since 2026-03-02 00:15Z:" in soon
    (tmp_path / "new" / "loans.yaml").write_text(CARD.replace("metrics.errors >", "metrics.erors >"), encoding="utf-8")
    wrong = ask(tmp_path, "plan", "new")
    assert wrong.returncode == 1
    assert "new/loans.yaml:11:39: error[unknown-metric]" in wrong.stderr
    assert _digest(database) == before


def test_without_a_database_all_is_new(tmp_path: Path) -> None:
    _written(tmp_path / "policies", CARD)
    done = ask(tmp_path, "plan")
    assert done.returncode == 0
    assert "no version rules yet" in done.stdout
    assert not (tmp_path / ".gov").exists()


def test_apply_to_a_running_engine(tmp_path: Path) -> None:
    """Plan, apply, wait for the second person, roll back: against a real `gov serve --policies-from apply`."""
    _written(tmp_path / "policies", CARD.replace("tier: 2", "tier: 1"))
    served = Served(tmp_path, "--policies-from", "apply")
    try:
        first = json.loads(ask(tmp_path, "policies", "list", "--format", "json").stdout)[0]
        tight, loose = tmp_path / "tight", tmp_path / "loose"
        _written(tight, CARD.replace("tier: 2", "tier: 1").replace("errors > 0.5", "errors > 0.4"))
        _written(loose, CARD.replace("tier: 2", "tier: 1").replace("errors > 0.5", "errors > 0.9"))
        told = ask(tmp_path, "plan", "tight", "--url", served.url)
        assert "1 tightened on 1 model" in told.stdout, told.stderr
        refused = ask(tmp_path, "apply", "tight", "--url", served.url)
        assert refused.returncode == 3  # whoever runs this test is nobody whom the organisation names
        assert "may not apply policies" in refused.stderr
        token = ask(tmp_path, "token", "create", "--for", "ana", "--as", "ana").stdout.split()
        secret = next(each for each in token if each.startswith("gov_"))

        def apply(*arguments: str) -> Any:
            return ask(tmp_path, "apply", *arguments, "--url", served.url, GOV_TOKEN=secret)

        done = apply("tight")
        assert (done.returncode, done.stderr) == (0, "")
        assert "rules: 1 tightened on 1 model" in done.stdout
        again = apply("tight")
        assert "rules already" in again.stdout
        waits = apply("loose")
        assert waits.returncode == 5
        assert "may be approved by: bo" in waits.stdout
        assert "waits for approval APR-1" in served.http.get("/v1/fleet", headers=_bearer(secret)).json()["policies"]
        waiting_is_shown(tmp_path, served.url, secret)
        mine = ask(tmp_path, "policies", "approve", "APR-1", "--as", "ana")
        assert mine.returncode == 3
        assert ask(tmp_path, "policies", "approve", "APR-1", "--as", "bo").returncode == 0
        fleet = served.until(lambda: _quiet(served, secret))
        nothing_waits(tmp_path, served.url, secret)
        back = apply("--version", first["documents"][:12])
        assert (back.returncode, back.stderr) == (0, "")
        assert fleet != first["version"]
        listed = json.loads(ask(tmp_path, "policies", "list", "--format", "json").stdout)
        assert [(each["state"], each["by"]) for each in listed] == [
            ("adopted", "ana"), ("adopted", "ana"), ("adopted", "ana"), ("adopted", "")
        ]  # fmt: skip
        assert listed[0]["version"] == listed[3]["version"] == first["version"]
        assert listed[1]["approved_by"] == "bo"
        shown = ask(tmp_path, "policies", "show", listed[1]["version"], "--to", "back")
        assert shown.returncode == 0
        assert "errors > 0.9" in (tmp_path / "back" / "loans.yaml").read_text(encoding="utf-8")
    finally:
        served.close()


def nothing_waits(here: Path, url: str, secret: str) -> None:
    for where in ((), ("--url", url)):
        none = ask(here, "policies", "pending", "--exit-code", *where, GOV_TOKEN=secret)
        assert (none.stdout, none.returncode) == ("no version of the policies waits for a second person\n", 0)


def waiting_is_shown(here: Path, url: str, secret: str) -> None:
    """Check that what waits is told with who asked and who may, of the database and of the engine alike."""
    for where, last in ((), "gov policies approve APR-1"), (("--url", url), "you may not approve"):
        done = ask(here, "policies", "pending", "--back", "0", *where, GOV_TOKEN=secret)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("APR-1 waits for a second person: asked by ana 2")
        assert "loosened errors-high of loans: critical when metrics.errors > 0.9, was" in done.stdout
        assert "a second person must approve, as less is asked of tier 1 (loans): bo" in done.stdout
        assert last in done.stdout
        asked = ("policies", "pending", "--back", "0", *where, "--format", "json", "--exit-code")
        told = ask(here, *asked, GOV_TOKEN=secret)
        found = json.loads(told.stdout)
        assert told.returncode == 5
        assert (found["approval"]["requested_by"], found["approval"]["who_may"]) == ("ana", ["bo"])
        assert (found["plan"]["loosened"], found["plan"]["who_may"]) == (["loans"], ["bo"]), "not who asked"
    checked = ask(here, "policies", "check", "--url", url, GOV_TOKEN=secret)
    assert checked.returncode == 0
    assert "0 problems; version " in checked.stdout
    assert "no tests were looked at: they are not sent by gov apply" in checked.stdout


def test_an_engine_that_follows_its_directory_takes_none(tmp_path: Path) -> None:
    _written(tmp_path / "policies", CARD)
    served = Served(tmp_path)
    try:
        token = ask(tmp_path, "token", "create", "--for", "ana", "--as", "ana").stdout.split()
        secret = next(each for each in token if each.startswith("gov_"))
        done = ask(tmp_path, "apply", "--url", served.url, GOV_TOKEN=secret)
        assert done.returncode == 3
        assert "this engine follows the directory of its policies; change that" in done.stderr
        (tmp_path / "policies" / "loans.yaml").write_text(CARD.replace("metrics.errors >", "metrics.erors >"))
        (tmp_path / "policies" / "loans.test.yaml").write_text("kind: test\nof: [loanz]\ntests: [{test: a}]\n")

        def checked(*more: str) -> Any:
            return ask(tmp_path, "policies", "check", "--url", served.url, *more, GOV_TOKEN=secret)

        offline = ask(tmp_path, "check").stdout.splitlines()[:-1]
        served.until(lambda: len(checked().stdout.splitlines()) == len(offline) + 2)
        found = checked()
        *problems, sums, tests = found.stdout.splitlines()
        assert (problems, found.returncode, found.stderr) == (offline, 1, "")
        assert sums.startswith("2 problems; version "), "and which of them rules, and since when others would"
        assert "; those on disk are broken since 2" in sums
        assert tests == "1 of them in tests, which keep nothing from ruling"
        for how in ("github", "sarif"):
            assert (
                checked("--format", how).stdout.splitlines()[:2]
                == ask(tmp_path, "check", "--format", how).stdout.splitlines()[:2]
            )
        assert (
            json.loads(checked("--format", "json").stdout)["problems"][1]["help"] == "docs/problems/unknown-metric.md"
        )
        nobody = ask(tmp_path, "policies", "check", "--url", "http://127.0.0.1:1")
        assert (nobody.returncode, nobody.stdout) == (4, "")
    finally:
        served.close()


def _quiet(served: Served, secret: str) -> Any:
    fleet = served.http.get("/v1/fleet", headers=_bearer(secret)).json()
    return fleet["policy_version"] if not fleet["policies"] else None


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
