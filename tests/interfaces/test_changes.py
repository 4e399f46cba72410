"""What changed in the fleet since somebody last asked: merged into what they had, it is the whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from interfaces.inside import Inside
from interfaces.test_waivers import Waived

from governance.engine.changes import Changes
from governance.engine.cycle import run_cycle
from governance.views import FleetView
from tui.known import Kept


class Follower:
    """Somebody who has the whole, and from then on asks only for what changed."""

    def __init__(self, api: Inside, secret: str) -> None:
        """Fetch the whole."""
        self.api, self.secret = api, secret
        self.kept = Kept(self.ask())

    def ask(self, **query: str | int) -> FleetView:
        """Ask for the fleet."""
        answer = self.api.as_(self.secret, "GET", "/v1/fleet", params=query)
        assert answer.status_code == 200, answer.text
        return FleetView.model_validate(answer.json())

    def follow(self) -> tuple[bool, list[str]]:
        """Ask for what changed and take it; return whether it was the whole, and which models it was about."""
        told = self.ask(since=self.kept.view.state)
        if told.whole:
            self.kept = Kept(told)
        else:
            self.kept.merge(told)
        whole = self.ask()
        assert self.kept.view.items == whole.items, "what was merged is what is"
        assert self.kept.view.tallies == whole.tallies
        return told.whole, sorted(each.model for each in told.items if each.model in ("loans", "fraud"))


@pytest.fixture
def waived(tmp_path: Path) -> Waived:
    return Waived(tmp_path)


def test_whoever_asks_for_what_changed_has_the_whole(waived: Waived) -> None:
    api, ana = waived.api, waived.ana
    api.judge(0.1, 0.2)
    follower = Follower(api, ana)

    def done(act: str, **body: object) -> Callable[[], None]:
        def act_it() -> None:
            path = act.replace("INC", str(api.as_(ana, "GET", "/v1/incidents").json()["items"][0]["id"]))
            assert api.as_(ana, "POST", path, json=body).status_code in (200, 201, 202)

        return act_it

    def slowly() -> None:
        """Judge as of an instant that is long gone, as an engine does that was away."""
        run_cycle(api.engine, api.clock.now() - timedelta(minutes=1))

    def nothing() -> None:
        """Do nothing."""

    steps: list[tuple[Callable[[], object], list[str]]] = [
        (nothing, []),
        (lambda: api.clock.on(hours=1), []),
        (lambda: api.judge(0.9), ["fraud", "loans"]),
        (nothing, []),
        (done("/v1/incidents/INC/acknowledge", version=1), ["loans"]),
        (done("/v1/switches/fraud/pull", mode="fallback", because="test", confirm="fraud"), ["fraud"]),
        (waived.approve, ["loans"]),
        (done("/v1/incidents/INC/resolve", version=2, because="test"), ["loans"]),
        (lambda: api.judge(0.1), ["fraud", "loans"]),
        (slowly, ["fraud", "loans"]),
        (lambda: api.clock.on(days=20), ["loans"]),  # the waiver has ended, though nobody has noticed
        (nothing, []),
    ]
    for number, (step, changed) in enumerate(steps):
        step()
        assert follower.follow() == (False, changed), number


def test_all_is_told_anew_where_more_than_models_changed(waived: Waived, monkeypatch: pytest.MonkeyPatch) -> None:
    api = waived.api
    api.judge(0.9)
    follower = Follower(api, waived.ana)
    follower.secret = api.token("ana", models=["loans"])
    assert follower.follow() == (True, ["loans"]), "the token reaches less far"
    follower.secret = waived.ana
    assert follower.follow() == (True, ["fraud", "loans"]), "and now farther"
    waived.reload(fraud=None)
    assert follower.follow() == (True, ["loans"]), "a model that is gone is told of by what is left"
    waived.reload(loans=waived.policies.joinpath("loans.yaml").read_text(encoding="utf-8").replace("0.5", "0.6"))
    assert follower.follow() == (False, ["loans"]), "the limit is another one"
    monkeypatch.setattr(api.engine, "changes", Changes())
    assert follower.follow() == (True, ["loans"]), "another process answers"
    assert follower.kept.view.items == follower.ask(since="nonsense").items
    assert follower.ask(since="nonsense").whole


def test_as_many_values_as_asked_for(waived: Waived) -> None:
    api = waived.api
    api.judge(*(number / 100 for number in range(25)))
    follower = Follower(api, waived.ana)

    def history(**query: int) -> list[float | None]:
        row = next(each for each in follower.ask(**query).items if each.model == "loans")
        assert row.metric is not None
        return row.metric.history

    assert len(history()) == 25
    assert history(points=10) == [0.0, 0.03, 0.06, 0.09, 0.12, 0.15, 0.18, 0.21, 0.24]
    assert history(points=0) == []
    assert api.as_(waived.ana, "GET", "/v1/fleet?points=61").status_code == 422


def test_incidents_are_not_sent_again_to_who_has_them(waived: Waived) -> None:
    api = waived.api
    api.judge(0.9)
    first = api.as_(waived.ana, "GET", "/v1/incidents")
    known = {"If-None-Match": f'"other", W/{first.headers["ETag"]}'}
    again = api.as_(waived.ana, "GET", "/v1/incidents", headers=known)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert api.as_(waived.ana, "POST", "/v1/incidents/1/acknowledge", json={"version": 1}).status_code == 200
    changed = api.as_(waived.ana, "GET", "/v1/incidents", headers=known)
    assert changed.status_code == 200
    assert {each["id"]: each["acknowledged_by"] for each in changed.json()["items"]}[1] == "ana"
