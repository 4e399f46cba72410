"""What `gov check` must say of cards, packs and an organisation with one mistake each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

ORG = """\
kind: org
people:
  ana: {email: ana@example.com}
  bo: {}
teams:
  travel-ml: {members: [ana, bo], leads: [ana]}
sources:
  predictions: {kind: parquet, path: data}
"""

CARD = """\
kind: card
model: flight-delay
owners: {team: travel-ml}
log: {source: predictions, table: flights, columns: {time: at, score: p}}
"""

SIX = """\
kind: card
model: flight-delay
owners: {team: travel-lm, accountable: ana}
log: {source: predictions, table: flights, columns: {time: at, score: p, latency: s}}
rules:
  - rule: drift-of-scores
    when: >
      metrics.score_mean > 0.5
      && metrics.latncy_p95 > 0.150
  - rule: tier-one
    when: card.teir == 1 && metrics.score_mean > 0.9
  - rule: mixed
    when: metrics.score_mean > 'high'
  - rule: slow
    when: metrics.latency_p99 > seconds('2hours')
  - rule: data-quality/nuls
    keep_firing_for: 2d
"""

SIX_PROBLEMS = """\
policies/flight-delay.yaml:3:16: error[unknown-team]: no team 'travel-lm'
    3 | owners: {team: travel-lm, accountable: ana}
      |                ^^^^^^^^^ did you mean 'travel-ml'?
policies/flight-delay.yaml:9:18: error[unknown-metric]: no metric 'latncy_p95'
    9 |       && metrics.latncy_p95 > 0.150
      |                  ^^^^^^^^^^ did you mean 'latency_p95'?
policies/flight-delay.yaml:11:16: error[unknown-field]: no field 'teir' in card
   11 |     when: card.teir == 1 && metrics.score_mean > 0.9
      |                ^^^^ did you mean 'tier'?
policies/flight-delay.yaml:13:11: error[wrong-type]: cannot compare a double with a string
   13 |     when: metrics.score_mean > 'high'
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^
policies/flight-delay.yaml:15:41: error[bad-duration]: must be a duration such as 30m, 1h30m or 7d, not '2hours'
   15 |     when: metrics.latency_p99 > seconds('2hours')
      |                                         ^^^^^^^^
policies/flight-delay.yaml:16:11: error[unknown-rule]: no pack has a rule 'data-quality/nuls'
   16 |   - rule: data-quality/nuls
      |           ^^^^^^^^^^^^^^^^^ did you mean 'data-quality/nulls'?
6 problems in 2 files
"""


@dataclass(frozen=True)
class Case:
    """Files in `policies/` beside the organisation, and what must be shown of them, but for the last line."""

    id: str
    files: Mapping[str, str]
    shown: str

    @property
    def code(self) -> str:
        """The code of the first problem."""
        found = re.search(r"error\[([a-z-]+)\]", self.shown)
        return found[1] if found else ""


def card(identity: str, added: str, shown: str) -> Case:
    """Return the case of the sound card with lines added at its end, from line 5."""
    return Case(identity, {"card.yaml": CARD + added}, shown)


OWNERS = "kind: card\nmodel: flight-delay\nmetrics: {x: {source: predictions, query: x}}\n"
SCHEDULE = "schedules:\n  first: {zone: UTC, layers: [{people: [ana, bob], from: 2026-01-05}]}\n"
PACK = "kind: pack\npack: own\n"


def ladder(levels: str, more: str = "") -> dict[str, str]:
    """Return the organisation with an escalation of these levels, from line 11."""
    return {"org.yaml": ORG + f"escalations:\n  night:\n    levels:\n{levels}{more}"}


CASES = [
    Case("a member nobody knows", {"org.yaml": ORG.replace("leads: [ana]", "leads: [anna]")}, """\
policies/org.yaml:6:43: error[unknown-person]: no person 'anna'
    6 |   travel-ml: {members: [ana, bo], leads: [anna]}
      |                                           ^^^^ did you mean 'ana'?
"""),
    Case("a turn of nobody", {"org.yaml": ORG + SCHEDULE}, """\
policies/org.yaml:10:46: error[unknown-person]: no person 'bob'
   10 |   first: {zone: UTC, layers: [{people: [ana, bob], from: 2026-01-05}]}
      |                                              ^^^ did you mean 'bo'?
