"""An engine that serves a small fleet, people with tokens, and the terminal app over it."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interfaces.serving import Served, ask, prepared, sample
from textual.pilot import Pilot
from textual.widgets import Static

from governance.client import AGENT, TERMINAL_APP, Client
from governance.errors import Unavailable
from governance.views import IncidentView
from tui.app import GovApp
from tui.screens.fleet import FleetScreen

FILES = {
    "org.yaml": """
kind: org
environment: test
people: {ana: {}, bo: {}, vic: {}}
teams: {lending: {members: [ana, bo], leads: [ana, bo]}}
roles:
  - {role: viewer, who: [vic]}
  - {role: admin, who: [ana]}
sources: {pushed: {kind: push}}
cycle: {every: 1s}
schedules:
  lending-primary:
    zone: UTC
    layers: [{people: [ana, bo], from: 2026-01-05, rotate: daily, hours: "00:00-23:00"}]
""",
    "loans.yaml": """
kind: card
model: loans
tier: 1
owners: {team: lending, accountable: ana}
versions: {serving: "7", fallback: rules-of-thumb}
metrics:
  errors: {source: pushed, query: error_rate, every: 1s, stale_after: 1h}
rules: [{rule: errors-high, when: metrics.errors > 0.5, severity: critical, summary: "Errors at {metrics.errors}"}]
rollback: {authority: [lending-leads]}
""",
    "quiet.yaml": """
kind: card
model: quiet
tier: 3
owners: {team: lending}
data: {depends_on: [loans]}
metrics:
  errors: {source: pushed, query: error_rate, every: 1s, stale_after: 1h}
rules: [{rule: errors-high, when: metrics.errors > 0.5}]
""",
}


@dataclass
class World:
    """A running engine, and who may speak to it."""

    served: Served
    tokens: dict[str, str]
    clients: list[Client] = field(default_factory=list)

    def client(self, who: str = "ana", agent: str = AGENT) -> Client:
        """Return a client that speaks as somebody."""
        made = Client(self.served.url, self.tokens[who], agent)
        self.clients.append(made)
        return made

    def token(self, name: str, scope: str) -> str:
        """Make a token for a service and return its secret, once the engine has read that there is one."""
        made = token(self.served.directory, "--for", name, "--kind", "service", "--scope", scope, "--as", "ana")
        headers = {"Authorization": f"Bearer {made}"}
        self.served.until(lambda: self.served.http.get("/v1/whoami", headers=headers).status_code != 401)
        return made

    def log(self, prefix: str) -> list[dict[str, Any]]:
        """Return the entries whose kind begins so, oldest first."""
        done = ask(self.served.directory, "audit", "tail", "--lines", "1000", "--format", "json")
        assert done.returncode == 0, done.stderr
        return [each for each in json.loads(done.stdout) if each["kind"].startswith(prefix)]

    def incident(self) -> IncidentView | None:
        """Return the open incident of `loans`, None when it has none."""
        return next((each for each in self.client().incidents() if each.model == "loans"), None)

    def give_back(self, model: str) -> None:
        """Make a model live again, as two people do."""
        ana, bo = self.client("ana"), self.client("bo")
        switch = ana.switch(model)
        if switch.mode == "live":
            return
        if not bo.approvals():
            ana.restore(model, {"because": "over", "seq": switch.seq, "confirm": model}, key=uuid.uuid4().hex)
        for each in bo.approvals():
            bo.approve(each.id, key=uuid.uuid4().hex)
        assert bo.switch(model).mode == "live"

    def close(self) -> None:
        """End the engine and every connection to it."""
        self.served.close()
        for each in self.clients:
            each.close()

    def app(self, who: str = "ana", **more: Any) -> GovApp:
        """Return the terminal app of somebody."""
        return GovApp(self.client(who, TERMINAL_APP), **{"quiet": 30.0, **more})

    def push(self, model: str, value: float) -> None:
        """Push an error rate of a model."""
        headers = {"Authorization": f"Bearer {self.tokens['pipeline']}", "Idempotency-Key": str(time.time_ns())}
        body = {"source": "pushed", "samples": [{**sample(value), "model": model}]}
        answer = self.served.http.post("/v1/samples", json=body, headers=headers)
        assert answer.status_code == 200, answer.text

    def fail(self, value: float = 0.9) -> None:
        """Push an error rate, good for `quiet`, and wait until the engine has judged it."""
        self.push("loans", value)
        self.push("quiet", 0.1)
        ana = self.client()

        def judged() -> bool:
            with suppress(Unavailable):  # a machine that stands still for five seconds is asked again
                return any(row.severity == "critical" for row in ana.fleet().items)
            return False

        self.served.until(judged)


def world(directory: Path, more: Mapping[str, str] | None = None, **settings: str) -> World:
    """Start an engine whose model `loans` has a critical incident, with more files beside its policies."""
    prepared(directory, {**FILES, **(more or {})})
    # Before it starts: a token that was made just now may be refused for the twentieth of a second.
    made = {name: token(directory, "--for", name, "--as", "ana") for name in ("ana", "bo", "vic")}
    made["pipeline"] = token(directory, "--for", "pipeline", "--kind", "service", "--scope", "push", "--as", "ana")
    served = Served(directory, **settings)
    found = World(served, made)
    try:
        found.fail()
    except BaseException:
        found.close()
        raise
    return found


def token(directory: Path, *arguments: str) -> str:
    """Make a token and return its secret."""
    done = ask(directory, "token", "create", *arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["secret"])


async def until(pilot: Pilot[Any], found: Callable[[], Any], seconds: float = 30) -> Any:
    """Let the app go on until `found` gives something, and return it."""
    end = time.monotonic() + seconds
    while True:
        value = found()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s; the screen says:\n{screen(pilot.app)}"
        await pilot.pause(0.05)


def screen(app: Any) -> str:
    """Return the text of the whole screen, as a person sees it."""
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())


def shows(app: GovApp, *texts: str) -> bool:
    """Tell whether the screen shows all of these, also where a line is broken between words."""
    seen = screen(app)
    whole = " ".join(seen.split())
    return all(each in seen or each in whole for each in texts)


def main_of(app: GovApp) -> FleetScreen:
    """Return the screen that stays open."""
    return next(each for each in app.screen_stack if isinstance(each, FleetScreen))


def hint(app: GovApp) -> str:
    """Return what the modal says below its fields."""
    return str(app.screen.query_one("#hint", Static).render())


def played(story: Callable[[], Any]) -> None:
    """Run a story of the app."""
    asyncio.run(story())
