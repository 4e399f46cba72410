"""What people do with runs that stopped, of which nobody knows, or that are taken back; and how these are shown."""

from __future__ import annotations

from typing import Any

import pytest
from runs.site import MINUTE, Counting, Site, runbook, site

from governance.core.authority import Actor
from governance.engine import running
from governance.engine.running import RunDone, showing
from governance.engine.timeline import worded
from governance.errors import Conflict
from governance.store import decision_log
from governance.views.runs import RunView

BO = Actor("bo", channel="slack")
BOOK = runbook(
    {"step": "one", "act": "x.do", "undo": {"act": "x.back"}},
    {"step": "two", "act": "x.do", "undo": {"act": "x.back"}},
    {"step": "tell", "instruct": "Tell the owners."},
)


def begun(*said: str) -> Site:
    """Begin a run whose second act is answered so."""
    at = site(BOOK, system=Counting(answers={"RUN-1/two/1": list(said)}))
    at.begin()
    at.drive()
    return at


def shown(at: Site) -> RunView:
    return showing.run_view(at.engine, at.run(), at.now)


def glyphs(at: Site) -> str:
    return "".join(each.glyph for each in shown(at).steps)


def does(at: Site, act: str, **more: Any) -> RunDone:
    done: RunDone = getattr(running, act)(at.engine, "RUN-1", actor=BO, at=at.now, **more)
    at.drive()
    return done


def told(at: Site, done: RunDone) -> tuple[str, str, dict[str, Any]]:
    """Return who did what in the words of the timeline, and the body of the entry."""
    entry = decision_log.entry(at.engine.database, done.entry)
    return entry.decision.actor, worded(entry), dict(entry.decision.body)


def test_a_run_that_stopped_says_why_and_is_tried_again() -> None:
    at = begun("failed")
    view = shown(at)
    assert (glyphs(at), view.state, view.steps[1].can) == ("✓✗○", "stopped", ["retry", "skip"])
    assert view.summary == (
        "step 2 of 3: two – stopped (the server says no); a person decides: retry, skip or cancel (ana, bo, cy)"
    )
    done = does(at, "retry", because="the server is back")
    assert told(at, done)[:2] == ("bo", "has two of RUN-1 tried again: the server is back")
    assert told(at, done)[2]["channel"] == "slack"
    assert (glyphs(at), at.system.effects) == ("✓✓▶", {"RUN-1/one/1": 1, "RUN-1/two/2": 1})


def test_a_step_that_failed_is_passed_over() -> None:
    at = begun("failed")
    done = does(at, "skip", because="by hand")
    assert told(at, done)[:2] == ("bo", "skipped two of RUN-1: by hand")
    assert (glyphs(at), shown(at).steps[1].detail, shown(at).steps[1].by) == ("✓↷▶", "skipped by bo: by hand", "bo")


@pytest.mark.parametrize(("took_effect", "effects"), [(True, 1), (False, 2)])
def test_somebody_says_what_nobody_knows(took_effect: bool, effects: int) -> None:
    at = begun("unknown")
    view = shown(at)
    assert (glyphs(at), view.state, view.steps[1].can) == ("✓?○", "unknown", ["settle"])
    assert view.steps[1].waits_for == ("nobody knows whether it took effect; somebody looks and says so (ana, bo, cy)")
    with pytest.raises(Conflict, match="nobody knows whether step 'two' of RUN-1 took effect"):
        does(at, "cancel", because="x")
    done = does(at, "settle", took_effect=took_effect, because="I looked")
    assert told(at, done)[:2] == ("bo", "said what became of two of RUN-1: I looked")
    assert (glyphs(at), at.system.effects["RUN-1/two/1"]) == ("✓✓▶", effects)
    with pytest.raises(Conflict, match="step 'two' of RUN-1 cannot be settled now"):
        does(at, "settle", took_effect=took_effect, because="me too", step="two")


@pytest.mark.parametrize(("undo", "after"), [(True, "↶↶↷"), (False, "✓✓↷")])
def test_what_it_did_is_taken_back_unless_somebody_says_not_to(undo: bool, after: str) -> None:
    at = begun()
    at.now += 3 * MINUTE
    done = does(at, "cancel", because="it mended itself", undo=undo)
    assert told(at, done)[2]["undo"] is undo
    assert (glyphs(at), shown(at).state) == (after, "cancelled")
    assert shown(at).summary.startswith("cancelled after 3 m: what it did is ")
    taken = ["RUN-1/two/1/undo", "RUN-1/one/1/undo"] if undo else []
    assert at.system.order[2:] == taken
    assert decision_log.verify(at.engine.database).ok


def test_an_act_that_loses_the_race_changes_nothing() -> None:
    at = begun("failed")
    version = at.run().version
    does(at, "skip", because="by hand", version=version)
    at.now += MINUTE
    with pytest.raises(Conflict, match=r"has changed since version .*bo skipped two at .* \(1 m ago\)"):
        does(at, "retry", version=version)
    with pytest.raises(Conflict, match=r"bo skipped two at .* \(1 m ago\)"):
        does(at, "retry", step="two")
