"""The end of waivers before their time: another version serves, the model was retrained, nothing was kept quiet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance.core.decision import Decision
from governance.core.evidence import Evidence
from governance.core.waiver import NOTHING_KNOWN, Waiver, WaiverFacts, end_of, is_active
from governance.engine import entries
from governance.engine.facts import Facts
from governance.engine.parts import Engine
from governance.engine.permission import card_of
from governance.store import evidence, waivers

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from governance.engine.judging import Judging

_NOTED = timedelta(hours=1)
"""How exactly is noted when a waiver was last of use: writing that in each cycle would be a row a minute."""


def settle_waivers(connection: Connection, cycle: Judging, facts: Mapping[str, Facts]) -> list[Decision]:
    """Write which waivers were of use, and end those that something ended; return the entries of these ends."""
    used = {each.waiver for each in cycle.verdicts if each.waiver}
    found: list[Decision] = []
    for waiver in cycle.holding:
        known = _known(facts.get(waiver.model))
        after = _noted(waiver, known, used, cycle.at)
        end = end_of(after, known, cycle.at)
        if end not in (None, "until") and after.ended is None:
            after = replace(after, ended=end, ended_at=cycle.at)
        if after == waiver or waivers.get(connection, waiver.id).ended is not None:
            continue  # nothing new, or a person was faster
        waivers.save(connection, after)
        found.extend(_entry(after, cycle.at, cycle.under))
    return found


def _entry(waiver: Waiver, at: datetime, under: entries.Under) -> Iterator[Decision]:
    if waiver.ended is not None:
        yield entries.of_waiver_end(waiver, at, under)


def _noted(waiver: Waiver, known: WaiverFacts, used: set[str], at: datetime) -> Waiver:
    if (
        waiver.id in used
        and waiver.unused_for is not None
        and (waiver.used_at is None or at - waiver.used_at >= _NOTED)
    ):
        waiver = replace(waiver, used_at=at)
    if "new_version" in waiver.ends_on and not waiver.version and known.version:
        waiver = replace(waiver, version=known.version)  # only a registry knew it, and it had not been asked yet
    return waiver


def _known(facts: Facts | None) -> WaiverFacts:
    if facts is None:
        return NOTHING_KNOWN
    told = facts.variables.get("evidence")
    trained = told.get("trained") if isinstance(told, Mapping) else None
    return WaiverFacts(facts.version, trained if isinstance(trained, datetime) else None)


def stored_facts(engine: Engine, model: str, records: Mapping[str, Evidence]) -> WaiverFacts:
    """Return what is known of a model without asking a registry: what its card and the records say."""
    card = card_of(engine, model)
    serving = card.versions.serving if card is not None and card.versions is not None else None
    known = records.get(model)
    return WaiverFacts(serving if isinstance(serving, str) else "", known.trained if known is not None else None)


def active(engine: Engine, connection: Connection, at: datetime) -> list[Waiver]:
    """Return the waivers in force, those that end first before the others; no registry is asked."""
    holding = [each for each in waivers.holding(connection, at) if each.ended is None]
    records = evidence.latest(connection) if holding else {}
    found = (each for each in holding if is_active(each, stored_facts(engine, each.model, records), at))
    return sorted(found, key=lambda each: each.until)
