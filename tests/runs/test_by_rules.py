"""Rules that act begin their runbook in the transaction of the alert, once for each firing; what is not is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from runs.site import CARD, MINUTE, Site, World, runbook, site

from governance.engine.clock import stepped
from governance.engine.loop import step
from governance.store import decision_log, incidents, runs
from governance.testing.collector import Collector

WAIT = {"step": "rest", "wait": "10m"}
ACT = {"step": "act", "act": "x.do", "with": {"about": "{incident.title}", "region": "{labels.region}"}}
RULE = {
    "rule": "errors", "when": "metrics.errors > 0.5", "severity": "critical", "enforcement": "act",
    "then": {"runbook": "r"},
}  # fmt: skip
GOVERNED = {**CARD, "rules": [RULE]}


def governed(*runbooks: Any, **how: Any) -> tuple[Site, Collector]:
    """Return a site whose rule acts, and what its pager hears."""
    here, pager = site(*runbooks, card=GOVERNED, **how), Collector()
    here.engine.notifiers = {"pager": pager}
    here.world.values["errors"] = 0.9
    return here, pager


def look(here: Site, after: timedelta = MINUTE) -> None:
    """Let time pass, and the engine do all that is due."""
    here.now += after
    step(here.engine, here.now)


def test_a_firing_rule_begins_its_runbook_once() -> None:
    here, pager = governed(runbook(WAIT, {**ACT, "with": {"about": "{incident.title}"}}))
    look(here)
    run = here.run()
    assert (run.state, run.rule, run.started_by, run.incident) == ("running", "errors", "engine", 1)
    assert pager.effects[0].message.proposals == ("RUN-1 of runbook r was begun by errors.",)
    look(here)
    with here.engine.database.read() as connection:
        assert [each.id for each in runs.listed(connection, state="all")] == ["RUN-1"]
    look(here, 10 * MINUTE)
    assert here.run().state == "done"
    assert here.system.asked["RUN-1/act/1"][0]["about"]
    entries = [each.decision for each in decision_log.tail(here.engine.database, 100, kind="runbook")]
    assert entries[0].kind == "runbook.started"
    assert entries[0].subject == {"run": "RUN-1", "runbook": "r", "model": "m", "incident": "1"}


def test_a_run_that_is_open_already_is_told_and_not_begun_again() -> None:
    here, pager = governed(runbook(WAIT, ACT))
    here.begin()
    look(here)
    (said,) = pager.effects[0].message.proposals
    assert said.startswith("Runbook r was not begun: RUN-1 of 'r' is running for m since 2026-03-01 09:00 UTC")
    (entry,) = decision_log.tail(here.engine.database, 100, kind="runbook.not_started")
    assert entry.decision.body["rule"] == "errors"
    with here.engine.database.read() as connection:
        assert incidents.get(connection, 1).status == "triggered"


def test_a_runbook_that_is_gone_is_told() -> None:
    here, pager = governed()
    look(here)
    assert pager.effects[0].message.proposals == ("Runbook r was not begun: there is no runbook 'r'.",)


class Archive(World):
    """A source that answers for the past, too."""

    def past(self, queries: Any, *, start: Any, end: Any, step: timedelta) -> Any:
        """Answer for each instant."""
        from governance.core.metric import Answer

        instants = [start + number * step for number in range((end - start) // step + 1)]
        return {
            each: Answer(tuple(one for at in instants for one in self._answer(each.text, at).samples))
            for each in queries
        }


def test_what_a_late_cycle_found_is_begun_when_it_is_true_still() -> None:
    for value, begun in ((0.9, ["RUN-1"]), (0.0, [])):
        here, _ = governed(runbook(WAIT), world=Archive())
        here.world.values["errors"] = 0.0
        look(here)
        here.world.values["errors"] = 0.9
        here.now += 20 * MINUTE
        from governance.engine.cycle import run_cycle
        from governance.engine.picture import past_answers

        at = here.now - 10 * MINUTE
        given = past_answers(here.engine, start=at, end=at, step=MINUTE)
        run_cycle(here.engine, at, late=True, given=given)
        with here.engine.database.read() as connection:
            assert not runs.listed(connection, state="all")
        here.world.values["errors"] = value
        look(here)
        with here.engine.database.read() as connection:
            assert [each.id for each in runs.listed(connection, state="all")] == begun


def test_a_step_of_the_clock_leaves_a_wait_as_long_as_it_is() -> None:
    here = site(runbook(WAIT))
    here.begin()
    here.drive()
    here.now += timedelta(hours=1)
    stepped(here.engine, timedelta(hours=1), at=here.now)
    here.drive(9 * MINUTE)
    assert here.run().state == "running"
    here.drive(MINUTE)
    assert here.run().state == "done"


def test_a_rule_that_only_proposes_begins_nothing() -> None:
    card = {**CARD, "rules": [{**RULE, "enforcement": "notify"}]}
    here = site(runbook(WAIT), card=card)
    here.world.values["errors"] = 0.9
    look(here)
    with here.engine.database.read() as connection:
        assert not runs.listed(connection, state="all")
