"""Error budgets that no rule looks at: they are told all the same, and what cannot be told is not taken for left."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from following import PACKS
from interfaces.serving import Served, ask

from governance.client import Client
from tui.widgets.budget import budgets

ORG = """
kind: org
people: {ana: {}}
sources: {shop: {kind: sql, address: "sqlite:///shop.db"}, gone: {kind: sql, address: "sqlite:///gone/gone.db"}}
cycle: {every: 1s}
"""
ASKED = "select count(*) as value from asked where at >= :since and at < :at"
CARD = f"""
kind: card
model: answers
owners: {{team: t, accountable: ana}}
metrics:
  failed: {{source: shop, query: "{ASKED} and failed", window: 5m, every: 1s}}
  asked: {{source: shop, query: "{ASKED}", window: 5m, every: 1s}}
  lost: {{source: gone, query: "{ASKED}", window: 5m, every: 1s}}
slos:
  correct: {{objective: 99%, window: 30d, errors: metrics.failed, total: metrics.asked}}
  strict: {{objective: 99.99%, window: 30d, errors: metrics.failed, total: metrics.asked}}
  quick: {{objective: 99.5%, window: 4w, good: metrics.failed < 100.0}}
  blind: {{objective: 99%, window: 30d, errors: metrics.lost, total: metrics.asked}}
  burning: {{objective: 98%, window: 30d, errors: metrics.failed, total: metrics.asked}}
rules: [{{rule: burns, when: "burn_rate(slos.burning, '25d') > 40.0"}}]
"""
EMPTY = {f"packs/{name}.yaml": f"kind: pack\npack: {name}\n" for name in (*PACKS, "slo", "retraining")}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An engine whose packs ask for no budget; 13 of 2,000 requests failed."""
    directory = tmp_path_factory.mktemp("budgets")
    now = datetime.now(UTC)
    with closing(sqlite3.connect(directory / "shop.db")) as shop, shop:
        shop.execute("create table asked (at text, failed int)")
        asked = [(now - timedelta(days=24) + timedelta(minutes=17 * each), each % 160 == 7) for each in range(2000)]
        shop.executemany("insert into asked values (?, ?)", [(f"{at:%Y-%m-%d %H:%M:%S}", bad) for at, bad in asked])
    (directory / "policies" / "packs").mkdir(parents=True)
    for name, text in {"org.yaml": ORG, "answers.yaml": CARD, **EMPTY}.items():
        (directory / "policies" / name).write_text(text.lstrip(), encoding="utf-8")
    made = Served(directory)
    yield made
    made.close()


def test_what_is_left_is_told_though_no_rule_asks(served: Served) -> None:
    with Client(served.url) as client:
        served.until(lambda: [each for each in client.budgets("answers") if each.slo == "correct" and each.left])
        found = {each.slo: each for each in client.budgets("answers")}
    assert list(found) == ["strict", "correct", "burning", "quick", "blind"], "the least that is left first"
    assert found["correct"].left == pytest.approx(0.35)
    assert found["strict"].left == pytest.approx(-64)
    assert found["burning"].left == pytest.approx(1 - 0.0065 / 0.02)
    assert [name for name, each in found.items() if not each.unwatched] == ["burning"]
    assert found["correct"].judged_at is not None
    assert found["correct"].at is not None
    assert found["correct"].points[-1].value == pytest.approx(0.35)
    assert found["burning"].burns[0].window == "25d"
    assert found["blind"].left is None
    assert found["quick"].left is None
    assert "gone" in found["blind"].why_not, "what cannot be told is not taken for untouched"
    assert found["quick"].why_not.startswith("quick is known since")
    assert [each.unwatched for each in (found["blind"], found["quick"])] == [True, True]


def test_the_source_of_a_budget_that_no_rule_looks_at_is_watched_all_the_same(served: Served) -> None:
    said = served.until(lambda: [line for line in served.printed.splitlines() if "source gone fails" in line])
    assert said[0].endswith("blinds answers")


def test_an_evaluation_by_hand_tells_them_too(served: Served) -> None:
    served.until(lambda: "INC-1" in served.printed)
    done = ask(served.directory, "eval", "answers")
    assert "· error budget of correct (99 % of events over 30d): 35% left; no rule looks at it\n" in done.stdout
    assert "· error budget of burning (98 % of events over 30d): 68% left\n" in done.stdout
    assert "? error budget of blind (99 % of events over 30d): not known: " in done.stdout
    told = json.loads(ask(served.directory, "eval", "answers", "--format", "json").stdout)["budgets"]
    assert [each["slo"] for each in told] == ["strict", "correct", "burning", "quick", "blind"]


def test_the_terminal_app_says_that_nobody_is_told(served: Served) -> None:
    with Client(served.url) as client:
        found = client.budgets("answers")
    lines = "\n".join(budgets(found, datetime.now(UTC)))
    assert "✗[/] [b]strict[/]" in lines, "spent, though no rule fails"
    assert "✓[/] [b]correct[/]" in lines
    assert "?[/] [b]blind[/]" in lines
    assert lines.count("no rule looks at it:") == 4