"""),
    Case("a level that leads to nobody", ladder("""\
      - to: [{schedule: first}, {team: travl-ml}]
      - {after: 10m, to: [{person: anna}, {notifier: pager}]}
""", "    fallback: [{team: operators}]\n"), """\
policies/org.yaml:12:25: error[unknown-schedule]: no schedule 'first'; no org.yaml among the checked files declares \
any
   12 |       - to: [{schedule: first}, {team: travl-ml}]
      |                         ^^^^^
policies/org.yaml:12:40: error[unknown-team]: no team 'travl-ml'
   12 |       - to: [{schedule: first}, {team: travl-ml}]
      |                                        ^^^^^^^^ did you mean 'travel-ml'?
policies/org.yaml:13:36: error[unknown-person]: no person 'anna'
   13 |       - {after: 10m, to: [{person: anna}, {notifier: pager}]}
      |                                    ^^^^ did you mean 'ana'?
policies/org.yaml:13:54: error[unknown-notifier]: no notifier 'pager'; no org.yaml among the checked files declares \
any
   13 |       - {after: 10m, to: [{person: anna}, {notifier: pager}]}
      |                                                      ^^^^^
policies/org.yaml:14:23: error[unknown-team]: no team 'operators'; known: travel-ml
   14 |     fallback: [{team: operators}]
      |                       ^^^^^^^^^
"""),
    Case("levels that do not follow each other", ladder("""\
      - {after: 10m, to: [{person: ana}]}
      - {after: 5m, to: [{person: bo}]}
      - {to: [{team: travel-ml}]}
"""), """\
policies/org.yaml:13:17: error[level-order]: level 2 comes after 5m, and level 1 after 10m: each level comes later \
than the one before
   13 |       - {after: 5m, to: [{person: bo}]}
      |                 ^^
policies/org.yaml:14:14: error[level-order]: level 3 comes at once, and level 2 after 5m: each level comes later than \
the one before
   14 |       - {to: [{team: travel-ml}]}
      |              ^^^^^^^^^^^^^^^^^^^
"""),
    Case("a level after another system took over", ladder("""\
      - {to: [{notifier: pager}], hands_over: true, severities: [warning, critical]}
      - {after: 5m, to: [{person: bo}]}
""", "notifiers: {pager: {kind: console}}\n"), """\
policies/org.yaml:13:25: error[unreached-level]: level 2 is never told: level 1 hands over to another system
   13 |       - {after: 5m, to: [{person: bo}]}
      |                         ^^^^^^^^^^^^^^
"""),
    Case("what no level can mean", ladder("""\
      - {to: []}
      - {after: 5m, to: [{person: bo, team: travel-ml}]}
      - {after: 6m, to: [{person: bo}], hands_over: true, severities: [info]}
""", "    acknowledge_timeout: 5s\n"), """\
policies/org.yaml:12:14: error[invalid-value]: an empty list tells nobody: write at least one, or leave the level out
   12 |       - {to: []}
      |              ^^
policies/org.yaml:13:26: error[invalid-value]: name one of schedule, team, person and notifier
   13 |       - {after: 5m, to: [{person: bo, team: travel-ml}]}
      |                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
policies/org.yaml:14:72: error[unknown-value]: must be one of warning or critical, not 'info'
   14 |       - {after: 6m, to: [{person: bo}], hands_over: true, severities: [info]}
      |                                                                        ^^^^
policies/org.yaml:15:26: error[invalid-value]: must be a minute at least: people need time to answer
   15 |     acknowledge_timeout: 5s
      |                          ^^
"""),
    Case("an escalation nobody knows", {
        "org.yaml": ladder("      - to: [{person: ana}]\n")["org.yaml"],
        "card.yaml": OWNERS + "owners: {team: travel-ml, escalation: nigt}\n",
    }, """\
policies/card.yaml:4:39: error[unknown-escalation]: no escalation 'nigt'
    4 | owners: {team: travel-ml, escalation: nigt}
      |                                       ^^^^ did you mean 'night'?
"""),
    Case("an accountable nobody knows", {"card.yaml": OWNERS + "owners: {team: travel-ml, accountable: zoe}\n"}, """\
