"""What people record that they did for a model: trained, reviewed, drilled, approved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.authority import Actor
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
    actor: Actor | str,
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
    wanted = Record(model, kind, at or now, str(actor), now, "", version, note, team, regime)
    check(engine, wanted)
    with engine.database.transaction() as connection:
        made = write(connection, wanted, actor=actor)
    return sealed(engine, made.decision, now)


def check(engine: Engine, wanted: Record) -> None:
    """Refuse what its actor may not record; it raises what `record` raises."""
    card, actor = declared(engine, wanted.model), wanted.actor
    if wanted.kind != "reviewed" or not engine.organisation.teams:  # a review is recorded by the team that did it
        permit(engine, actor, "evidence.record", wanted.model)
    if wanted.at > wanted.recorded_at:
        raise Conflict(f"{wanted.at:%Y-%m-%d %H:%M} UTC lies in the future; record what was done, when it was done")
    if wanted.kind == "reviewed":
        _permit_review(engine, actor, wanted.team)
        _check_owed(card, wanted.team, wanted.regime)


def write(connection: Connection, wanted: Record, *more: str, actor: Actor | str = "") -> Record:
    """Write a record and its entry in the caller's transaction; `more` tells it from others of the same instant.

    `actor` is who records it, and where, if that is known.
    """
    what = (wanted.model, wanted.kind, wanted.team, wanted.regime, str(wanted.at), wanted.actor)
    made = replace(wanted, decision=entries.identity("evidence", *what, str(wanted.recorded_at), *more))
    evidence.add(connection, made)
    decision_log.append(connection, [_entry(made, actor)])
    return made


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


def _entry(made: Record, actor: Actor | str) -> Decision:
    body = {
        "done_at": made.at,
        "version": made.version or None,
        "by": made.team or None,
        "regime": made.regime or None,
        "note": made.note or None,
        **entries.channel(actor),
    }
    subject = {"model": made.model}
    return Decision(made.recorded_at, f"evidence.{made.kind}", made.actor, subject, body, made.decision)
