"""How each model of the demo fared: one word, and the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from governance.core.document import SEVERITIES
from governance.core.incident import Finding, Incident

Word = Literal["healthy", "wrong", "broken"]
_BROKEN = "data-quality/"
_WRONG = ("performance/", "mae")
TOLERABLE = 0.05
"""A model whose answers were off on a smaller share of the days than this is called healthy."""


@dataclass(frozen=True, slots=True)
class Fared:
    """How a model fared. `days` is how long the trouble lasted, `worst` its worst finding (None of no finding)."""

    model: str
    word: Word
    days: int
    worst: Finding | None


def fared(model: str, incidents: Sequence[Incident], start: datetime, until: datetime) -> Fared:
    """Judge a model by its incidents between two instants: broken data first, then wrong answers, else healthy."""
    findings = [each for incident in incidents if incident.model == model for each in incident.findings]
    broken = [each for each in findings if each.key.rule.startswith(_BROKEN) and _grave(each)]
    wrong = [each for each in findings if each.key.rule.startswith(_WRONG)]
    whole = max((until - start) / timedelta(days=1), 1.0)
    if broken:
        return _told(model, "broken", broken, until)
    if _days(wrong, until) > TOLERABLE * whole:
        return _told(model, "wrong", wrong, until)
    return _told(model, "healthy", [each for each in findings if each.peak != "info"], until)


def lines(models: Sequence[str], incidents: Sequence[Incident], start: datetime, until: datetime) -> Iterator[str]:
    """Return one line per model."""
    width = max(map(len, models), default=0)
    for model in models:
        found = fared(model, incidents, start, until)
        mark = "✓" if found.word == "healthy" else "✗"
        yield f"  {mark} {model:<{width}}  {found.word:<7}  {_reason(found)}"


def _reason(found: Fared) -> str:
    if found.worst is None:
        return "no incident"
    days = f"{found.days} day{'s' if found.days != 1 else ''}"
    if found.word == "healthy":
        return f"{days} with a warning, such as: {found.worst.summary}"
    return f"{days}, such as: {found.worst.summary}"


def _told(model: str, word: Word, about: Sequence[Finding], until: datetime) -> Fared:
    worst = max(about, key=lambda each: (SEVERITIES.index(each.peak), -each.since.timestamp()), default=None)
    return Fared(model, word, _days(about, until), worst)


def _grave(finding: Finding) -> bool:
    return finding.peak == "critical" or finding.key.kind == "no_data"


def _days(findings: Sequence[Finding], until: datetime) -> int:
    """Return on how many days any of the findings was firing."""
    spans = [(each.since, each.ended or until) for each in findings]
    days = {since.date() + timedelta(days=day) for since, end in spans for day in range((end - since).days + 1)}
    return len(days)
