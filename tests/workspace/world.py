"""An engine with real metrics that tells a Slack workspace, in this process, with clocks that a test turns."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from workspace.emulate import Emulated
from workspace.server import PEOPLE, Workspace

from governance.actions.slack import Slack, SlackConfig
from governance.bootstrap import engine as built
from governance.core.authority import Actor
from governance.engine import pushing
from governance.engine.loop import StepReport, step
from governance.engine.parts import Engine
from governance.settings import Settings
from governance.slack.outbox import Outbox
from governance.slack.pace import Pace
from governance.slack.sender import Sender
from governance.store.pushed import PushedSample

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
CARD: dict[str, Any] = {
    "kind": "card",
    "owners": {"team": "ml", "accountable": "ann"},
    "metrics": {"errors": {"source": "pushed", "query": "error_rate", "every": "1s", "stale_after": "30d"}},
    "rules": [
        {
            "rule": "errors-high",
            "when": {"warning": "metrics.errors > 0.5", "critical": "metrics.errors > 0.8"},
            "summary": "Errors at {metrics.errors}",
        }
    ],
    "versions": {"serving": "7", "fallback": "schedule", "rollback_to": "6"},
}


def organisation(slack: Workspace | Emulated, **more: Any) -> dict[str, Any]:
    """Return an organisation whose people have accounts in the workspace, all but dee; cy may only look."""
    return {
        "kind": "org",
        "people": {name: {"slack": PEOPLE[name]} for name in ("ann", "bob", "cy")} | {"dee": {}},
        "teams": {"ml": {"members": ["ann", "bob"], "leads": ["ann"]}},
        "roles": [{"role": "viewer", "who": ["cy"]}, {"role": "responder", "who": ["ann", "bob", "dee"]}],
        "sources": {"pushed": {"kind": "push"}},
        "cycle": {"every": "1s"},
        "notifiers": {"slack": slack.settings()},
        **more,
    }


def written(folder: Path, org: dict[str, Any], *models: str, **more: Any) -> Path:
    """Write policies for these models, whose cards are alike, and return the folder."""
    (folder / "policies").mkdir(parents=True)
    documents = {"org": org, **{model: {**CARD, "model": model, **more} for model in models}}
    for number, document in enumerate(documents.values()):
        text = yaml.safe_dump(document, sort_keys=False)
        (folder / "policies" / f"{number:03}.yaml").write_text(text, encoding="utf-8")
    return folder


@dataclass
class World:
    """The engine, its clock, and the worker that tells Slack, one step at a time."""

    engine: Engine
    outbox: Outbox
    now: datetime = START
    ticks: float = 0.0
    said: list[str] = field(default_factory=list)
    _keys: Any = field(default_factory=itertools.count)

    def judge(self, value: float, *models: str, seconds: float = 1) -> StepReport:
        """Let time go on, push a value of these models' error rate, and do all that is due, as a beat does."""
        self.now += timedelta(seconds=seconds)
        samples = [PushedSample(model, "error_rate", self.now, value) for model in models]
        pushing.push(self.engine, "pushed", samples, key=f"k{next(self._keys)}", actor="test", at=self.now)
        return step(self.engine, self.now)

    def tell(self, most: int = 2000) -> int:
        """Let the worker work until nothing is left, a second at a time, and return how many it took."""
        for seconds in range(most):
            if not self.outbox.step(self.now + timedelta(seconds=seconds)):
                return seconds
            self.ticks += 1
        raise AssertionError(f"something is left after {most} s; the worker says: {self.said}")


def world(folder: Path, slack: Workspace | Emulated, *models: str, **more: Any) -> World:
    """Build it over policies of these models; the pace of the worker is that of the world's ticks, not of the room."""
    written(folder, organisation(slack, **more), *models)
    settings = Settings(home=folder / ".gov", policies=folder / "policies")
    made: list[World] = []

    class Now:
        def now(self) -> datetime:
            return made[0].now if made else START

    engine = built(settings, clock=Now(), base=folder)
    made.append(World(engine, outbox_of(engine, slack, made)))
    step(engine, START)
    made[0].outbox.step(START)  # it begins with what comes from now on
    return made[0]


def outbox_of(engine: Engine, slack: Workspace | Emulated, world: list[World]) -> Outbox:
    """Return the worker of the notifier `slack`, as after a start of the engine."""
    sender = Sender(slack.bot_token, slack.address, loopback=True, seconds=5)
    notifier = engine.notifiers["slack"]
    assert isinstance(notifier, Slack)
    assert isinstance(notifier.config, SlackConfig)
    pace = Pace(clock=lambda: world[0].ticks if world else 0.0)
    return Outbox(engine, "slack", notifier, sender, lambda said: world[0].said.append(said), pace)  # noqa: PLW0108 (it is made later)


def person(name: str) -> Actor:
    """Return a person who acts in Slack."""
    return Actor(name, channel="slack")
