"""Findings on labels that come late: provisional first, then confirmed or withdrawn by complete labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import pytest
import yaml
from scenarios.story import START, Collector, FixedClock

from governance.core.card import Card
from governance.core.organisation import Organisation
from governance.core.plan import evaluation_plan
from governance.engine.cycle import run_cycle
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.engine.revision import Review
from governance.loader import load_text
from governance.sources.prediction_log import PredictionLog
from governance.store import decision_log, incidents
from governance.store.database import Database

HOUR = timedelta(hours=1)
NOON = START + 12 * HOUR
COMPLETE = START + 22 * HOUR  # twelve hours after the end of the window that was judged at noon
CARD: dict[str, Any] = {
    "kind": "card",
    "model": "m",
    "owners": {"team": "t"},
    "log": {
        "source": "s",
        "table": "p",
        "labels": "truth",
        "columns": {"time": "at", "request": "id", "decision": "yes", "label": "was", "label_time": "known"},
    },
    "truth": {"delay": "2h", "complete_after": "12h"},
    "metrics": {"right": {"measure": "accuracy", "window": "1d", "min_samples": 10}},
    "rules": [{"rule": "wrong", "when": "metrics.right < 0.4", "summary": "{metrics.right} are right"}],
}


def _engine(
    folder: Path, late_labels: bool, window: str = "1d", changes: Mapping[str, Any] = MappingProxyType({})
) -> Engine:
    """100 predictions whose labels say no within the hour, and 100 whose labels come eleven hours later."""
    (folder / "p").mkdir()
    (folder / "truth").mkdir()
    start = f"timestamp '{START:%Y-%m-%d %H:%M}'"
    duckdb.sql(
        f"copy (select {start} + to_minutes(1 + i) as at, 'r' || i as id, true as yes from range(200) t(i)) "
        f"to '{folder}/p/1.parquet'"
    )
    duckdb.sql(
        f"copy (select 'r' || i as id, i >= 100 and {late_labels} as was, {start} + to_minutes(1 + i) + "
        f"case when i < 100 then interval 1 hour else interval 11 hour end as known from range(200) t(i)) "
        f"to '{folder}/truth/1.parquet'"
    )
    metrics = {"right": {**CARD["metrics"]["right"], "window": window}}
    card, problems = load_text(yaml.safe_dump({**CARD, "metrics": metrics, **changes}), "m.yaml", {"card": Card})
    assert card is not None, problems
    database = Database("sqlite://")
    database.create_tables()
    notifiers = {"pager": Collector()}
    return Engine(
        evaluation_plan([card], []), Organisation(), {"s": PredictionLog(folder)}, notifiers, database, FixedClock()
    )


def _finding(engine: Engine) -> tuple[str, str, tuple[str, ...]]:
    with engine.database.read() as connection:
        (incident,) = incidents.listed(connection)
    (finding,) = incident.findings
    return incident.status, finding.summary, finding.story


def _kinds(engine: Engine, at: datetime) -> list[str]:
    entries = decision_log.tail(engine.database, 100)
    return [each.decision.kind for each in entries if each.decision.at == at and each.decision.kind.startswith("alert")]


@pytest.mark.parametrize("late_labels", [True, False], ids=["the late labels say yes", "the late labels say no too"])
def test_complete_labels_withdraw_or_confirm(tmp_path: Path, late_labels: bool) -> None:
    engine = _engine(tmp_path, late_labels)
    run_cycle(engine, NOON)
    assert _finding(engine) == ("triggered", "0 are right", ("fired (provisional)",))
    run_cycle(engine, COMPLETE - HOUR * (0 if late_labels else 1))
    if late_labels:
        assert _kinds(engine, COMPLETE) == ["alert.revised"]
        story = ("fired (provisional)", "withdrawn by complete labels (final)")
        assert _finding(engine) == ("resolved", "0 are right", story)
        return
    assert _finding(engine)[2] == ("fired (provisional)",)  # not before the labels are complete
    run_cycle(engine, COMPLETE)
    assert _kinds(engine, COMPLETE) == ["alert.confirmed"]
    assert _finding(engine) == ("triggered", "0 are right", ("fired (provisional)", "confirmed (final)"))
    run_cycle(engine, COMPLETE + HOUR)
    assert _kinds(engine, COMPLETE + HOUR) == []  # confirmed once


def test_a_restart_in_between_forgets_nothing(tmp_path: Path) -> None:
    engine = _engine(tmp_path, late_labels=False)
    run_cycle(engine, NOON)
    again = Engine(
        engine.plan,
        engine.organisation,
        {"s": PredictionLog(tmp_path)},
        engine.notifiers,
        engine.database,
        engine.clock,
    )
    run_cycle(again, COMPLETE)
    assert _finding(again)[2] == ("fired (provisional)", "confirmed (final)")


JUDGED = START + 6 * HOUR  # the window ends at four o'clock
QUIET = {**CARD["rules"][0], "no_data": {"then": "keep"}}


def _late_wrong(folder: Path, changes: Mapping[str, Any] = MappingProxyType({})) -> Engine:
    """Predictions that look right while half of the labels are there; the late half says no."""
    engine = _engine(folder, late_labels=False, window="4h", changes=changes)
    start = f"timestamp '{START:%Y-%m-%d %H:%M}'"
    duckdb.sql(
        f"copy (select 'r' || i as id, i < 50 as was, {start} + to_minutes(1 + i) + "
        f"case when i < 100 then interval 1 hour else interval 11 hour end as known from range(200) t(i)) "
        f"to '{folder}/truth/1.parquet'"
    )
    return engine


def test_complete_labels_find_what_a_provisional_pass_had_missed(tmp_path: Path) -> None:
    engine = _late_wrong(tmp_path)
    run_cycle(engine, JUDGED)
    with engine.database.read() as connection:
        assert incidents.listed(connection) == []  # half of the labels that came are right
    run_cycle(engine, JUDGED + 10 * HOUR)
    with engine.database.read() as connection:
        (incident,) = incidents.listed(connection)
    assert incident.title == "On complete labels: 0.25 are right"
    assert incident.findings[0].story == ("fired (final)",)
    (entry,) = decision_log.tail(engine.database, 1, kind="alert.firing")
    assert (entry.decision.subject["kind"], entry.decision.body["basis"]) == ("final", "final")


def test_complete_labels_that_say_worse_than_the_finding_are_told(tmp_path: Path) -> None:
    when = {"warning": "metrics.right < 0.55", "critical": "metrics.right < 0.3"}
    engine = _late_wrong(tmp_path, {"rules": [{**QUIET, "when": when}]})
    run_cycle(engine, JUDGED)
    with engine.database.read() as connection:
        assert [each.severity for each in incidents.listed(connection)] == ["warning"]
    run_cycle(engine, JUDGED + 10 * HOUR)
    with engine.database.read() as connection:
        (incident,) = incidents.listed(connection)
    assert (incident.severity, incident.title) == ("critical", "On complete labels: 0.25 are right (and 1 more rule)")
    assert [(each.key.kind, each.severity) for each in incident.findings] == [
        ("condition", "warning"),
        ("final", "critical"),
    ]
    run_cycle(engine, JUDGED + 11 * HOUR)
    assert _kinds(engine, JUDGED + 11 * HOUR) == []  # told once


def test_what_complete_labels_would_have_found_while_the_engine_was_away_is_found(tmp_path: Path) -> None:
    right = {"measure": "accuracy", "window": "4h", "min_samples": 60}  # no later window has so many early labels
    hourly = Organisation.model_validate({"cycle": {"every": "1h"}})
    engine = replace(_late_wrong(tmp_path, {"metrics": {"right": right}, "rules": [QUIET]}), organisation=hourly)
    step(engine, JUDGED)
    with engine.database.read() as connection:
        assert incidents.listed(connection) == []
    back = JUDGED + 14 * HOUR  # what was judged at six was complete at four in the afternoon
    step(engine, back)
    with engine.database.read() as connection:
        (incident,) = incidents.listed(connection)
    assert (incident.status, incident.title) == ("triggered", "On complete labels: 0.278 are right")  # up to three
    pager = engine.notifiers["pager"]
    assert isinstance(pager, Collector)
    assert [each.message.reason for each in pager.effects] == ["first"]  # it is still true, so it is told
    (entry,) = decision_log.tail(engine.database, 1, kind="alert.firing")
    assert entry.decision.body["late"] is True


def test_a_surprise_in_a_review_blinds_one_model_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    engine = _late_wrong(tmp_path)
    monkeypatch.setattr(Review, "verdicts", surprise)
    run_cycle(engine, JUDGED + 10 * HOUR)
    with engine.database.read() as connection:
        (incident,) = incidents.listed(connection)
    assert (incident.model, incident.severity) == ("engine", "critical")
    assert "of m cannot be judged: RuntimeError: nobody foresaw this" in incident.title


def test_minutes_that_were_judged_once_are_not_called_complete(tmp_path: Path) -> None:
    """The good minutes of an SLO are counted as they were judged; a later good one withdraws nothing."""
    slo = {"objective": "90%", "window": "1d", "good": "metrics.right >= 0.4"}
    rule = {"rule": "burning", "when": "burn_rate(slos.sound, '2h') > 2.0", "keep_firing_for": "1d"}
    engine = _engine(tmp_path, late_labels=True, changes={"slos": {"sound": slo}, "rules": [rule]})
    run_cycle(engine, NOON)
    assert _finding(engine)[2] == ("fired (provisional)",)
    run_cycle(engine, COMPLETE - HOUR)
    run_cycle(engine, COMPLETE)
    assert _kinds(engine, COMPLETE) == []
    assert _finding(engine)[2] == ("fired (provisional)",)