policies/card.yaml:4:40: error[unknown-person]: no person 'zoe'; known: ana, bo
    4 | owners: {team: travel-ml, accountable: zoe}
      |                                        ^^^
"""),
    Case("a team nobody knows", {"card.yaml": OWNERS + "owners: {team: risk}\n"}, """\
policies/card.yaml:4:16: error[unknown-team]: no team 'risk'; known: travel-ml
    4 | owners: {team: risk}
      |                ^^^^
"""),
    Case("two cards of one model", {"a.yaml": CARD, "b.yaml": CARD}, """\
policies/a.yaml:2:8: error[duplicate-model]: another card declares the model 'flight-delay' too
    2 | model: flight-delay
      |        ^^^^^^^^^^^^
policies/b.yaml:2:8: error[duplicate-model]: another card declares the model 'flight-delay' too
    2 | model: flight-delay
      |        ^^^^^^^^^^^^
"""),
    Case("nothing to judge", {"card.yaml": "kind: card\nmodel: m\nowners: {team: travel-ml}\n"}, """\
policies/card.yaml:2:8: error[nothing-to-judge]: a card needs a prediction log (`log`) or `metrics`; \
without either nothing can be judged
    2 | model: m
      |        ^
"""),
    Case("a role for a team nobody knows", {"org.yaml": ORG + "roles: [{role: responder, who: [travl-ml]}]\n"}, """\
policies/org.yaml:9:33: error[unknown-party]: the organisation has no team or person 'travl-ml' \
(the leads of a team are <team>-leads)
    9 | roles: [{role: responder, who: [travl-ml]}]
      |                                 ^^^^^^^^ did you mean 'travel-ml'?
"""),
    Case("a role for a name of a person and of a team", {
        "org.yaml": ORG.replace("travel-ml:", "ana:") + "roles: [{role: admin, who: [ana]}]\n"
    }, """\
policies/org.yaml:9:29: error[ambiguous-party]: 'ana' is a person and a team; a role must not go to who was not \
meant: rename one
    9 | roles: [{role: admin, who: [ana]}]
      |                             ^^^
"""),
    Case("a source of a kind nobody knows", {"org.yaml": ORG.replace("parquet", "parqet")}, """\
policies/org.yaml:8:23: error[wrong-plugin]: no kind 'parqet'
    8 |   predictions: {kind: parqet, path: data}
      |                       ^^^^^^ did you mean 'parquet'?
"""),
    Case("a password in the open", {"org.yaml": ORG + "  db: {kind: sql, address: 'postgresql://g:x@h/w'}\n"}, """\
policies/org.yaml:9:28: error[wrong-plugin]: a password does not belong here: put the URL in the environment and name \
it with address_env
    9 |   db: {kind: sql, address: 'postgresql://g:x@h/w'}
      |                            ^^^^^^^^^^^^^^^^^^^^^^
"""),
    Case("a log in a source nobody knows", {"card.yaml": CARD.replace("predictions,", "prediction,")}, """\
policies/card.yaml:4:15: error[unknown-source]: no source 'prediction'
    4 | log: {source: prediction, table: flights, columns: {time: at, score: p}}
      |               ^^^^^^^^^^ did you mean 'predictions'?
"""),
    Case("no organisation", {"org.yaml": "kind: org\n", "card.yaml": CARD}, """\
policies/card.yaml:4:15: error[unknown-source]: no source 'predictions'; \
no org.yaml among the checked files declares any
    4 | log: {source: predictions, table: flights, columns: {time: at, score: p}}
      |               ^^^^^^^^^^^
"""),
    card("a metric of a source nobody knows", "metrics:\n  p95: {source: prometheus, query: up}\n", """\
policies/card.yaml:6:17: error[unknown-source]: no source 'prometheus'; known: predictions
    6 |   p95: {source: prometheus, query: up}
      |                 ^^^^^^^^^^
"""),
    card("a measure nobody knows", "metrics:\n  late:\n    measure: latncy_p95\n", """\
policies/card.yaml:7:14: error[unknown-measure]: no measure 'latncy_p95'
    7 |     measure: latncy_p95
      |              ^^^^^^^^^^ did you mean 'latency_p95'?
"""),
    card("truth complete before it comes", "truth: {delay: 2d, complete_after: 1d}\n", """\
