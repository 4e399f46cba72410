"""Which versions of a model were seen, first and last: from pushes, from prediction logs, and never of others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from interfaces.inside import CARDS, START, Inside, inside

from governance.core.sighting import sightings
from governance.engine import pushing
from governance.engine.cycle import run_cycle
from governance.store.pushed import PushedSample
from governance.views import ModelView
from tui.widgets.card import versions

SERVED = """
kind: card
model: loans
owners: {team: t}
versions: {serving: "7", rollback_to: "6", shadow: "8", canary: {version: "9", share: 5%}, fallback: rules-of-thumb}
metrics:
  asked: {source: pushed, query: asked, every: 1s, stale_after: 1h, labels: [version]}
  errors: {source: pushed, query: error_rate, every: 1s, stale_after: 1h, labels: [version]}
rules: [{rule: errors-high, when: metrics.errors > 0.5}]
"""
LOGGED = """
kind: card
model: scored
owners: {team: t}
versions: {serving: "2", rollback_to: "1", shadow: "3"}
log: {source: logs, table: scored, predicts: probability, columns: {time: at, version: version, score: score}}
"""
HOUR = timedelta(hours=1)


def seen(here: Inside, secret: str, model: str) -> dict[str, dict[str, Any]]:
    """Return the versions of a model as the API tells them."""
    found = here.as_(secret, "GET", f"/v1/models/{model}").json()["versions"]
    return {each["version"]: each for each in found}


def test_pushes_tell_which_versions_were_seen_also_those_that_no_rule_asks_for(tmp_path: Path) -> None:
    here = inside(tmp_path / "own", {**CARDS, "loans.yaml": SERVED})
    ana = here.token("ana")
    before = here.clock.now()
    errors = [("error_rate", version, ago) for version, ago in (("7", 300), ("7", 60), ("6", 900))]
    for metric, version, ago in (*errors, ("asked", "5", 600), ("asked", "9", 5)):
        sample = PushedSample("loans", metric, before - timedelta(seconds=ago), 0.1, (("version", version),))
        pushing.push(here.engine, "pushed", [sample], key=f"{metric}{version}{ago}", actor="test", at=before)
    empty = PushedSample("loans", "asked", before, None, (("version", "8"),))
    pushing.push(here.engine, "pushed", [empty], key="empty", actor="test", at=before)
    run_cycle(here.engine, here.clock.on(seconds=1))
    found = seen(here, ana, "loans")
    assert list(found) == ["9", "7", "5", "6", "8", "rules-of-thumb"], "the last seen first"
    ages = {
        name: [(before - datetime.fromisoformat(each[end])).total_seconds() for end in ("first", "last")]
        for name, each in found.items()
        if each["first"] is not None
    }
    assert ages == {"9": [5, 5], "7": [300, 60], "5": [600, 600], "6": [900, 900]}
    assert found["5"]["roles"] == [], "a version that the card does not name was seen"
    assert found["7"]["roles"] == ["serving"]
    assert found["8"]["last"] is None, "that there was nothing to measure is no sight of it"
    assert [name for name, each in found.items() if each["earlier"]] == ["6"], "of before nobody knows"
    shown = ModelView.model_validate(here.as_(ana, "GET", "/v1/models/loans").json())
    lines = "\n".join(versions(shown, before))
    assert "[$muted]seen[/] 1 m ago[$muted], first 5 m ago[/]" in next(
        each for each in lines.splitlines() if "[b]7 " in each
    )
    assert "[$muted]seen[/] 5 s ago" in next(each for each in lines.splitlines() if "  canary " in each)
    assert "  also seen    [b]5 " in lines
    assert "shadow       [b]8               [/] [$muted]never seen[/]" in lines
    assert "first 15 m ago or before" in lines


def test_a_log_tells_them_by_its_version_column(tmp_path: Path) -> None:
    org = CARDS["org.yaml"].replace(
        "{pushed: {kind: push}}", "{pushed: {kind: push}, logs: {kind: parquet, path: logs}}"
    )
    folder = tmp_path / "own"
    (folder / "logs").mkdir(parents=True)
    start = START.replace(tzinfo=None)
    duckdb.execute(
        "copy (select ?::timestamp + interval 10 minute * (i - 300) as at, case when i < 200 then '1' else '2' end "
        f"as version, 0.5 as score from range(300) t(i)) to '{folder}/logs/scored.parquet'",
        [start],
    )
    here = inside(folder, {**CARDS, "org.yaml": org, "scored.yaml": LOGGED})
    ana = here.token("ana")
    changed = START - timedelta(minutes=10 * 100)
    for hours in range(-20, 1):
        run_cycle(here.engine, START + hours * HOUR)
    found = seen(here, ana, "scored")
    assert found["3"]["first"] is None
    first, last = (datetime.fromisoformat(found["2"][each]) for each in ("first", "last"))
    assert last == START
    assert abs(first - changed) <= 3 * HOUR
    assert abs(datetime.fromisoformat(found["1"]["last"]) - changed) <= 25 * HOUR
    assert "version_share" in found["1"]["by"]


def test_where_nothing_tells_versions_apart_none_is_said_to_be_unseen(tmp_path: Path) -> None:
    here = inside(tmp_path / "own", {**CARDS, "loans.yaml": SERVED.replace(", labels: [version]", "")})
    told = here.as_(here.token("ana"), "GET", "/v1/models/loans").json()
    assert told["unseen_why"] == "nothing tells its versions apart: no metric has the label version"
    lines = "\n".join(versions(ModelView.model_validate(told), here.clock.now()))
    assert "never seen" not in lines
    assert "nothing tells its versions apart" in lines


@pytest.mark.parametrize(("newest", "last"), [(10, 10), (7, 5)], ids=["still there", "gone"])
def test_one_that_the_newest_answer_does_not_name_was_gone_a_window_before(newest: int, last: int) -> None:
    at = [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in range(12)]
    found = sightings("share", [("1", at[1], at[10]), ("2", at[5], at[newest])], 2 * HOUR)
    assert [(each.first, each.last, each.earlier) for each in found] == [
        (at[1], at[10], True), (at[5], at[last], False)
    ]  # fmt: skip
