"""What is run on a schedule: it proves what it proves, says when it does not, and is never forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from governance.core.incident import Incident
from governance.core.performance import Outcome, Request
from governance.core.run_acts import ticked
from governance.engine.foresight import failed_drill, last_drill
from governance.engine.loop import step
from governance.engine.running.drilling import drill
from governance.store import decision_log, evidence, incidents, runs

from .site import CARD, MINUTE, Counting, Site, loaded, runbook, site

DAY = timedelta(days=1)
DRILLED = {**CARD, "rollback": {"then": {"runbook": "r"}, "drill_every": "90d"}}
BACK = {"step": "back", "act": "x.back"}
TELL = {"step": "tell", "notify": {"message": "done"}, "then": "end"}
SORRY = {"step": "sorry", "notify": {"message": "not done"}}


class Locked(Counting):
    """A system that lets nobody in, until its door is opened."""

    locked = True

    def dry_run(self, request: Request) -> Outcome:
        """Say whether it could be done."""
        return Outcome("failed", "403 Forbidden") if self.locked else super().dry_run(request)


def beat(place: Site, after: timedelta = MINUTE) -> None:
    """Let time pass, and the engine do all that is due."""
    place.now += after
    step(place.engine, place.now)


def later(place: Site, after: timedelta) -> None:
    """Let a long time pass, of which only runs are of interest."""
    place.now += after
    drill(place.engine, place.now)
    place.drive()


def all_runs(place: Site) -> list[str]:
    with place.engine.database.read() as connection:
        return [f"{each.id} {each.mode} {each.state}" for each in runs.listed(connection, state="all")]


def incidents_of(place: Site) -> list[Incident]:
    with place.engine.database.read() as connection:
        return list(incidents.listed(connection))


def drilled(place: Site) -> Any:
    with place.engine.database.read() as connection:
        found = evidence.latest(connection).get("m")
    return found.drilled if found is not None else None


def test_a_rollback_is_practised_and_that_is_evidence() -> None:
    place = site(runbook(BACK, TELL), card=DRILLED)
    beat(place)
    assert all_runs(place) == ["RUN-1 dry_run done"]
    assert place.system.drills, "the system was asked whether it could be done"
    assert place.system.effects == {}, "and nothing was"
    assert drilled(place) == place.now
    (entry,) = decision_log.tail(place.engine.database, 100, kind="evidence")
    said = entry.decision
    assert (said.kind, said.actor, said.body["note"]) == ("evidence.drilled", "engine", "RUN-1, a dry run of r")
    later(place, 70 * DAY)
    assert len(all_runs(place)) == 1
    later(place, 20 * DAY)
    assert len(all_runs(place)) == 2, "it is due before it is overdue"
    assert incidents_of(place) == []


def test_a_drill_that_fails_is_an_incident_that_wakes_nobody_and_ends_with_the_next_that_works() -> None:
    system = Locked()
    place = site(runbook(BACK, TELL), card=DRILLED, system=system)
    beat(place)
    assert all_runs(place) == ["RUN-1 dry_run cancelled"], "nobody is there who could go on with it"
    assert drilled(place) is None
    (found,) = incidents_of(place)
    assert (found.status, found.severity) == ("triggered", "warning")
    assert "RUN-1: back failed: 403 Forbidden" in found.title
    beat(place)
    assert len(all_runs(place)) == 1, "it is not tried at every beat"
    system.locked = False
    beat(place, DAY)
    assert all_runs(place) == ["RUN-2 dry_run done", "RUN-1 dry_run cancelled"]
    assert drilled(place) == place.now
    assert [each.status for each in incidents_of(place)] == ["resolved"]


def test_what_its_author_does_instead_when_it_fails_proves_nothing_either() -> None:
    place = site(runbook({**BACK, "on_failure": "sorry"}, TELL, SORRY), card=DRILLED, system=Locked())
    beat(place)
    assert all_runs(place) == ["RUN-1 dry_run done"]
    assert drilled(place) is None
    assert [each.severity for each in incidents_of(place)] == ["warning"]


def test_a_rollback_in_earnest_counts_as_practice() -> None:
    place = site(runbook(BACK), card=DRILLED)
    place.begin()
    place.drive()
    assert drilled(place) == place.now


def test_of_one_runbook_there_are_never_two_runs_at_once() -> None:
    place = site(runbook({"step": "look", "instruct": "Look."}, BACK), card=DRILLED)
    place.begin()
    place.drive()
    beat(place)
    assert all_runs(place) == ["RUN-1 live waiting"]
    place.act(ticked, "bo", place.now)
    beat(place)
    assert all_runs(place) == ["RUN-1 live done"], "which was a rollback in earnest"


def test_what_was_missed_is_made_up_for_once() -> None:
    place = site(runbook(BACK), card=DRILLED)
    beat(place)
    assert drill(place.engine, place.now + 1000 * DAY) == 1
    place.drive(1000 * DAY)
    assert drill(place.engine, place.now + MINUTE) == 0
    assert len(all_runs(place)) == 2


def test_what_cannot_begin_has_failed() -> None:
    place = site(runbook(BACK, parameters={"to": {"type": "string"}}), card=DRILLED)
    beat(place)
    assert all_runs(place) == []
    (found,) = incidents_of(place)
    assert "it cannot be begun: parameters.to" in found.title
    place.engine.plan = replace(place.engine.plan, runbooks={})
    beat(place, DAY)
    assert "there is no runbook 'r'" in incidents_of(place)[0].title


def test_what_the_switch_shows_of_drills_is_the_last_that_failed_too() -> None:
    system = Locked()
    place = site(runbook(BACK, TELL, every="7d", dry_run=True, proves="switch_drilled"), system=system)
    beat(place)
    found = failed_drill(place.engine, "m", None)
    assert found is not None
    assert (found.run, found.runbook, found.by, found.failed) == ("RUN-1", "r", "engine", "back failed: 403 Forbidden")
    system.locked = False
    beat(place, DAY)
    shown = last_drill(place.engine, "m")
    assert shown is not None
    assert (shown.run, failed_drill(place.engine, "m", shown.at)) == ("RUN-2", None)


def test_a_drill_of_the_switch_that_cannot_begin_is_shown() -> None:
    place = site(runbook(BACK, every="7d", proves="switch_drilled", parameters={"to": {"type": "string"}}))
    beat(place)
    found = failed_drill(place.engine, "m", None)
    assert found is not None
    assert (found.run, "it cannot be begun: parameters.to" in found.failed) == ("", True)


def test_a_live_run_on_a_schedule_that_stops_waits_for_people_and_says_so() -> None:
    place = site(runbook({"step": "look", "check": "metrics.errors > 1.0"}, every="7d"))
    beat(place)
    assert all_runs(place) == ["RUN-1 live stopped"]
    assert [(each.status, each.severity) for each in incidents_of(place)] == [("triggered", "warning")]
    later(place, 30 * DAY)
    assert len(all_runs(place)) == 1, "it is still open"


def test_a_runbook_for_other_models_is_not_run() -> None:
    place = site(runbook(BACK, every="7d", dry_run=True, applies_to="card.tier == 1"))
    beat(place)
    assert all_runs(place) == []


def test_a_fleet_that_is_due_at_once_is_spread_over_the_beats() -> None:
    from governance.core.plan import evaluation_plan

    place = site(runbook(BACK))
    cards = [loaded({"kind": "card", **DRILLED, "model": f"m{number}"}, f"m{number}.yaml") for number in range(5)]
    place.engine.plan = replace(evaluation_plan(cards, []), runbooks=place.engine.plan.runbooks)
    counts = []
    for _ in range(4):
        beat(place)
        counts.append(len(all_runs(place)))
    assert counts == [2, 4, 5, 5]
