"""What the engine says of itself: /metrics, /healthz, /readyz."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import httpx
from contract.sources.programs import free_port, program, running
from interfaces.serving import Served, sample

PROMETHEUS = """
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
scrape_configs:
  - job_name: gov
    static_configs: [{targets: ["TARGET"]}]
"""


def test_the_figures_follow_what_happens(served: Served) -> None:
    served.until(lambda: served.figures().get("gov_last_cycle_age_seconds", 99) < 10)
    assert served.figures()['gov_open_incidents{severity="critical"}'] == 0
    served.push(sample(0.9), sample(0.2, metric="other"))
    served.until(lambda: served.figures()['gov_open_incidents{severity="critical"}'] == 1)
    served.until(lambda: 'gov_verdicts_total{outcome="fail"}' in served.figures())  # counted when the cycle is over
    found = served.figures()
    assert found['gov_alerts{severity="critical",state="firing"}'] == 1
    assert found['gov_pushed_samples_total{source="pushed"}'] == 2
    assert found['gov_verdicts_total{outcome="fail"}'] >= 1
    assert found["gov_cycle_seconds"] > 0
    for idle in ("gov_failing_sources", "gov_failed_steps_total", "gov_undelivered_effects"):
        assert found[idle] == 0


def test_ready_while_cycles_come_and_the_database_can_be_written(served: Served) -> None:
    served.until(lambda: served.http.get("/readyz").status_code == 200)
    with sqlite3.connect(served.directory / ".gov" / "governance.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        served.until(lambda: "one is due every 1s" in served.http.get("/readyz").text)
        answer = served.http.get("/readyz")
        other.execute("ROLLBACK")
    other.close()
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    # The other program holds the lock; who waits behind a task of ours that waits for it is told of that task.
    assert any("locked" in each or "busy" in each for each in answer.json()["reasons"])
    assert served.http.get("/healthz").json() == {"status": "up"}
    served.until(lambda: served.http.get("/readyz").status_code == 200)


def test_a_decision_that_is_not_sealed_is_told(served: Served) -> None:
    served.until(lambda: served.http.get("/readyz").status_code == 200)
    home = served.directory / ".gov"
    (home / "governance.db.heads").rename(home / "away")
    (home / "governance.db.heads").mkdir()  # nothing can be published there, so nothing is sealed
    with sqlite3.connect(home / "governance.db") as other:
        other.execute(
            "INSERT INTO log_outbox (decision_id, at, kind, actor, subject, body) "
            "VALUES ('x', '2020-01-01T00:00:00.000000Z', 'a.b', 'c', '{}', '{}')"
        )
    other.close()
    served.until(lambda: "waits for its seal" in served.http.get("/readyz").text)
    assert served.figures()["gov_unsealed_entries"] >= 1
    served.until(lambda: served.figures()["gov_failed_steps_total"] >= 1)
    (home / "governance.db.heads").rmdir()
    (home / "away").rename(home / "governance.db.heads")
    served.until(lambda: served.http.get("/readyz").status_code == 200)
    served.until(lambda: "the engine goes on" in served.printed)


def test_a_real_prometheus_scrapes_us(served: Served, tmp_path: Path) -> None:
    found = program("prometheus", "apt-get install prometheus")
    (tmp_path / "p.yml").write_text(PROMETHEUS.replace("TARGET", served.url.removeprefix("http://")))
    port = free_port()
    command = [found, f"--config.file={tmp_path}/p.yml", f"--storage.tsdb.path={tmp_path}/tsdb"]
    address = f"http://127.0.0.1:{port}"
    with running(
        [*command, f"--web.listen-address=127.0.0.1:{port}"], ready=f"{address}/-/ready", log=tmp_path / "log"
    ):
        served.push(sample(0.1))

        def asked(query: str) -> float | None:
            result = httpx.get(f"{address}/api/v1/query", params={"query": query}, trust_env=False).json()
            values = result["data"]["result"]
            return float(values[0]["value"][1]) if values else None

        served.until(lambda: asked('gov_pushed_samples_total{source="pushed"}') == 1)
        served.until(lambda: (asked("gov_last_cycle_age_seconds") or 99) < 30)
        assert asked("up") == 1
