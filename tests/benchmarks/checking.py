"""Time `gov check` as its users start it: 5 cards, and 1,000 cards × 10 rules with 200 distinct expressions.

Each run is a process of its own, start-up included. CPU seconds are printed beside the wall's, as other work on the
machine slows only the wall. The targets are for two idle cores.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

RULES, EXPRESSIONS = 10, 200
TARGETS = {5: 0.8, 1000: 5.0}  # seconds by the number of cards
GOV = "from governance.cli.main import main; main()"
FORMS = (
    "metrics.score_mean > {limit} && card.tier <= 2",
    "metrics.latency_p95 > {limit} || metrics.latency_p50 > {limit} / 2.0",
    "max(metrics.psi) > {limit} && avg(metrics.null_rate) < 0.5",
    "avg_over_time(metrics.score_mean, '7d') > {limit}",
    "change(metrics.spend, '7d') > {limit} && metrics.predictions > 100.0",
)
ORG = """\
kind: org
people: {ana: {}, bo: {}}
teams: {lending: {members: [ana, bo], leads: [ana]}}
sources:
  predictions: {kind: parquet, path: data}
  prometheus: {kind: prometheus, address: "http://prometheus:9090"}
"""
CARD = """\
# yaml-language-server: $schema=card.json
kind: card
model: model-{number}
description: Probability that a loan of kind {number} is not paid back.
tier: {tier}
labels: {{domain: lending, region: "r{number}"}}
owners: {{team: lending, accountable: ana, channel: "#lending"}}
versions: {{serving: "{number}.2", rollback_to: "{number}.1", fallback: scorecard}}
log:
  source: predictions
  reference: training
  table: loans_{number}
  columns: {{time: at, request: id, version: version, score: p, latency: s, cost: usd}}
data:
  features:
    income: {{type: number, range: [0, 1000000], pii: sensitive}}
    age: {{type: number, range: [18, 120], pii: pseudonymous}}
    region: {{type: category}}
  retention: {{features: {{at_most: 30d}}, predictions: {{at_most: 90d}}}}
metrics:
  p95: {{source: prometheus, unit: s, query: 'histogram_quantile(0.95, rate(seconds_bucket{{model="$model"}}[5m]))'}}
slos:
  fast: {{objective: 99%, good: metrics.p95 <= 0.15}}
rules:
"""


def expression(number: int) -> str:
    """Return one of the distinct expressions."""
    return FORMS[number % len(FORMS)].format(limit=round(0.5 + number / 1000, 3))


def card(number: int) -> str:
    """Return the card of one model."""
    rules = "".join(
        f"  - rule: own-{index}\n    when: {expression((number * RULES + index) % EXPRESSIONS)}\n"
        f'    for: 10m\n    summary: "{{metrics.score_mean}} is too high in {{card.model}}"\n'
        for index in range(RULES)
    )
    return CARD.format(number=number, tier=1 + number % 3) + rules


def write(folder: Path, cards: int) -> None:
    """Write the policies of so many models into a directory."""
    (folder / "policies").mkdir()
    (folder / "policies" / "org.yaml").write_text(ORG, encoding="utf-8")
    for number in range(cards):
        (folder / "policies" / f"model-{number}.yaml").write_text(card(number), encoding="utf-8")


def checked(folder: Path) -> tuple[float, float, float]:
    """Run `gov check` in a directory; return its wall seconds, CPU seconds and peak MB.

    :raises SystemExit: it found problems, so that the figures would mean nothing
    """
    started = time.perf_counter()
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", GOV, "-C", str(folder), "check"], os.environ)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit("gov check found problems")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Print a line for each size."""
    print(f"{'gov check':<24}{'wall':>9}{'CPU':>9}{'target':>9}{'peak':>9}", flush=True)
    for cards, target in TARGETS.items():
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), cards)
            wall, cpu, peak = min(checked(Path(folder)) for _ in range(3 if cards < 100 else 1))
        print(f"{f'{cards:,} cards':<24}{wall:>7.2f} s{cpu:>7.2f} s{target:>7.1f} s{peak:>6.0f} MB", flush=True)


if __name__ == "__main__":
    main()