policies/card.yaml:5:36: error[truth-order]: `complete_after` comes before `delay`
    5 | truth: {delay: 2d, complete_after: 1d}
      |                                    ^^
"""),
    card("rolling back to what serves", 'versions: {serving: "2", rollback_to: "2"}\n', """\
policies/card.yaml:5:39: error[rollback-to-itself]: the version to roll back to is the one that serves
    5 | versions: {serving: "2", rollback_to: "2"}
      |                                       ^^^
"""),
    card("a rollback that acts on nothing", "rollback:\n  when: metrics.score_mean > 0.9\n  enforcement: act\n", """\
policies/card.yaml:7:16: error[cannot-act]: a rule that acts needs `then: {switch: …}` or `then: {runbook: …}`, \
which says what it does
    7 |   enforcement: act
      |                ^^^
"""),
    card("a rule that acts and tells nobody", "rules: [{rule: high, when: metrics.score_mean > 0.9, severity: info, \
enforcement: act, then: {switch: stopped}}]\n", """\
policies/card.yaml:5:83: error[cannot-act]: a rule that acts tells people, so it is a warning at least; \
`info` is only recorded
    5 | rules: [{rule: high, when: metrics.score_mean > 0.9, severity: info, enforcement: act, then: {switch: stopped}}]
      |                                                                                   ^^^
"""),
    card("a pack's rule that acts on nothing", "rules:\n\
  - {rule: ownership/nobody-accountable, enforcement: act}\n", """\
policies/card.yaml:6:12: error[cannot-act]: a rule that acts needs `then: {switch: …}` or `then: {runbook: …}`, \
which says what it does
    6 |   - {rule: ownership/nobody-accountable, enforcement: act}
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"""),
    card("a throttle of all", "rollback: {when: metrics.score_mean > 0.9, \
then: {switch: throttle, share: 100%}}\n", """\
policies/card.yaml:5:76: error[throttle-share]: a throttle needs the share of requests that get the fallback, \
more than 0% and less than 100%
    5 | rollback: {when: metrics.score_mean > 0.9, then: {switch: throttle, share: 100%}}
      |                                                                            ^^^^ for all of them use fallback
"""),
    card("a throttle without a share", "rollback: {when: metrics.score_mean > 0.9, then: {switch: throttle}}\n", """\
policies/card.yaml:5:59: error[throttle-share]: a throttle needs the share of requests that get the fallback, \
more than 0% and less than 100%
    5 | rollback: {when: metrics.score_mean > 0.9, then: {switch: throttle}}
      |                                                           ^^^^^^^^
"""),
    card("a share of a stop", "rollback: {when: metrics.score_mean > 0.9, then: {switch: stopped, share: 0.5}}\n", """\
policies/card.yaml:5:75: error[share-without-throttle]: only a throttle has a share
    5 | rollback: {when: metrics.score_mean > 0.9, then: {switch: stopped, share: 0.5}}
      |                                                                           ^^^
"""),
    card("a pull for a moment", "rollback: {when: metrics.score_mean > 0.9, \
then: {switch: stopped, expires: 5s}}\n", """\
policies/card.yaml:5:77: error[short-expiry]: a pull lasts a minute or longer
    5 | rollback: {when: metrics.score_mean > 0.9, then: {switch: stopped, expires: 5s}}
      |                                                                             ^^
"""),
    card("a rule without a condition", "rules:\n  - rule: high\n    for: 1h\n", """\
policies/card.yaml:6:11: error[no-condition]: the rule 'high' has no `when`
    6 |   - rule: high
      |           ^^^^
"""),
    Case("a pack's rule without a condition", {"own.yaml": PACK + "rules:\n  - rule: high\n"}, """\
policies/own.yaml:4:11: error[no-condition]: the rule 'high' has no `when`
    4 |   - rule: high
      |           ^^^^
"""),
    card("two rules of one name", """\
rules:
  - {rule: high, when: metrics.score_mean > 0.8}
  - {rule: high, when: metrics.score_mean > 0.9}
""", """\
policies/card.yaml:7:12: error[duplicate-rule]: there is a rule 'high' above already
    7 |   - {rule: high, when: metrics.score_mean > 0.9}
      |            ^^^^
