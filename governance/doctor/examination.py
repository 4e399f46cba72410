"""All checks, in the order in which one thing rests on another, and what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from governance.bootstrap import database_of
from governance.doctor import (
    acts,
    alive,
    clock,
    database,
    deliveries,
    engine,
    escalations,
    heads,
    log,
    notifiers,
    on_call,
    policies,
    slack,
    sources,
    tokens,
)
from governance.doctor.finding import Finding, open_, wrong
from governance.doctor.installation import Installation
from governance.errors import GovernanceError, InvalidDocument, Unavailable
from governance.policies import policies as loaded
from governance.settings import Settings
from governance.store.database import Database

Check = Callable[[Installation], Iterator[Finding]]
CHECKS: Mapping[str, Check] = {
    "policies": policies.check,
    "database": database.check,
    "log": log.check,
    "heads": heads.check,
    "clock": clock.check,
    "engine": engine.check,
    "alive": alive.check,
    "sources": sources.check,
    "notifiers": notifiers.check,
    "slack": slack.check,
    "acts": acts.check,
    "deliveries": deliveries.check,
    "oncall": on_call.check,
    "escalations": escalations.check,
    "tokens": tokens.check,
}
_OF_THE_ORGANISATION = ("alive", "sources", "notifiers", "slack", "acts", "oncall", "escalations")


def examine(settings: Settings, at: datetime, base: Path, only: Iterable[str] = ()) -> list[Finding]:
    """Carry out the checks, or `only` those, and return what each found; what breaks one of them is its finding.

    Nothing is written but a file that is deleted at once, and no text holds a credential that a document names.
    """
    chosen = list(only) or list(CHECKS)
    database = database_of(settings, read_only=True)
    known = database if _exists(database) else None
    here = Installation(settings, loaded([settings.policies], runbooks=settings.runbooks), known, at, base)
    try:
        found = [finding for name in chosen for finding in _carried_out(name, here)]
    finally:
        database.close()
    return [replace(each, seen=here.scrubbed(each.seen), do=here.scrubbed(each.do)) for each in found]


def _exists(database: Database) -> bool:
    """Tell whether there is one to examine; why one cannot be reached is found by its own check."""
    try:
        return database.exists()
    except Unavailable:
        return False


def _carried_out(name: str, here: Installation) -> list[Finding]:
    if name in _OF_THE_ORGANISATION and not here.policies.organised and here.policies.problems:
        return [open_(name, name, "not known, as org.yaml does not load", "mend the policies first: gov check")]
    found: list[Finding] = []
    try:
        found.extend(CHECKS[name](here))
    except InvalidDocument as error:
        found.append(wrong(name, name, str(error).splitlines()[0], "gov check says where"))
    except GovernanceError as error:
        found.append(wrong(name, name, str(error), "mend that, then look again"))
    except Exception as error:  # noqa: BLE001 (one check that breaks must not hide what the others find)
        said = f"the check broke: {type(error).__name__}: {error}".splitlines()[0]
        found.append(wrong(name, name, said, "report it with the output of gov doctor --format json"))
    return found
