"""What people record that they did for a model: trained, reviewed, drilled, approved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.card import Card
from governance.core.decision import Decision
from governance.core.evidence import EvidenceKind, Record
from governance.core.suggestion import closest
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import declared, permit
from governance.engine.sealing import sealed
from governance.errors import Conflict, Denied, NotFound
from governance.store import decision_log, evidence

if TYPE_CHECKING:
    from sqlalchemy import Connection


def record(
    engine: Engine,
    model: str,
    kind: EvidenceKind,
    *,
    actor: str,
    now: datetime,
    at: datetime | None = None,
    version: str = "",
    note: str = "",
    team: str = "",
    regime: str = "",
) -> int:
    """Record that something was done for a model, at `at` or `now`; return the number of the sealed entry.

    :raises NotFound: when no card declares the model, or it owes no such review.
    :raises Conflict: when `at` lies in the future.
    :raises Denied: when the actor may not, or is no member of the team that reviewed.
    """
    card = declared(engine, model)
    if kind != "reviewed" or not engine.organisation.teams:  # a review is recorded by the team that did it
        permit(engine, actor, "evidence.record", model)
    done = at or now
    if done > now:
        raise Conflict(f"{done:%Y-%m-%d %H:%M} UTC lies in the future; record what was done, when it was done")
    if kind == "reviewed":
        _permit_review(engine, actor, team)
        _check_owed(card, team, regime)
    identity = entries.identity("evidence", model, kind, team, regime, str(done), actor, str(now))
    made = Record(model, kind, done, actor, now, identity, version, note, team, regime)
    with engine.database.transaction() as connection:
        write(connection, made)
    return sealed(engine, identity, now)


def write(connection: Connection, made: Record, *, run: str = "") -> None:
    """Write a record with its entry in this transaction; `run` is the run of a runbook that proves it."""
    evidence.add(connection, made)
    entry = _entry(made)
    subject = {**entry.subject, "run": run} if run else entry.subject
    decision_log.append(connection, [replace(entry, subject=subject)])


def recorded(engine: Engine, model: str) -> list[tuple[Record, int | None]]:
    """Return what was recorded of a model, newest first, each with the number of its entry.

    :raises NotFound: when no card declares the model, and nothing was ever recorded of it.
    """
    with engine.database.read() as connection:
        found = evidence.of_model(connection, model)
    if not found:
        declared(engine, model)
    return found


def _permit_review(engine: Engine, actor: str, team: str) -> None:
    """Let members of a team say that it reviewed; where the organisation names no teams, everybody it knows."""
    teams = engine.organisation.teams
    if not teams:
        return
    if team not in teams:
        hint = closest(team, teams) or f"known: {', '.join(sorted(teams))}"
        raise NotFound(f"no team '{team}'; {hint}")
    members = sorted({*teams[team].members, *teams[team].leads})
    if actor not in members:
        may = ", ".join(members) or "nobody, as the team has no members"
        raise Denied(f"'{actor}' is not in {team}; these people may record its review: {may} (choose with --as)")


def _check_owed(card: Card, team: str, regime: str) -> None:
    """Refuse a review that would prove nothing: the card asks this team for others."""
    owed = [each.regime or "" for each in card.review if each.by == team]
    if owed and regime not in owed:
        asked = f"for {regime}" if regime else "without a regime"
        raise NotFound(
            f"{card.model} owes no review by {team} {asked}; it owes: {_listed(owed)} (choose with --regime)"
        )


def _listed(regimes: Iterable[str]) -> str:
    return ", ".join(f"one for {each}" if each else "one without a regime" for each in regimes)


def _entry(made: Record) -> Decision:
    body = {
        "done_at": made.at,
        "version": made.version or None,
        "by": made.team or None,
        "regime": made.regime or None,
        "note": made.note or None,
    }
    subject = {"model": made.model}
    return Decision(made.recorded_at, f"evidence.{made.kind}", made.actor, subject, body, made.decision)
