"""The values that the expressions of a run see beside metrics, and the parameters that a run begins with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from governance.core.card import Card
from governance.core.duration import parse_duration
from governance.core.incident import Incident
from governance.core.run import Run
from governance.core.run_vocabulary import spellings
from governance.core.runbook import ParameterType, Runbook


def variables(
    run: Run,
    incident: Incident | None,
    evidence: Mapping[str, object],
    at: datetime,
    card: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return the variables of a run's expressions by name; what is not known is left out, and so missing.

    `card` is that of the run as it is seen, where that is known already.
    """
    about = {
        "id": run.id,
        "runbook": run.runbook.runbook,
        "started_by": run.started_by,
        "started_at": run.started_at,
        "because": run.because,
        "mode": run.mode,
    }
    return {
        "card": card if card is not None else seen_card(run.card),
        "parameters": typed(run.runbook, run.parameters),
        "labels": dict(run.labels),
        "incident": seen_incident(incident, run.because),
        "steps": _steps(run),
        "run": about,
        "evidence": evidence,
        "now": at,
    }


def seen_card(card: Card | Mapping[str, object]) -> dict[str, Any]:
    """Return a card as expressions see it, also one that was stored as JSON."""
    document = card if isinstance(card, Card) else Card.model_validate(card)
    return document.model_dump(exclude_none=True)


def seen_incident(incident: Incident | None, because: str = "") -> dict[str, object]:
    """Return an incident as expressions see it; a run about none has only a title: why it was started."""
    if incident is None:
        return {"title": because} if because else {}
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status,
        "opened_at": incident.opened_at,
    }


def typed(runbook: Runbook, values: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters of a run as they are declared; durations may have been stored as text."""
    return {
        name: parameter_value(runbook.parameters[name].type, value)
        for name, value in values.items()
        if name in runbook.parameters
    }


def parameter_value(kind: ParameterType, value: object) -> object:
    """Return a value as a parameter of a type has it; a text stands for what it says.

    :raises ValueError: it is none of this type.
    """
    if kind == "string":
        if isinstance(value, str):
            return value
        raise ValueError(f"must be text, not {value!r}")
    if kind == "duration":
        return value if isinstance(value, timedelta) else parse_duration(str(value))
    if kind == "bool":
        known = {"true": True, "false": False}
        found = value if isinstance(value, bool) else known.get(str(value))
        if found is None:
            raise ValueError(f"must be true or false, not {value!r}")
        return found
    if isinstance(value, bool):
        raise ValueError(f"must be a number, not {value!r}")  # noqa: TRY004 (for whoever gave it)
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"must be a number, not {value!r}") from None


def _steps(run: Run) -> dict[str, object]:
    """Return what is known of each step that the run came to: of its last visit that took nothing back."""
    found: dict[str, object] = {}
    for each in run.visits:
        if each is run.here and each.state in ("active", "acting", "waiting"):
            continue  # where it is: it has given nothing yet
        if not getattr(each, "undoes", False):
            known = {**each.outputs, "state": each.state, "detail": each.detail, "by": each.by}
            found |= dict.fromkeys(spellings(each.step), known)
    return found
