"""Several kill switches pulled by one act: what is shown, what is done and refused, and what ends in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from store.databases import KINDS, laid_out_url
from switches.desk import CARDS, HOUR, MINUTE, Desk, card, desk

from governance.core.authority import Actor
from governance.core.selection import Selection
from governance.core.switch import Scope
from governance.engine import switching
from governance.engine.batch_views import batch_view, foreseen_view
from governance.engine.reading import readable
from governance.engine.switch_views import nobody_confirms
from governance.engine.switching import Order, together
from governance.engine.timeline import timeline
from governance.errors import Conflict, Denied, InvalidDocument
from governance.store import decision_log
from governance.store.database import Database
from governance.views.batches import BatchForeseenView, BatchView

ALL = Selection(everything=True)
FALLBACK = Order(ALL, "fallback")
READ = (
    card("fraud", data={"depends_on": ["clicks"]}, versions={"fallback": "delay"}),
    card("ads", data={"depends_on": ["fraud"]}),
    card("delay"),
    card("spam", tier=3),
)


@pytest.fixture
def here() -> Iterator[Desk]:
    made = desk()
    yield made
    made.engine.database.close()


def seen(here: Desk, order: Order = FALLBACK, actor: Actor | str = "ana") -> BatchForeseenView:
    may = readable(here.engine, actor)
    found = switching.foresee(here.engine, order, actor=actor, at=here.now, readable=may)
    return foreseen_view(here.engine, found, nobody_confirms)


def pull(here: Desk, order: Order = FALLBACK, actor: Actor | str = "ana", **more: Any) -> BatchView:
    shown = seen(here, order, actor)
    said: dict[str, Any] = {"shown": shown.digest, "confirmed": shown.confirm, "because": "corrupt", **more}
    may = readable(here.engine, actor)
    batch = switching.pull_together(here.engine, order, actor=actor, at=here.now, readable=may, **said)
    return batch_view(here.engine, batch, nobody_confirms)


def one(here: Desk, model: str, mode: Any, actor: str = "ana", **more: Any) -> None:
    switching.pull(here.engine, model, mode, actor=actor, because="x", at=here.now, confirmed=model, **more)


def modes(here: Desk, *models: str) -> list[str]:
    found = (here.switch(each).at(Scope()) for each in models)
    return [each.mode if each is not None else "live" for each in found]


def test_each_gets_its_own_entry_bound_by_one_id_and_what_is_stricter_stays(here: Desk) -> None:
    one(here, "spam", "stopped")
    one(here, "delay", "shadow", scope=Scope("7"))
    done = pull(here, replace(FALLBACK, expires=HOUR))
    assert [(each.model, each.outcome) for each in done.items] == [
        ("credit", "pulled"), ("delay", "pulled"), ("spam", "unchanged"),
    ]  # fmt: skip
    assert done.said == "BATCH-3: 2 pulled, 1 unchanged"
    assert modes(here, "credit", "delay", "spam") == ["fallback", "fallback", "stopped"]
    assert len(here.switch("delay").settings) == 2, "what is set for a part stays"
    own, *each = here.entries("switch")[-3:]
    assert (own.decision.kind, own.decision.subject, own.seq) == (together.KIND, {"batch": "BATCH-3"}, done.entry)
    assert own.decision.body["models"] == ["credit", "delay"]
    assert own.decision.body["unchanged"] == ["spam"]
    assert [entry.decision.kind for entry in each] == ["switch.pulled"] * 2
    assert [entry.decision.subject["model"] for entry in each] == ["credit", "delay"]
    assert {str(entry.decision.body["batch"]) for entry in each} == {"BATCH-3"}
    assert [entry.seq for entry in each] == [item.entry for item in done.items[:2]]
    assert [entry.decision.body["seq"] for entry in each] == [3, 4]
    setting = here.switch("credit").at(Scope())
    assert setting is not None
    assert (setting.batch, setting.expires_at, setting.fallback) == ("BATCH-3", here.now + HOUR, "schedule")
    here.verify()
    with pytest.raises(Conflict, match="nothing to pull: all 3 models are restricted as much already"):
        pull(here, replace(FALLBACK, expires=HOUR))


def test_the_preview_says_of_each_what_would_happen_and_what_else_is_hit() -> None:
    here = desk(*READ)
    one(here, "spam", "stopped", expires=HOUR)
    one(here, "delay", "throttle", share=0.5, scope=Scope(labels=(("region", "eu"),)))
    found = seen(here, Order(Selection(models=("delay", "fraud", "spam")), "fallback"))
    rows = {each.model: each for each in found.items}
    assert (found.confirm, found.pull, found.unchanged, found.dependants) == ("fallback 2", 2, 1, ["ads"])
    assert rows["fraud"].said == "live → fallback"
    assert rows["fraud"].dependants == ["ads"]
    assert rows["fraud"].warnings[0] == "its fallback delay is pulled by this too"
    assert rows["delay"].covers == ["region=eu throttled: 50 % of its requests get the fallback"]
    assert rows["spam"].said == "stopped already since 2026-01-05 00:00 UTC by ana, seq 1"
    assert rows["spam"].warnings == ["what holds ends 2026-01-05 01:00 UTC, and this pull does not change that"]
    assert "1 of 2: the fallback is pulled by this too (fraud)" in found.warnings
    assert found.limit == "the limit on what rules pull (3 models or 10% in 15m) does not hold for people"
    here.world.values["delay-errors"] = 0.9
    here.later()
    alone = seen(here, Order(Selection(where=(("depends_on", "clicks"),)), "fallback"))
    (row,) = [each for each in alone.items if each.model == "fraud"]
    assert row.warnings[0].startswith("its fallback delay is not healthy: it is in throttle itself")
    assert [each.model for each in alone.items] == ["ads", "fraud"], "what rests on the pipeline, also through others"
    here.engine.database.close()


def test_it_is_not_limited_as_rules_are_and_counts_for_none_of_theirs() -> None:
    here = desk(*(card(f"m{number:02}") for number in range(12)))
    assert pull(here).pulled == 12
    assert not any(each.decision.kind == "switch.withheld" for each in here.entries())
    here.engine.database.close()


def test_what_changed_since_it_was_shown_is_a_conflict_that_says_what(here: Desk) -> None:
    shown = seen(here)
    one(here, "delay", "stopped", actor="bo")
    with pytest.raises(Conflict) as refused:
        pull(here, shown=shown.digest, confirmed=shown.confirm)
    assert str(refused.value) == (
        "nothing was pulled, as it is not what you were shown: delay is stopped by bo (seq 1); it would pull 3 models "
        "then and 2 now; look again, then pull"
    )
    with pytest.raises(Conflict, match="a preview of other models, or of another mode, share or expiry than shadow"):
        pull(here, Order(ALL, "shadow"), shown=seen(here).digest)
    shown = seen(here)
    here.replan(*CARDS, card("new"))
    with pytest.raises(Conflict, match=r"the policies changed; it would pull 2 models then and 3 now"):
        pull(here, shown=shown.digest, confirmed=shown.confirm)
    with pytest.raises(InvalidDocument, match="the digest is that of the preview"):
        pull(here, shown="42")
    assert here.kinds() == ["switch.pulled"], "only what bo did"


def test_a_change_that_touches_nothing_of_what_was_shown_is_none(here: Desk) -> None:
    shown = seen(here, Order(Selection(models=("credit", "delay")), "fallback"))
    one(here, "spam", "stopped")
    one(here, "delay", "shadow", scope=Scope("7"))
    done = pull(here, Order(Selection(models=("delay", "credit")), "fallback"), shown=shown.digest)
    assert done.pulled == 2


def test_it_must_be_confirmed_with_what_is_set_and_for_how_many(here: Desk) -> None:
    for typed in ("", "3", "fallback 2", "stopped 3"):
        with pytest.raises(Denied, match=r"pulling 3 models must be confirmed; type fallback 3 "):
            pull(here, confirmed=typed)
    with pytest.raises(InvalidDocument, match="say why"):
        pull(here, because=" ")
    assert here.kinds() == []


def test_those_that_one_may_not_pull_are_refused_with_who_may_and_the_others_are_pulled() -> None:
    roles = [{"role": "responder", "who": ["cy"], "models": {"model": "delay"}}, {"role": "viewer", "who": ["risk"]},
             {"role": "responder", "who": ["ops"]}]  # fmt: skip
    here = desk(roles=roles)
    found = seen(here, actor="cy")
    rows = {each.model: each for each in found.items}
    assert (found.confirm, found.refused, rows["credit"].who_may) == ("fallback 1", 2, ["ana", "bo"])
    done = pull(here, actor="cy")
    assert [(each.model, each.outcome) for each in done.items] == [
        ("delay", "pulled"), ("credit", "refused"), ("spam", "refused"),
    ]  # fmt: skip
    assert done.items[1].said.endswith("it needs the role responder for credit; these people may: ana, bo")
    assert modes(here, "credit", "delay") == ["live", "fallback"]
    with pytest.raises(Denied, match="these people may: ana, bo"):
        pull(here, actor="dee")
    here.engine.database.close()


def test_an_incident_is_mitigated_once_and_restores_that_wait_are_void(here: Desk) -> None:
    one(here, "credit", "shadow")
    asked = switching.restore(here.engine, "credit", actor="cy", because="x", at=here.now, seq=1, confirmed="credit")
    assert isinstance(asked, switching.Requested)
    here.world.values["delay-errors"] = 0.9
    here.later()
    (incident,) = here.incidents()
    pull(here, incident=incident.id)
    assert here.incidents()[0].status == "mitigated"
    told = [each.text for each in timeline(here.engine, incident.id) if each.kind.startswith("switch.")]
    assert told == ["pulled 3 models together, fallback (BATCH-2): corrupt"], "not one line for each"
    assert here.kinds("incident.mitigated") == ["incident.mitigated"]
    assert switching.request_of(here.engine, asked.approval.id).state == "voided"
    here.verify()


def cut_off(here: Desk, **more: Any) -> None:
    """Pull all, in a process that is killed when it has pulled the first group."""
    here.engine.database.close()  # a process has its own connections
    process = os.fork()
    if not process:
        pull(here, told=lambda: os.kill(os.getpid(), signal.SIGKILL), **more)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


def seven(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(together, "GROUP", 2)
    return desk(*(card(f"m{number}") for number in range(7)), database=Database(laid_out_url(kind, tmp_path)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_killed_in_the_middle_is_finished_by_the_engine_itself(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = seven(kind, tmp_path, monkeypatch)
    cut_off(here, actor=Actor("ana", channel="tui"))
    assert modes(here, "m0", "m1", "m2") == ["fallback", "fallback", "live"], "one group was committed"
    here.now += MINUTE
    one(here, "m2", "stopped", actor="bo")
    one(here, "m3", "shadow", actor="bo")
    switching.restore(here.engine, "m0", actor="ana", because="x", at=here.now, seq=1, confirmed="m0")
    assert batch_view(here.engine, "BATCH-1", nobody_confirms).left == 4
    here.later()
    here.later()  # it is done once
    after = batch_view(here.engine, "BATCH-1", nobody_confirms)
    assert (after.pulled, after.resumed, after.unchanged, after.refused, after.left) == (5, 3, 1, 1, 0)
    assert after.said == (
        "BATCH-1: 5 pulled, 1 unchanged, 1 refused; the engine had ended in the middle, and 3 were pulled by the "
        "engine itself after a restart"
    )
    rows = {each.model: each.said for each in after.items}
    assert rows["m3"] == "its switch was changed since it was shown: m3 is in shadow by bo (seq 4); pull it by itself"
    assert rows["m0"].endswith("; changed since: it is live"), "what was given back stays so"
    assert modes(here, "m0", "m2", "m3", "m6") == ["live", "stopped", "shadow", "fallback"]
    pulls = [each.decision for each in here.entries("switch.pulled") if each.decision.body.get("batch") == "BATCH-1"]
    assert len({each.subject["model"] for each in pulls}) == len(pulls) == 5
    assert {(each.actor, each.body["channel"]) for each in pulls} == {("ana", "tui")}
    (told,) = here.entries("switch.batch_finished")
    assert (told.decision.actor, told.decision.subject) == ("engine", {"batch": "BATCH-1"})
    assert (told.decision.body["by"], told.decision.body["models"]) == ("ana", ["m4", "m5", "m6"])
    here.verify()
    here.engine.database.close()


def test_what_was_cut_off_is_finished_when_it_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = seven("sqlite", tmp_path, monkeypatch)
    cut_off(here)
    decision_log.seal(here.engine.database, here.now)
    batch, _ = switching.batch_of(here.engine, "BATCH-1")
    assert switching.finish(here.engine, batch, actor=Actor("ana"), at=here.now) == 5
    assert switching.finish(here.engine, batch, actor=Actor("ana"), at=here.now) == 0
    here.later()
    after = batch_view(here.engine, "BATCH-1", nobody_confirms)
    assert after.said.endswith(
        "BATCH-1: 7 pulled; the engine had ended in the middle, and 5 were pulled when it was asked again"
    )
    here.verify()
    here.engine.database.close()


def test_what_may_not_be_pulled_any_more_when_it_is_finished_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = seven("sqlite", tmp_path, monkeypatch)
    cut_off(here, actor=Actor("ana", channel="cli"))
    here.later(MINUTE / 3)
    assert here.entries("switch.batch_finished") == [], "a command line may still be at it"
    here.replan(*(card(f"m{number}") for number in range(5)), roles=[{"role": "responder", "who": ["bo"]}], teams={})
    here.later()
    (told,) = here.entries("switch.batch_finished")
    refused: dict[str, str] = dict(told.decision.body["refused"])  # type: ignore[call-overload] # as it was written
    assert (told.decision.body["models"], sorted(refused)) == ([], ["m2", "m3", "m4", "m5", "m6"])
    assert refused["m2"].endswith("it needs the role responder for m2; these people may: bo")
    assert refused["m6"] == "no card declares it any more"
    here.engine.database.close()


def test_one_that_had_an_end_ends_when_it_was_to_though_it_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = seven("sqlite", tmp_path, monkeypatch)
    ends = here.now + HOUR
    cut_off(here, order=replace(FALLBACK, expires=HOUR))
    here.later(MINUTE * 10)
    found = here.switch("m6").at(Scope())
    assert found is not None
    assert (found.expires_at, found.set_at) == (ends, here.now)
    here.engine.database.close()
