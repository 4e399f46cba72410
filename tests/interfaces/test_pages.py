"""Every list of the API comes in pages, and who walks them meets each element once, whatever is added meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import HTTPException
from hypothesis import given
from hypothesis import strategies as st
from interfaces.inside import CARDS, Inside, inside

from governance.api.cursors import part
from governance.client import Client

ORG = (
    CARDS["org.yaml"]
    .replace("roles:", "roles:\n  - {role: approver, who: [ana]}")
    .replace("{role: responder, who: [bob]}", "{role: responder, who: [bob, ana]}")
)
LISTS = ("fleet", "incidents", "alerts", "switches", "approvals", "waivers", "silences")
NAMES = ("alpha", "bravo", "carol")
CARD = """
kind: card
model: {name}
tier: 1
owners: {{team: t}}
metrics: {{errors: {{source: pushed, query: error_rate, every: 1s, stale_after: 1h}}}}
rules: [{{rule: errors-high, when: metrics.errors > 0.5}}]
"""


@given(st.sets(st.integers(0, 50), max_size=12), st.lists(st.sets(st.integers(0, 50), max_size=4)), st.integers(1, 5))
def test_nothing_is_lost_or_met_twice_while_elements_are_added(
    first: set[int], added: list[set[int]], limit: int
) -> None:
    present, later, met, cursor = set(first), list(added), list[int](), ""
    while True:
        items, after = part(sorted(present), _place, "numbers", limit=limit, cursor=cursor)
        assert len(items) <= limit
        met.extend(items)
        if after is None:
            break
        present |= later.pop() if later else set()
        cursor = after
    assert met == sorted(set(met))
    assert first <= set(met) <= present


@given(st.text(max_size=80))
def test_a_cursor_that_is_none_of_ours_is_refused(text: str) -> None:
    if not text:
        return
    with pytest.raises(HTTPException, match="begin again"):
        part([1, 2], _place, "numbers", limit=1, cursor=text)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    cards = {f"{name}.yaml": CARD.format(name=name) for name in NAMES}
    made: Any = inside(tmp_path_factory.mktemp("pages") / "own", {"org.yaml": ORG, **cards})
    made.ana, made.bob = made.token("ana"), made.token("bob")
    for name in NAMES:
        made.judge(0.9, model=name)
        added(made, name)
    yield made
    made.engine.database.close()


def added(api: Any, model: str) -> None:
    """Pull and ask to restore, ask for two waivers of which one is granted, and be silent about a model."""
    until = (api.clock.now() + timedelta(days=1)).isoformat()
    asked = {"model": model, "rule": "errors-high", "because": "known", "until": until}
    waivers = [api.as_(api.bob, "POST", "/v1/waivers", json=asked) for _ in range(2)]
    approval = waivers[0].json()["approval"]["id"]
    done = [
        *waivers,
        api.as_(api.ana, "POST", f"/v1/approvals/{approval}/approve", json={}),
        api.as_(api.bob, "POST", "/v1/silences", json={"model": model, "because": "known", "until": until}),
    ]
    pulled = api.as_(api.bob, "POST", f"/v1/switches/{model}/pull", json={"mode": "shadow", "because": "drill"})
    body = {"because": "over", "confirm": model, "seq": pulled.json()["switch"]["seq"]}
    done += [pulled, api.as_(api.bob, "POST", f"/v1/switches/{model}/restore", json=body)]
    assert all(each.status_code in (200, 202) for each in done), [each.text for each in done]


def named(element: dict[str, Any]) -> str:
    """Return what tells an element from all others of its list."""
    return repr([element.get(name) for name in ("id", "model", "rule", "kind", "labels")])


def walked(api: Any, name: str, between: Callable[[], object]) -> list[str]:
    """Walk a list one element at a time, and do something between two pages."""
    met, cursor = [], ""
    while cursor is not None:
        page = api.as_(api.ana, "GET", f"/v1/{name}", params={"limit": 1, "cursor": cursor}).json()
        assert len(page["items"]) <= 1, page
        met += [named(each) for each in page["items"]]
        cursor = page["next"]
        between()
    return met


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_walked_while_it_grows(api: Any, name: str) -> None:
    whole = api.as_(api.ana, "GET", f"/v1/{name}").json()
    assert whole["next"] is None
    before = [named(each) for each in whole["items"]]
    assert len(before) >= len(NAMES)
    until = (api.clock.now() + timedelta(days=2)).isoformat()
    more = {"because": "more", "until": until, "model": NAMES[0], "rule": "errors-high"}

    def grow() -> None:
        api.clock.on(seconds=1)
        assert api.as_(api.bob, "POST", "/v1/waivers", json=more).status_code == 202
        assert api.as_(api.bob, "POST", "/v1/silences", json=more).status_code == 200

    growth = iter([grow, grow])

    def between() -> None:
        next(growth, int)()

    met = walked(api, name, between)
    assert len(met) == len(set(met))
    assert [each for each in met if each in before] == before


def test_a_cursor_is_good_for_its_own_question_only(api: Any) -> None:
    cursor = api.as_(api.ana, "GET", "/v1/incidents?limit=1").json()["next"]
    for path in ("/v1/incidents?status=all", "/v1/incidents?model=alpha", "/v1/silences?ended=true", "/v1/alerts?x=1"):
        answer = api.as_(api.ana, "GET", f"{path}&limit=1&cursor={cursor}")
        assert (answer.status_code, "begin again without one" in answer.text) == (400, True), path


def test_the_client_reads_whole_lists(api: Inside, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for asking in ("connection", "fleet", "incidents"):
        monkeypatch.setattr(f"governance.client.{asking}.PAGE", 1)
    client = Client("http://127.0.0.1", api.ana)  # type: ignore[attr-defined]
    own = dict(client._http.headers)

    def get(path: str, *, params: Any, headers: dict[str, str] | None) -> httpx.Response:
        return api.client.get(path, params=params, headers={**own, **(headers or {})})

    client._http.get = get  # type: ignore[assignment, method-assign]
    assert len(client.fleet().items) == 3 + 1
    assert {each.model for each in client.switches()} == set(NAMES)
    for whole in (client.incidents, client.alerts, client.approvals, client.waivers, client.silences):
        found = whole()
        assert len(found) >= len(NAMES), whole
        assert len({each.model_dump_json() for each in found}) == len(found)


def _place(number: int) -> tuple[int]:
    return (number,)