"""),
    card("a rule no pack has", "rules: [{rule: drfit/psi, for: 2d}]\n", """\
policies/card.yaml:5:16: error[unknown-rule]: no pack has a rule 'drfit/psi'
    5 | rules: [{rule: drfit/psi, for: 2d}]
      |                ^^^^^^^^^
"""),
    card("a rule of a pack that does not apply", "rules: [{rule: drift/psi, for: 2d}]\n", """\
policies/card.yaml:5:16: error[unknown-rule]: pack 'drift' does not apply to this card: it needs has(card.log) \
&& has(card.log.reference) && has(card.data)
    5 | rules: [{rule: drift/psi, for: 2d}]
      |                ^^^^^^^^^
"""),
    card("a share that is written as a number of per cent, and a word for a list", """\
slos: {warm: {objective: 99.9, good: metrics.score_mean > 0.1}}
slices: region
data: {features: {a: {drift: no}}}
""", """\
policies/card.yaml:5:26: error[invalid-value]: a share lies between 0% and 100%, not 99.9; write 99.9%
    5 | slos: {warm: {objective: 99.9, good: metrics.score_mean > 0.1}}
      |                          ^^^^
policies/card.yaml:6:9: error[wrong-type]: must be a list such as [region], not text
    6 | slices: region
      |         ^^^^^^
policies/card.yaml:7:30: error[wrong-type]: must be true or false, not 'no': write false
    7 | data: {features: {a: {drift: no}}}
      |                              ^^
"""),
    card("a registry that is no source", "versions: {serving: {registry: mlflow, name: m, serving: champion}}\n", """\
policies/card.yaml:5:32: error[unknown-source]: no source 'mlflow'; known: predictions
    5 | versions: {serving: {registry: mlflow, name: m, serving: champion}}
      |                                ^^^^^^
"""),
    card("conditions of no severity, which would silence a rule", "rules: [{rule: high, when: {}}]\n", """\
policies/card.yaml:5:9: error[invalid-value]: `when` names no severity, so that the rule would never fire
    5 | rules: [{rule: high, when: {}}]
      |         ^^^^^^^^^^^^^^^^^^^^^^
"""),
    Case("a pack whose summary names nothing", {"own.yaml": PACK + """\
rules:
  - rule: high
    applies_to: card.tier == 3
    when: metrics.score_mean > 0.9
    summary: "{metrics.score_maen}"
"""}, """\
policies/own.yaml:7:24: error[unknown-metric]: no metric 'score_maen'
    7 |     summary: "{metrics.score_maen}"
      |                        ^^^^^^^^^^ did you mean 'score_mean'?
"""),
    card("quantiles of nothing", """\
metrics:
  a: {measure: quantile, of: latncy, q: 0.9}
  b: {measure: quantile}
  c: {measure: psi}
""", """\
policies/card.yaml:6:30: error[wrong-measure]: no number 'latncy' to take a quantile of; there are: score
    6 |   a: {measure: quantile, of: latncy, q: 0.9}
      |                              ^^^^^^
policies/card.yaml:7:16: error[wrong-measure]: a quantile needs the number that it is `of`, \
and the share `q` of rows below it
    7 |   b: {measure: quantile}
      |                ^^^^^^^^ such as {of: latency, q: 99%}
policies/card.yaml:8:16: error[wrong-measure]: psi is asked by: feature
    8 |   c: {measure: psi}
      |                ^^^
"""),
    card("loosening what may not be", "rules:\n  - rule: ownership/no-way-back\n    severity: info\n", """\
policies/card.yaml:7:5: error[not-overridable]: 'ownership/no-way-back' may only be tightened by a card \
(overridable: false); warning is not told any more, only info
    7 |     severity: info
      |     ^^^^^^^^ ask for a waiver
"""),
    card("an override without effect", "slos: {warm: {objective: 90%, window: 2d, good: metrics.score_mean > 0.1}}\n"
         "rules: [{rule: slo/budget, severity: critical}, {rule: slo/slow-burn, for_each: {slo: card.slos}}]\n", """\
policies/card.yaml:6:28: error[no-effect]: 'slo/budget' has a condition for each severity; `severity` would change \
nothing
    6 | rules: [{rule: slo/budget, severity: critical}, {rule: slo/slow-burn, for_each: {slo: card.slos}}]
      |                            ^^^^^^^^ write when: {info: …, warning: …}
