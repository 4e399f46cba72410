"""An organisation whose incidents are told in Slack; ADDRESS is where its Web API answers."""

ORG = """
kind: org
people: {ana: {slack: U0ANA}, bob: {}}
teams: {t: {members: [ana, bob]}}
sources: {pushed: {kind: push}}
notifiers: {slack: {kind: slack, channel: "#ml-incidents", address: "ADDRESS", mode: http}}
cycle: {every: 1s}
"""
CARD = """
kind: card
model: loans
owners: {team: t, accountable: ana}
metrics: {errors: {source: pushed, query: error_rate, every: 1s, stale_after: 1h}}
rules:
  - rule: errors-high
    when: {warning: metrics.errors > 0.2, critical: metrics.errors > 0.5}
    summary: "Errors at {metrics.errors}"
"""
