"""A directory of policies and the engine that follows it, for tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from governance.core.alert import AlertKey
from governance.engine.loop import step
from governance.following import Follower, begin
from governance.settings import Settings
from governance.store import alerts, decision_log, incidents

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
ORG = """
kind: org
people: {ana: {email: ana@example.com}, bo: {email: bo@example.com}, cy: {}}
roles: [{role: approver, who: [bo, ana]}, {role: viewer, who: [cy]}]
"""
# True of every card of tier 1 and 2, without any metric: it fires at the first cycle.
CARD = """
kind: card
model: loans
tier: 1
owners: {team: t}
versions: {serving: "2", rollback_to: "1", fallback: rules}
metrics: {errors: {source: pushed, query: error_rate}}
rules:
  - {rule: always, when: card.tier < 3, severity: critical, summary: Always}
  - {rule: errors-high, when: metrics.errors > 0.5, for: 10m}
"""
PACKS = {
    name: f"kind: pack\npack: {name}\n" for name in ("ownership", "practice", "review", "rollback", "retention-and-pii")
}


class Clock:
    """The time, as a test says it is."""

    time = START

    def now(self) -> datetime:
        """Return it."""
        return self.time


@dataclass
class Place:
    """A directory of policies, the engine that follows it, and what happens there."""

    directory: Path
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        (self.policies / "packs").mkdir(parents=True)
        for name, text in PACKS.items():
            (self.policies / "packs" / f"{name}.yaml").write_text(text, encoding="utf-8")
        self.write("org.yaml", ORG + "sources: {pushed: {kind: push}}\n")
        self.write("loans.yaml", CARD)

    @property
    def policies(self) -> Path:
        """The directory."""
        return self.directory / "policies"

    def write(self, name: str, text: str) -> None:
        """Write a document."""
        (self.policies / name).write_text(text.lstrip(), encoding="utf-8")

    def edit(self, old: str, new: str, name: str = "loans.yaml") -> None:
        """Change a document."""
        text = (self.policies / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def start(self, pull_every: timedelta | None = None, source: str = "directory") -> None:
        """Start the engine, or start it anew."""
        settings = Settings(home=self.directory / ".gov", policies=self.policies, policies_from=source)
        self.engine = begin(settings, clock=self.clock, base=self.directory)
        self.follower = Follower(self.engine, self.policies, self.directory, pull_every=pull_every)

    def beat(self, *, looks: int = 2) -> None:
        """Let a minute pass: the files are looked at, then the engine."""
        for _ in range(looks):
            self.follower.look()
        self.clock.time += timedelta(minutes=1)
        step(self.engine, self.clock.time)

    @property
    def said(self) -> str:
        """What must be known beside the version that rules."""
        return self.engine.standing.words(self.engine.plan.version)

    def rules(self) -> set[str]:
        """The rules by which the model is judged."""
        return {each.rule.id for each in self.engine.plan.by_model["loans"].rules if "/" not in each.rule.id}

    def firing(self) -> dict[AlertKey, str]:
        """Return the alerts of the card's rules."""
        with self.engine.database.read() as connection:
            return {
                key: each.state for key, each in alerts.active(connection, "loans").items() if key.kind != "no_data"
            }

    def opened(self) -> list[tuple[str, str, str]]:
        """Return the incidents of the engine itself: status, title, ending."""
        with self.engine.database.read() as connection:
            found = [each for each in incidents.listed(connection) if each.model == "engine"]
        return [(each.status, each.title, each.ending) for each in found]

    def entries(self, kind: str = "policy") -> list[dict[str, object]]:
        """Return the bodies of entries, the oldest first."""
        return [dict(each.decision.body) for each in decision_log.tail(self.engine.database, 1000, kind=kind)]

    def kinds(self) -> list[str]:
        """Return the kinds of the entries about policies."""
        return [each.decision.kind for each in decision_log.tail(self.engine.database, 1000, kind="policy")]

    def git(self, *arguments: str, who: str = "ana", where: Path | None = None) -> str:
        """Run git as somebody."""
        name = ("-c", f"user.name={who}", "-c", f"user.email={who}@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *name, *arguments], cwd=where or self.policies, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()


def followed(directory: Path) -> Iterator[Place]:
    """Yield a place whose engine has looked once; its log verifies afterwards."""
    made = Place(directory)
    made.start()
    made.beat()
    yield made
    checked = decision_log.verify(made.engine.database)
    assert checked.ok, checked.findings
