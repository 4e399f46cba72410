"""A lender with a model that serves, a worse one in its shadow, and a third that has just begun."""

from __future__ import annotations

from transcripts.shell import Shell, written

CARD = """\
kind: card
model: loans
owners: {team: lending, accountable: ana}
cadence: {every: 1h}
versions: {serving: "1", fallback: scorecard, shadow: "2", canary: {version: "3", share: 5%}}
log: {source: predictions, table: loans, reference: training, labels: paid,
  columns: {time: asked_at, request: request, version: version, score: score, decision: no,
    label: lost, label_time: known}}
truth: {delay: 1d, complete_after: 2d}
slices: [region]
data:
  features: {income: {type: number, range: [0, 100000], against: {window: 7d}}, region: {type: category}}
slos: {served: {objective: 99%, good: metrics.score_mean < 0.9}}
metrics:
  errors_of: {source: pushed, query: failed, unit: share}
rules:
  - rule: leans
    when: metrics.score_mean > 0.6
    summary: "The mean score is {metrics.score_mean}"
  - {rule: creeps, when: "change(metrics.score_mean, '7d') > 0.1"}
  - {rule: fails, when: metrics.errors_of > 0.1}
"""
ORG = "kind: org\nsources: {predictions: {kind: parquet, path: data}, pushed: {kind: push}}\n"
# Version 2 answers every second request beside version 1, which serves, and is no better than chance; 3 has just begun.
LOG = """
select timestamp '2026-01-05' + to_seconds(i * 60) as asked_at, 'r' || i || '/' || version as request, version,
       case when version = '2' then (hash(i) % 1000) / 1000.0 else risk end as score, score > 0.5 as no,
       10000 + (hash(i * 7) % 60000) as income, ['north', 'south'][1 + i % 2] as region, risk
from (select i, (hash(i * 13) % 1000) / 1000.0 as risk, unnest(case when i >= 5755 then ['1', '2', '3']
      when i % 2 = 0 then ['1', '2'] else ['1'] end) as version from range(5760) t(i))
"""
TRUTH = f"select request, risk > 0.5 as lost, asked_at + interval 20 hour as known from ({LOG})"
COLUMNS = "asked_at, request, version, score, no, income, region"


def lend(shell: Shell) -> Shell:
    """Write its card, its log, its labels and the rows it was trained on."""
    shell.write("policies/loans.yaml", CARD)
    shell.write("policies/org.yaml", ORG)
    written(shell.folder, f"select {COLUMNS} from ({LOG})", "data/loans/all.parquet")
    written(shell.folder, TRUTH, "data/paid/all.parquet")
    written(shell.folder, f"select score, income, region from ({LOG}) where version = '1'", "data/training.parquet")
    return shell
