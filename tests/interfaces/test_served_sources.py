"""`gov serve` judges by a real Prometheus that scrapes it; when that is gone, people are told so once."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.sources.programs import free_port, program, running
from interfaces.serving import Served, ask, prepared, sample

ORG = """
kind: org
people: {ana: {}}
sources:
  pushed: {kind: push}
  figures: {kind: prometheus, address: "ADDRESS", timeout: 2s}
cycle: {every: 1s}
"""
FLEET = """
kind: pack
pack: fleet
applies_to: card.model != 'engine'
metrics:
  readings:
    query: label_replace(sum(gov_pushed_samples_total), 'model', 'loans', '', '')
    source: figures
    model_label: model
    every: 1s
rules: [{rule: many, when: metrics.readings > 2.0, severity: warning, summary: "{metrics.readings} readings"}]
"""
OWN = """
kind: card
model: MODEL
owners: {team: t, accountable: ana}
metrics: {up: {source: figures, query: "sum(up)", every: 1s}}
rules: [{rule: down, when: metrics.up < 1.0, severity: critical}]
"""
SCRAPE = """
global: {scrape_interval: 200ms, scrape_timeout: 200ms}
scrape_configs: [{job_name: gov, static_configs: [{targets: ["TARGET"]}]}]
"""


@pytest.fixture
def address() -> str:
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def scraped(tmp_path: Path, address: str) -> Iterator[Served]:
    """An engine that asks a Prometheus which does not run yet."""
    program("prometheus", "apt-get install prometheus")
    cards = {f"{name}.yaml": OWN.replace("MODEL", name) for name in ("loans", "cards")}
    made = Served(
        prepared(tmp_path / "own", {"org.yaml": ORG.replace("ADDRESS", address), "fleet.yaml": FLEET, **cards})
    )
    yield made
    made.close()


def failing(served: Served) -> list[str]:
    """Return what was printed of incidents about the source, in their order."""
    return re.findall(r"INC-\d+ (\w+)  critical  engine: source figures fails", served.printed)


def test_a_prometheus_that_comes_is_judged_by_halts_and_comes_again(
    scraped: Served, tmp_path: Path, address: str
) -> None:
    scraped.until(lambda: failing(scraped) == ["opened"])
    assert f"source figures fails: no connection to {address}" in scraped.printed
    assert "blinds cards, loans" in scraped.printed
    (tmp_path / "p.yml").write_text(SCRAPE.replace("TARGET", scraped.url.removeprefix("http://")))
    command = [
        program("prometheus", "apt-get install prometheus"),
        f"--config.file={tmp_path}/p.yml",
        f"--storage.tsdb.path={tmp_path}/tsdb",
        f"--web.listen-address={address.removeprefix('http://')}",
    ]
    with running(command, ready=f"{address}/-/ready", log=tmp_path / "log") as process:
        scraped.until(lambda: failing(scraped)[-1] == "resolved")
        scraped.push(*(sample(0.1, metric=name) for name in ("a", "b", "c")))
        scraped.until(lambda: re.search(r"INC-\d+ \w+  warning  loans: 3\S* readings", scraped.printed))
        process.send_signal(signal.SIGSTOP)
        scraped.until(lambda: failing(scraped)[-1] == "reopened")
        listed = ask(scraped.directory, "incidents", "list").stdout
        assert listed.count("source figures fails") == 1
        assert "readings" in listed  # what was found is not cleared while nobody can look
        process.send_signal(signal.SIGCONT)
        scraped.until(lambda: failing(scraped)[-1] == "resolved")
    assert "cards: down" not in scraped.printed
    assert "loans: down" not in scraped.printed
