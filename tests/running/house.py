"""The API over an engine with runbooks, people with roles, and a driver that a test lets go on."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interfaces.inside import OTHER, START, Inside, inside
from interfaces.serving import FILES

from governance.engine.running.driving import drive

ORG = """
kind: org
people: {ana: {}, bo: {}, cy: {}, flo: {}, eve: {}, out: {}}
teams: {t: {members: [ana]}}
roles:
  - {role: responder, who: [bo]}
  - {role: approver, who: [flo, cy]}
  - {role: viewer, who: [eve]}
sources: {pushed: {kind: push}}
cycle: {every: 1s}
"""
CAREFUL = """
kind: runbook
runbook: careful
description: Look, ask, act, tell.
parameters:
  ticket: {default: none, description: where it is written down}
steps:
  - {step: look, instruct: "Look at {card.model}, ticket {parameters.ticket}."}
  - {step: consent, approve: {role: approver}, text: "May we stop {card.model}?", timeout: 20m}
  - {step: settle-down, wait: 10m}
  - {step: tell, instruct: Tell the owners.}
"""
NEEDS = """
kind: runbook
runbook: needs
description: It needs a version.
parameters: {version: {description: the version to go back to}}
steps: [{step: look, instruct: "Look at {parameters.version}."}]
"""
TWO = """
kind: runbook
runbook: two
description: Two people consent.
steps:
  - {step: consent, approve: {role: approver, people: 2}}
  - {step: tell, instruct: Tell the owners.}
"""
CARDS = {
    "org.yaml": ORG,
    "loans.yaml": FILES["loans.yaml"].replace("accountable: ana", "accountable: cy"),
    "careful.yaml": CAREFUL,
    "fraud.yaml": OTHER.replace("{team: t}", "{team: t, accountable: cy}"),
    "two.yaml": TWO,
    "needs.yaml": NEEDS,
}
PEOPLE = ("ana", "bo", "cy", "flo", "eve", "out")


@dataclass
class House:
    """The API, and everybody's token."""

    api: Inside
    tokens: dict[str, str] = field(default_factory=dict)
    empty: tuple[bytes, bytes] = (b"", b"")

    @property
    def file(self) -> Path:
        """The file of its database, all of it."""
        path = self.api.engine.database.path
        assert path is not None
        with sqlite3.connect(path) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
        return path

    def begin_anew(self) -> House:
        """Forget all that happened, which takes a tenth of the time of building it."""
        path = self.file
        self.api.engine.database.close()
        path.write_bytes(self.empty[0])
        path.with_name(f"{path.name}.heads").write_bytes(self.empty[1])
        self.api.clock.time = START
        self.api.service.doors.refusals.acts.flush(START, whole=True)
        return self

    def as_(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Ask as somebody, and return the answer."""
        self.api.later(10)
        return self.api.as_(self.tokens[who], method, path, json=body, headers=headers)

    def does(self, who: str, act: str, run: str = "RUN-1", **body: Any) -> dict[str, Any]:
        """Act on a run, which has to be allowed, and let it go on."""
        answer = self.as_(who, "POST", f"/v1/runs/{run}/{act}", body)
        assert answer.status_code == 200, answer.text
        self.drive()
        return dict(answer.json())

    def starts(self, who: str = "ana", runbook: str = "careful", **body: Any) -> dict[str, Any]:
        """Start a runbook, and let it go on."""
        answer = self.as_(who, "POST", "/v1/models/loans/runs", {"runbook": runbook, "because": "errors", **body})
        assert answer.status_code == 201, answer.text
        self.drive()
        return dict(answer.json())

    def run(self, run: str = "RUN-1") -> dict[str, Any]:
        """Return a run as it is shown."""
        return dict(self.as_("eve", "GET", f"/v1/runs/{run}").json())

    def step(self, name: str, run: str = "RUN-1") -> dict[str, Any]:
        """Return a step of a run as it is shown."""
        return next(each for each in self.run(run)["steps"] if each["step"] == name)

    def drive(self, **later: float) -> None:
        """Let time pass, and the engine do what is due."""
        if later:
            self.api.clock.on(**later)
        drive(self.api.engine, self.api.clock.now())

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Return the entries of a kind as the log tells them."""
        return list(self.as_("eve", "GET", f"/v1/log?limit=500&kind={kind}").json()["items"])

    def kinds(self) -> list[str]:
        """Return the kinds of all entries about runs."""
        return [each["kind"].removeprefix("runbook.") for each in self.entries("runbook")]


def house(directory: Path, files: dict[str, str] = CARDS) -> House:
    """Build it, with everybody's token."""
    made = House(inside(directory / "own", files))
    for who in PEOPLE:
        made.tokens[who] = made.api.token(who)
    path = made.file
    made.empty = (path.read_bytes(), path.with_name(f"{path.name}.heads").read_bytes())
    return made