policies/card.yaml:6:71: error[no-effect]: `for_each` of 'slo/slow-burn' is its pack's to say; here it would change \
nothing
    6 | rules: [{rule: slo/budget, severity: critical}, {rule: slo/slow-burn, for_each: {slo: card.slos}}]
      |                                                                       ^^^^^^^^ write a rule of the card's own, \
under another name
"""),
    card("an override that leaves a severity open", "slos: {warm: {objective: 90%, window: 2d, good: \
metrics.score_mean > 0.1}}\nrules: [{rule: slo/budget, when: 'budget_left(slos.warm) < 0.1'}]\n", """\
policies/card.yaml:6:28: error[which-severity]: 'slo/budget' has a condition for each severity, of which this is one \
only
    6 | rules: [{rule: slo/budget, when: 'budget_left(slos.warm) < 0.1'}]
      |                            ^^^^ write when: {info: …, warning: …}, or add a severity
"""),
    card("a parameter no pack has", "parameters:\n  data-quality/null_warn: 0.1\n", """\
policies/card.yaml:6:3: error[unknown-parameter]: no pack has a parameter 'data-quality/null_warn'
    6 |   data-quality/null_warn: 0.1
      |   ^^^^^^^^^^^^^^^^^^^^^^ did you mean 'data-quality/null_warning'?
"""),
    card("a parameter of another type", "parameters:\n  data-quality/errors: 2d\n", """\
policies/card.yaml:6:24: error[wrong-parameter]: 'data-quality/errors' is a number, not a duration
    6 |   data-quality/errors: 2d
      |                        ^^
"""),
    Case("a second organisation", {"other.yaml": "kind: org\nenvironment: test\n"}, """\
policies/other.yaml:1:1: error[second-organisation]: the organisation is declared in policies/org.yaml already
    1 | kind: org
      | ^^^^
"""),
    card("metrics without a common label", """\
metrics:
  x: {source: predictions, query: x, labels: [origin]}
  y: {source: predictions, query: y, labels: [carrier]}
rules:
  - rule: both
    when: metrics.x > metrics.y
""", """\
policies/card.yaml:10:23: error[no-shared-label]: metrics.x has label origin, metrics.y has carrier; they share none
   10 |     when: metrics.x > metrics.y
      |                       ^^^^^^^^^ write max(metrics.y)
"""),
    card("an authority nobody knows", "rollback: {authority: [travel-ml-leads, bo, risk, travel-ml-lead]}\n", """\
policies/card.yaml:5:45: error[unknown-party]: the organisation has no team or person 'risk' \
(the leads of a team are <team>-leads)
    5 | rollback: {authority: [travel-ml-leads, bo, risk, travel-ml-lead]}
      |                                             ^^^^
policies/card.yaml:5:51: error[unknown-party]: the organisation has no team or person 'travel-ml-lead' \
(the leads of a team are <team>-leads)
    5 | rollback: {authority: [travel-ml-leads, bo, risk, travel-ml-lead]}
      |                                                   ^^^^^^^^^^^^^^ did you mean 'travel-ml-leads'?
"""),
    card("a reviewer nobody knows", "review:\n  - {by: travel-ml, every: 90d}\n  - {by: travl-ml, every: 90d}\n", """\
policies/card.yaml:7:10: error[unknown-party]: the organisation has no team or person 'travl-ml' \
(the leads of a team are <team>-leads)
    7 |   - {by: travl-ml, every: 90d}
      |          ^^^^^^^^ did you mean 'travel-ml'?
"""),
    card("access for nobody we know", "data: {access: [ana@example.com, ann@example.com]}\n", """\
policies/card.yaml:5:34: error[unknown-party]: the organisation has no team or person 'ann@example.com' \
(the leads of a team are <team>-leads)
    5 | data: {access: [ana@example.com, ann@example.com]}
      |                                  ^^^^^^^^^^^^^^^
"""),
    Case("a model that rests on itself and on a misspelt one", {
        "a.yaml": CARD + "data: {depends_on: [loan-risk, weather]}\n",
        "b.yaml": CARD.replace("flight-delay", "loan-risk")
        + "data: {depends_on: [loan-risk, flight-dely, flight-delays]}\n",
    }, """\
