"""A control of a framework, what is known of a model, and what the one says of the other, with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from governance.core.card import Card
from governance.core.effective import EffectiveRule
from governance.core.evidence import Record
from governance.core.incident import Incident
from governance.core.verdict import Verdict
from governance.core.waiver import Waiver

State = Literal["met", "not met", "no evidence", "not applicable"]
STATES: tuple[State, ...] = ("not met", "no evidence", "met", "not applicable")
"""The worst first. A control of which nothing is known has no evidence; it is never met."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control: `id` as rules name it under `controls`, `name` as the framework does, `asks` in our words.

    `checks` name what it is judged by (core/control_checks.py); the rules that name it count too.
    """

    id: str
    name: str
    asks: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Framework:
    """A law, a guidance or a framework; models whose card names one of `regimes` answer to it, of none all.

    `status` says since when it holds and for whom, `left_out` what of it is not judged here, `source` where it is read.
    `excludes_generative`: it says itself that it is not about models that generate.
    """

    id: str
    title: str
    regimes: tuple[str, ...]
    status: str
    left_out: str
    source: str
    controls: tuple[Control, ...]
    excludes_generative: bool = False


@dataclass(frozen=True, slots=True)
class Cited:
    """An entry of the decision log: `digest` is its leaf hash in hex, `sound` tells whether its content has it."""

    seq: int
    kind: str
    at: datetime
    actor: str
    digest: str
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Logged:
    """The entries of one kind about one model: how many, and the newest."""

    count: int
    newest: Cited


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of an SLO's error budget, 1 untouched and below 0 overspent; None for a reason.

    `curve` are the shares left at instants of the window, oldest first.
    """

    slo: str
    objective: float
    window: timedelta
    left: float | None
    reason: str = ""
    time: datetime | None = None
    curve: tuple[tuple[datetime, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """All that a model's controls are judged by, as of `at`; what is cited is None while it is not sealed.

    `version` is what serves, "" where that is not known. `rules` are those that are judged, `incidents` those that are
    open, `logged` the entries about the model by kind, `adopted` the adoption of the policies that are judged here and
    `cycle` the newest cycle that was sealed.
    """

    card: Card
    at: datetime
    version: str = ""
    rules: Mapping[str, EffectiveRule] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    summaries: Mapping[str, str] = field(default_factory=dict)
    records: tuple[tuple[Record, Cited | None], ...] = ()
    waivers: tuple[tuple[Waiver, Cited | None], ...] = ()
    incidents: tuple[tuple[Incident, Cited | None], ...] = ()
    budgets: tuple[Budget, ...] = ()
    logged: Mapping[str, Logged] = field(default_factory=dict)
    adopted: Cited | None = None
    cycle: Cited | None = None
    unsound_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, why, and the entries that prove it."""

    state: State
    why: str
    entries: tuple[Cited, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is found of one control for one model."""

    control: Control
    state: State
    findings: tuple[Finding, ...]

    @property
    def entries(self) -> tuple[Cited, ...]:
        """The entries that it rests on, each once, in their order."""
        found = {each.seq: each for finding in self.findings for each in finding.entries}
        return tuple(found[seq] for seq in sorted(found))


def met(why: str, *entries: Cited | None) -> Finding:
    """Return that a check holds; entries that are not sealed are left out."""
    return Finding("met", why, tuple(each for each in entries if each is not None))


def not_met(why: str, *entries: Cited | None) -> Finding:
    """Return that a check does not hold."""
    return Finding("not met", why, tuple(each for each in entries if each is not None))


def no_evidence(why: str, *entries: Cited | None) -> Finding:
    """Return that nobody can tell."""
    return Finding("no evidence", why, tuple(each for each in entries if each is not None))


def not_applicable(why: str) -> Finding:
    """Return that a check is not about this model."""
    return Finding("not applicable", why)


def worst_state(findings: tuple[Finding, ...]) -> State:
    """Return what several findings come to: the worst of them; of none there is no evidence."""
    found = {each.state for each in findings}
    return next((state for state in STATES if state in found), "no evidence")
