"""How the policies that rule stand to what lies on disk: what came in, what is broken, what waits for approval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from governance.core.compiled import EvaluationPlan
from governance.core.organisation import Organisation
from governance.core.policy_version import Origin, PolicyVersion
from governance.core.problem import Problem
from governance.core.waiver import WrittenWaiver

if TYPE_CHECKING:
    from governance.engine.parts import Ruling

SHOWN = 3
"""How many problems of a broken directory are named; gov check names all."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What was read of the policies: ready to rule, or with problems (and then there is no `ruling`)."""

    ruling: Ruling | None
    problems: tuple[Problem, ...] = ()
    origin: Origin = field(default_factory=Origin)


@dataclass(frozen=True, slots=True)
class Broken:
    """Policies on disk that cannot rule, since when, and what is wrong with them."""

    since: datetime
    problems: tuple[Problem, ...]

    @property
    def first(self) -> str:
        """The first problems, each with its position."""
        named = "; ".join(f"{each.position}: {each.message}" for each in self.problems[:SHOWN])
        more = len(self.problems) - SHOWN
        return f"{named}; and {more} more" if more > 0 else named


@dataclass(slots=True)
class Standing:
    """What the engine knows of policies other than those that rule, and of how the outside learns that it works.

    `source` tells where versions come from, and `commit` of which the one that rules is, where it comes from git;
    `adopted_words` tell what the last adoption of this process changed. `stamp` is that of the files as they were read
    when the engine began. `incoming` was read and not looked at yet: one thread puts it there, the engine's takes it.
    `refused` says what became of a version that a second person did not approve; `pull_failure` why the checkout cannot
    be brought up to date. `build` makes documents that were stored ready to rule, `load` only checks and compiles them.
    `asked` are the waivers of files that were all asked for. `tests` are the problems of the tests beside the policies,
    which keep nothing from ruling; None before they were looked at, and where there is no directory. `canary` says what
    keeps the canary from being proved, `ping_failure` why the dead-man's-switch takes no ping, `not_full` why it gets
    none.
    """

    source: Literal["directory", "apply"] = "directory"
    commit: str = ""
    adopted_words: str = ""
    stamp: tuple[tuple[str, int, int, int], ...] = ()
    incoming: Incoming | None = None
    broken: Broken | None = None
    waiting: PolicyVersion | None = None
    refused: str = ""
    pull_failure: str = ""
    tests: tuple[Problem, ...] | None = None
    canary: str = ""
    ping_failure: str = ""
    not_full: str = ""
    build: Callable[[Mapping[str, str]], Incoming] | None = None
    asked: tuple[WrittenWaiver, ...] | None = None
    load: Callable[[Mapping[str, str]], tuple[EvaluationPlan, Organisation, tuple[Problem, ...]]] | None = None

    @property
    def silence(self) -> str:
        """Why the dead-man's-switch hears nothing, "" when it does or there is none."""
        return self.not_full or self.ping_failure

    def words(self, version: str) -> str:
        """Return what must be known beside the version that rules, in a sentence; "" when nothing."""
        said = []
        if self.broken is not None:
            since = f"{self.broken.since:%Y-%m-%d %H:%M}Z"
            said.append(f"policies on disk are broken since {since} ({self.broken.first})")
        if self.waiting is not None:
            said.append(f"version {self.waiting.version} waits for approval {self.waiting.approval}")
        elif self.refused:
            said.append(self.refused)
        if self.pull_failure:
            said.append(f"the policies cannot be pulled: {self.pull_failure}")
        return "; ".join([*said, f"version {version} rules"]) if said else ""