policies/b.yaml:5:21: error[lineage-circle]: 'loan-risk' would rest on itself: loan-risk → loan-risk
    5 | data: {depends_on: [loan-risk, flight-dely, flight-delays]}
      |                     ^^^^^^^^^
policies/b.yaml:5:32: error[unknown-model]: no model 'flight-dely'
    5 | data: {depends_on: [loan-risk, flight-dely, flight-delays]}
      |                                ^^^^^^^^^^^ did you mean 'flight-delay'?
"""),
    card("kept longer than it may be", "data:\n  retention:\n    labels: {at_most: 30d, at_least: 90d}\n", """\
policies/card.yaml:7:38: error[retention-order]: labels cannot be kept for at least this long: \
they must be gone before (`at_most`)
    7 |     labels: {at_most: 30d, at_least: 90d}
      |                                      ^^^
"""),
    card("training that is never done in time", "retraining: {every: 1d, lead_time: 2d}\n", """\
policies/card.yaml:5:36: error[retraining-order]: training takes longer than the time between two trainings (`every`)
    5 | retraining: {every: 1d, lead_time: 2d}
      |                                    ^^
"""),
    card("an SLO over an hour", "slos:\n  warm: {objective: 99%, window: 1h, good: metrics.score_mean > 0.1}\n", """\
policies/card.yaml:6:34: error[slo-window]: the window of an SLO lies between 1d and 90d
    6 |   warm: {objective: 99%, window: 1h, good: metrics.score_mean > 0.1}
      |                                  ^^
"""),
    Case("an SLO that takes a share for a count", {"card.yaml": CARD.replace("score: p}", "score: p, error: e}") + """\
slos:
  right:
    objective: 99%
    errors: metrics.errors
    total: metrics.predictions
"""}, """\
policies/card.yaml:8:13: error[slo-counts]: an SLO counts events, this is the share of predictions that failed
    8 |     errors: metrics.errors
      |             ^^^^^^^^^^^^^^ write metrics.errors * metrics.predictions
"""),
    card("a burn rate that no outage reaches", """\
slos:
  warm: {objective: 90%, good: metrics.score_mean > 0.1}
rules:
  - rule: burning
    when: >
      metrics.score_mean > 0.5
      && burn_rate(slos.warm, '1h') > 14.4
  - rule: mirrored
    when: {info: "10 <= burn_rate(slos.warm, '1h')", warning: "12 < burn_rate(slos.warm, '1h')"}
""", """\
policies/card.yaml:11:10: error[never-fires]: this can never hold: with this objective the burn rate is at most 10
   11 |       && burn_rate(slos.warm, '1h') > 14.4
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ compare with less, or raise the objective
policies/card.yaml:13:64: error[never-fires]: this can never hold: with this objective the burn rate is at most 10
   13 |     when: {info: "10 <= burn_rate(slos.warm, '1h')", warning: "12 < burn_rate(slos.warm, '1h')"}
      |                                                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ compare \
with less, or raise the objective
"""),
    card("an item that no SLO can burn so fast", """\
slos:
  warm: {objective: 90%, good: metrics.score_mean > 0.1}
  cool: {objective: 80%, good: metrics.score_mean < 0.9}
rules:
  - {rule: fine, for_each: {slo: card.slos}, when: "burn_rate(slo, '1h') > 6"}
  - {rule: never, for_each: {slo: card.slos}, when: "burn_rate(slo, '1h') > 10"}
rollback: {when: "burn_rate(slos.cool, '1h') > 5"}
""", """\
policies/card.yaml:10:54: error[never-fires]: this can never hold: with this objective the burn rate is at most 10
   10 |   - {rule: never, for_each: {slo: card.slos}, when: "burn_rate(slo, '1h') > 10"}
      |                                                      ^^^^^^^^^^^^^^^^^^^^^^^^^ compare with less, \
or raise the objective
policies/card.yaml:11:19: error[never-fires]: this can never hold: with this objective the burn rate is at most 5
   11 | rollback: {when: "burn_rate(slos.cool, '1h') > 5"}
      |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ compare with less, or raise the objective
"""),
]  # fmt: skip
