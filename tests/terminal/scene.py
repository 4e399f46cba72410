"""A fleet on a bad day, as a real engine has it: what it is governed by, and what happened until four past twelve."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from interfaces.inside import Inside, inside

from governance.engine import pushing
from governance.engine.adoption import adopt
from governance.engine.dispatch import dispatch
from governance.engine.loop import step
from governance.store.pushed import PushedSample

BEGUN = datetime(2026, 1, 31, 10, tzinfo=UTC)
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ENDS = NOON + timedelta(minutes=4, seconds=31)
PEOPLE = ("ana", "bo", "vic")
ORG = """
kind: org
environment: prod
people:
  ana: {email: ana@example.com}
  bo: {email: bo@example.com}
  cy: {email: cy@example.com}
  vic: {email: vic@example.com}
teams:
  payments-ml: {members: [ana, bo], leads: [ana]}
  search-ml: {members: [bo, cy], leads: [cy]}
roles:
  - {role: responder, who: [payments-ml, search-ml]}
  - {role: approver, who: [bo, cy]}
  - {role: viewer, who: [vic]}
  - {role: admin, who: [ana]}
sources: {pushed: {kind: push}}
notifiers: {pager: {kind: console}}
cycle: {every: 1m}
schedules:
  payments-primary: {zone: Europe/Berlin, layers: [{people: [ana, bo], from: "2026-01-05", handover: Mon 09:00}]}
  search-primary:
    zone: Europe/Berlin
    layers: [{people: [cy, bo], from: "2026-01-05", rotate: daily, hours: "08:00-20:00"}]
escalations:
  ml-oncall:
    levels:
      - {to: [{schedule: payments-primary}]}
      - {after: 10m, to: [{person: bo}]}
      - {after: 15m, to: [{team: search-ml}]}
"""
DRIFT = """
kind: pack
pack: drift-guard
description: What a model sees is what it learned from.
parameters: {psi_max: {default: 0.25, tighter: lower}}
rules:
  - rule: psi
    when: {warning: metrics.psi > 0.8 * parameters.psi_max, critical: metrics.psi > parameters.psi_max}
    for: 2m
    summary: "Input drift: PSI {metrics.psi} is above {parameters.psi_max}"
    remedy: Find the feature that moved; if a feed broke, pull the switch until it is mended.
    then: {runbook: rollback-scorer}
    enforcement: notify
  - rule: slow
    when: metrics.latency_p99 > 0.15
    for: 2m
    severity: warning
    summary: "p99 is {metrics.latency_p99} s"
    remedy: Look at what calls it.
  - rule: dear
    when: metrics.cost_per_1k > 0.6
    severity: info
    summary: "1,000 predictions cost {metrics.cost_per_1k}"
"""
RUNBOOK = """
kind: runbook
runbook: rollback-scorer
description: Take a model that sees something else than it learned back to the one before, step by step.
parameters: {ticket: {default: none, description: where it is written down}}
steps:
  - {step: freeze-deploys, instruct: "Freeze the deploys of {card.model}: nobody changes what we look at."}
  - step: look
    instruct: |
      MEANS   {card.model} sees something else than it learned from.
      LOOK    Worst PSI now: {metrics.psi}
      DECIDE  One feature, from one hour to the next: data broke.
  - {step: consent, approve: {role: approver}, text: "Shall the fallback answer for {card.model}?", timeout: 1h}
  - {step: pull, act: switch.pull, with: {mode: fallback, reason: "{incident.title}"}}
  - {step: settle-down, wait: 10m}
  - {step: tell, instruct: Tell the owners what was done and close the incident.}
"""
CARD = """
kind: card
model: {model}
description: {about}
tier: {tier}
labels: {{region: eu-west}}
owners: {{team: {team}, accountable: ana, escalation: ml-oncall}}
versions: {{serving: "{version}", rollback_to: "{before}", fallback: {fallback}}}
{more}metrics:
  psi: {{source: pushed, query: psi, every: 1m, stale_after: 5m}}
  latency_p99: {{source: pushed, query: latency, every: 1m, stale_after: 5m, unit: seconds}}
  cost_per_1k: {{source: pushed, query: cost, every: 1m, stale_after: 5m}}
