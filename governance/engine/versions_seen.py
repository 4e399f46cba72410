"""Which versions of a model were seen, first and last, from what is kept already: no source is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from governance.core.card import Card
from governance.core.compiled import CompiledPolicy
from governance.core.past import series_key
from governance.core.sighting import Sighting, sightings, together
from governance.engine.parts import Engine
from governance.store import pushed, samples
from governance.views.models import VersionSeenView

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LABEL = "version"
_ROLES = ("serving", "canary", "shadow", "rollback_to", "fallback")
REGISTRY, PUSHED = "registry", "pushed"


def versions_seen(engine: Engine, model: str) -> tuple[list[VersionSeenView], str]:
    """Return the versions that a card names or that were seen, the last seen first, and why none can be, if so."""
    policy = engine.plan.by_model[model]
    roles = _declared(policy.policy.card)
    with engine.database.read() as connection:
        found = together([*_asked(connection, policy), *_pushed(engine, connection, policy)])
    views = [_view(version, roles.get(version, []), found.get(version, [])) for version in {**roles, **found}]
    ordered = sorted(views, key=lambda each: (each.last is None, -each.last.timestamp() if each.last else 0.0))
    return ordered, "" if found or _tells(
        policy
    ) else "nothing tells its versions apart: no metric has the label version"


def _declared(card: Card) -> dict[str, list[str]]:
    """Return the versions that a card names with what each is for; of one that only a registry knows nothing."""
    found: dict[str, list[str]] = {}
    for role in _ROLES:
        said = getattr(card.versions, role, None)
        name = getattr(said, "version", said)
        if isinstance(name, str):
            found.setdefault(name, []).append(role)
    return found


def _tells(policy: CompiledPolicy) -> bool:
    return policy.registry is not None or any(_LABEL in each.labels for each in policy.policy.metrics.values())


def _asked(connection: Connection, policy: CompiledPolicy) -> Iterator[Sighting]:
    """Yield what the answers tell whose label is a version, and a registry."""
    metrics = policy.policy.metrics.items()
    asked = {series_key(each.query): (name, each.query) for name, each in metrics if _LABEL in each.labels}
    if policy.registry is not None:
        asked[series_key(policy.registry)] = (REGISTRY, policy.registry)
    seen = samples.seen(connection, asked)
    for key, (name, query) in asked.items():
        spans = [(dict(labels)[_LABEL], *span) for labels, span in seen.get(key, {}).items() if _LABEL in dict(labels)]
        yield from sightings(name, spans, query.window if query.measure else timedelta(0))


def _pushed(engine: Engine, connection: Connection, policy: CompiledPolicy) -> Iterator[Sighting]:
    """Yield what was pushed with the label, whether or not a rule asks for it."""
    pushing = {name for name, each in engine.organisation.sources.items() if each.kind == "push"}
    queries = [each.query for each in policy.policy.metrics.values() if _LABEL in each.labels]
    for source in sorted(pushing & {each.source for each in queries}):
        names = [each.text for each in queries if each.source == source]
        seen = pushed.seen(connection, source, policy.model, names)
        yield from sightings(PUSHED, [(dict(labels)[_LABEL], *span) for labels, span in seen.items()])


def _view(version: str, roles: list[str], found: list[Sighting]) -> VersionSeenView:
    first = min(found, key=lambda each: each.first, default=None)
    by: Mapping[str, None] = dict.fromkeys(each.by for each in found)
    return VersionSeenView(
        version=version,
        roles=roles,
        first=first.first if first is not None else None,
        last=max((each.last for each in found), default=None),
        earlier=first is not None and first.earlier,
        by=list(by),
    )