rollback: {{when: metrics.psi > 0.5, for: 5m, then: {{switch: fallback}}, authority: [payments-ml]}}
"""
# name, tier, PSI before and at the end, p99 in ms, cost
MODELS: tuple[tuple[str, int, float, float, float, float], ...] = (
    ("fraud-scorer", 1, 0.11, 0.41, 35, 0.21),
    ("card-auth-risk", 1, 0.10, 0.33, 135, 0.34),
    ("credit-limit", 1, 0.12, 0.23, 118, 0.18),
    ("search-rerank", 2, 0.10, 0.13, 165, 0.52),
    ("doc-summariser", 1, 0.08, 0.09, 175, 0.78),
    ("claims-triage", 2, 0.07, 0.12, 100, 0.27),
    ("geo-risk", 3, 0.09, 0.09, 53, 0.11),
    ("churn-ranker", 1, 0.12, 0.14, 58, 0.16),
    ("dispute-assist", 1, 0.10, 0.12, 81, 0.44),
    ("lead-scoring", 1, 0.11, 0.09, 59, 0.12),
    ("mule-detector", 1, 0.12, 0.11, 88, 0.29),
    ("reco-home", 1, 0.07, 0.05, 141, 0.08),
    ("shelf-forecast", 1, 0.13, 0.12, 52, 0.07),
    ("ad-click-rate", 2, 0.12, 0.14, 90, 0.05),
    ("image-safety", 2, 0.05, 0.06, 30, 0.31),
    ("invoice-extract", 2, 0.09, 0.10, 141, 0.41),
    ("loan-default", 2, 0.08, 0.10, 139, 0.22),
    ("route-optimiser", 2, 0.11, 0.11, 51, 0.19),
    ("toxicity", 2, 0.10, 0.09, 76, 0.13),
    ("eta-predictor", 3, 0.13, 0.14, 120, 0.06),
    ("kyc-document-reader-with-a-long-name", 3, 0.09, 0.08, 113, 0.37),
    ("merchant-match", 3, 0.11, 0.10, 126, 0.15),
    ("queue-wait", 3, 0.12, 0.11, 19, 0.04),
    ("spam-guard", 3, 0.12, 0.13, 48, 0.03),
)
MOVED = {"card-auth-risk": 40, "credit-limit": 60, "fraud-scorer": 96}
"""Minutes after which the inputs of a model begin to drift."""
MORE = {"dispute-assist": "data: {depends_on: [fraud-scorer]}\n"}


def files() -> dict[str, str]:
    """Return the policies."""
    found = {"org.yaml": ORG, "drift-guard.yaml": DRIFT, "rollback-scorer.yaml": RUNBOOK}
    for index, (model, tier, *_) in enumerate(MODELS):
        words = model.replace("-", " ")
        found[f"{model}.yaml"] = CARD.format(
            model=model,
            about=f"Tells the {words} of what it is given.",
            tier=tier,
            team="search-ml" if index % 5 in (3, 4) else "payments-ml",
            version=7 + index,
            before=6 + index,
            fallback="rules-of-thumb",
            more=MORE.get(model, ""),
        )
    return found


def samples(at: datetime) -> Iterator[PushedSample]:
    """Yield what is measured at an instant: `geo-risk` falls silent, the first ones drift for the last half hour."""
    minute = (at - BEGUN).total_seconds() / 60
    for index, (model, _, before, after, latency, cost) in enumerate(MODELS):
        if model == "geo-risk" and at > NOON - timedelta(minutes=6):
            continue
        begins = MOVED.get(model, 90)
        late = max(0.0, min((minute - begins) / (124 - begins), 1.0))
        wave = 0.02 * math.sin(minute / 4 + index)
        psi = before + (after - before) * late + wave * (1 - late)
        yield PushedSample(model, "psi", at, round(psi, 4))
        yield PushedSample(model, "latency", at, round(latency / 1000 * (1 + wave), 4))
        yield PushedSample(model, "cost", at, round(cost * (1 + wave), 4))


class Scene:
    """The engine of the story, and who may speak to it."""

    def __init__(self, directory: Path) -> None:
        """Let everything happen."""
        self.inside: Inside = inside(directory, files())
        self.inside.clock.time = BEGUN
        self._keys = iter(range(10_000))
        adopt(self.inside.engine, BEGUN)
        self.tokens = {who: self.inside.token(who) for who in (*PEOPLE, "cy")}
        serves = {"kind": "service", "scopes": ("switches",), "models": ("card-auth-risk",)}
        self.tokens["pods"] = self.inside.token("pods", **serves)
        for seconds in range(0, int((ENDS - BEGUN).total_seconds()) + 1, 60):
            self._minute(BEGUN + timedelta(seconds=seconds))
            self._people(seconds // 60)
        self.inside.clock.time = ENDS

    def ask(self, who: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask as somebody from the terminal app, and return what was answered."""
        headers = {"User-Agent": "model-governance-tui", "Idempotency-Key": f"scene-{next(self._keys)}"}
        self.inside.later(60)
        answer = self.inside.as_(
            self.tokens[who], method, path, headers=headers, **({"json": body} if body is not None else {})
        )
        assert answer.is_success, (path, answer.text)
        return answer.json()

    def _minute(self, at: datetime) -> None:
        found, engine = self.inside, self.inside.engine
        found.clock.time = at
        pushing.push(engine, "pushed", list(samples(at)), key=f"minute-{at:%H%M}", actor="pipeline", at=at)
        step(engine, at)
        dispatch(engine, at)

    def _people(self, minute: int) -> None:
        """Do what people did in a minute of the story."""
        for act in ACTS.get(minute, ()):
            act(self)

    def incident(self, model: str) -> dict[str, Any]:
        """Return the open incident of a model."""
        listed = self.ask("ana", "GET", "/v1/incidents?status=open")["items"]
        return next(each for each in listed if each["model"] == model)

    def answer(self, who: str, model: str, act: str, **body: Any) -> None:
        """Answer the incident of a model."""
        one = self.incident(model)
        self.ask(who, "POST", f"/v1/incidents/{one['id']}/{act}", body or {"version": one["version"]})

    def pull(self, who: str, model: str, **body: Any) -> None:
        """Pull a switch."""
        self.ask(who, "POST", f"/v1/switches/{model}/pull", body)


def _stop(scene: Scene) -> None:
    scene.answer("bo", "card-auth-risk", "acknowledge")
    scene.pull("bo", "card-auth-risk", mode="stopped", because="it declines good customers", confirm="card-auth-risk")


def _throttle(scene: Scene) -> None:
    scene.pull("cy", "credit-limit", mode="throttle", share=0.5, because="half of it until the feed is back",
               expires="4h")  # fmt: skip


def _waive(scene: Scene) -> None:
    asked = {"model": "search-rerank", "rule": "drift-guard/slow", "because": "the new index is slow until Monday"}
    made = scene.ask("bo", "POST", "/v1/waivers", {**asked, "until": "2026-02-02T18:00:00Z"})
    scene.ask("cy", "POST", f"/v1/approvals/{made['approval']['id']}/approve", {})


def _silence(scene: Scene) -> None:
    body = {"model": "doc-summariser", "because": "it is moved to the new machines", "until": "2026-01-31T14:00:00Z"}
    scene.ask("ana", "POST", "/v1/silences", body)


def _ask_for_waiver(scene: Scene) -> None:
    asked = {"model": "doc-summariser", "rule": "drift-guard/dear", "because": "the price falls in February"}
    scene.ask("bo", "POST", "/v1/waivers", {**asked, "until": "2026-02-01T18:00:00Z"})


def _answer_fraud(scene: Scene) -> None:
    scene.answer("ana", "fraud-scorer", "acknowledge")
    scene.answer("ana", "fraud-scorer", "note", text="the MCC feed changed at 11:40")
    one = scene.incident("fraud-scorer")
    body = {"runbook": "rollback-scorer", "because": "PSI 0.4 after the feed changed", "incident": one["id"]}
    scene.ask("ana", "POST", "/v1/models/fraud-scorer/runs", {**body, "parameters": {"ticket": "OPS-71"}})


def _tick(scene: Scene) -> None:
    run = scene.ask("ana", "GET", "/v1/runs?state=open")["items"][0]
    here = next(each for each in run["steps"] if "tick" in each["can"])
    body = {"version": run["version"], "step": here["step"], "because": ""}
    scene.ask("ana", "POST", f"/v1/runs/{run['id']}/tick", body)


def _confirm(scene: Scene) -> None:
    seq = scene.ask("ana", "GET", "/v1/switches/card-auth-risk")["seq"]
    for index in range(6):
        body = {"instance": f"pod-{index}", "seq": seq if index else seq - 1, "models": ["card-auth-risk"]}
        scene.ask("pods", "POST", "/v1/confirmations", body)


ACTS: Mapping[int, tuple[Any, ...]] = {
    15: (_waive,),
    30: (_silence,),
    113: (_ask_for_waiver,),
    118: (_stop,),
    119: (_throttle,),
    121: (_answer_fraud,),
    122: (_tick,),
    123: (_tick,),
    124: (_confirm,),
}
