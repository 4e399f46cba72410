"""Pull several kill switches by one act: each with its own entry, all bound by the id of the act, in groups.

The first group is in the transaction of the act's own entry, which names all models. While more are to come the act is
open: what a process that ended did not come to is finished (resuming.py). No model is pulled twice, as its decision has
the id that the act and the model give it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance.core.authority import Actor
from governance.core.decision import Decision, Entry
from governance.core.duration import parse_duration
from governance.core.selection import Selection
from governance.core.switch import MODES, Mode
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.reading import Readable
from governance.engine.sealing import sealed
from governance.engine.switching.change import Act, Change, check_reason, write_many
from governance.engine.switching.foreseeing import ALL, Foreseen, Order, Outlook, check_shown, foreseen, outlook
from governance.errors import Conflict, Denied, NotFound
from governance.store import decision_log, incidents, progress, switches

if TYPE_CHECKING:
    from sqlalchemy import Connection

GROUP = 100
"""Models that are pulled in one transaction, which others wait for."""
TELLINGS = 20
"""How often serving processes are told at most, but for the first group: each time all switches are looked at."""
KIND = "switch.batch_pulled"
OPEN = "batch:"
"""What the name of an act that is not at its end begins with, among what the engine remembers of its progress."""


@dataclass(frozen=True, slots=True)
class Batch:
    """An act on several models: those that it pulls, those that it found unchanged, and those refused to its actor."""

    id: str
    actor: str
    at: datetime
    because: str
    mode: Mode
    share: float
    expires: timedelta | None
    incident: int | None
    models: tuple[str, ...]
    unchanged: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    channel: str = ""

    @property
    def first(self) -> int:
        """The number of its first change of a switch: what has this one or a later one was changed since it began."""
        return int(self.id.removeprefix("BATCH-"))

    @property
    def order(self) -> Order:
        """What it wants."""
        return Order(Selection(models=self.models), self.mode, self.share, self.expires)

    def decision_of(self, model: str) -> str:
        """Return the id of the decision by which it pulls a model."""
        return entries.identity("batch", self.id, model)


def foresee(
    engine: Engine, order: Order, *, actor: Actor | str, at: datetime, readable: Readable, because: str = ""
) -> Foreseen:
    """Return what a pull of several would do, changing nothing; it raises what `foreseen` raises."""
    with engine.database.read() as connection:
        return foreseen(connection, engine, order, actor=actor, at=at, readable=readable, because=because)


def pull_together(
    engine: Engine,
    order: Order,
    *,
    actor: Actor | str,
    because: str,
    at: datetime,
    shown: str,
    confirmed: str,
    readable: Readable,
    incident: int | None = None,
    told: Callable[[], object] = lambda: None,
) -> str:
    """Pull those of a selection that are less restricted, as they were shown, and return the id of the act.

    `shown` is the digest of the preview, `confirmed` what it says to type. `told` is called once some are pulled: after
    the first group, and then as the act goes on.

    :raises Denied: when the actor may pull none of them, or has not confirmed.
    :raises Conflict: when it is no longer what was shown, or nothing would change.
    :raises NotFound: for a model or an incident that is not there.
    :raises InvalidDocument: for a selection, a mode, an expiry, a digest or a reason that cannot be.
    """
    check_reason(because)
    before = foresee(engine, order, actor=actor, at=at, readable=readable, because=because)
    with engine.database.transaction() as connection:
        if incident is not None:
            incidents.get(connection, incident)
        now, version = before, engine.plan.version
        if (switches.last_seq(connection), version) != (before.seq, before.version):
            now = foreseen(connection, engine, order, actor=actor, at=at, readable=readable, because=because)
        check_shown(connection, now, shown)
        _check(engine, now, actor, confirmed)
        batch = _begun(connection, now, actor, because, at, incident)
        _pull(connection, engine, batch, batch.models[:GROUP], actor, at)
        if len(batch.models) > GROUP:
            progress.set_last(connection, f"{OPEN}{batch.id}", at)
            engine.under_way.add(batch.id)
    try:
        told()
        if len(batch.models) > GROUP:
            _go_on(engine, batch, actor, at, told)
            close(engine, batch)
    finally:
        engine.under_way.discard(batch.id)
    sealed(engine, entries.identity("batch", batch.id), at)
    return batch.id


def _go_on(engine: Engine, batch: Batch, actor: Actor | str, at: datetime, told: Callable[[], object]) -> None:
    """Pull those behind the first group."""
    models = batch.models[GROUP:]
    groups = [models[start : start + GROUP] for start in range(0, len(models), GROUP)]
    several = -(-len(groups) // TELLINGS)
    for number, group in enumerate(groups, 1):
        with engine.database.transaction() as connection:
            _pull(connection, engine, batch, group, actor, at)
        if number % several == 0 or number == len(groups):
            told()


def close(engine: Engine, batch: Batch, decision: Decision | None = None) -> None:
    """Let an act be at its end, with what is to be said of that."""
    with engine.database.transaction() as connection:
        if decision is not None and not decision_log.holds(connection, decision.id):
            decision_log.append(connection, [decision])
        progress.set_last(connection, f"{OPEN}{batch.id}", None)


def batch_of(engine: Engine, batch: str) -> tuple[Batch, int]:
    """Return an act on several models by its id, and the number of its entry.

    :raises NotFound: when there is none.
    """
    entry = decision_log.entry_of(engine.database, entries.identity("batch", batch))
    if entry is None:
        raise NotFound(f"no act on several models '{batch}'; gov audit tail --kind {KIND} lists them")
    return _read(entry), entry.seq


def _check(engine: Engine, now: Foreseen, actor: Actor | str, confirmed: str) -> None:
    """Refuse what pulls nothing, or was not confirmed."""
    pulls, refused = now.of("pull"), now.of("refused")
    if not pulls and refused:
        permit(engine, actor, "switch.pull", refused[0].model)
    if not pulls:
        raise Conflict(f"nothing to pull: all {len(now.outlooks)} models are restricted as much already, and as long")
    if confirmed != now.confirm:
        many = f"pulling {len(pulls)} model{'s' if len(pulls) > 1 else ''}"
        raise Denied(f'{many} must be confirmed; type {now.confirm} (on the command line: --confirm "{now.confirm}")')


def _begun(
    connection: Connection, now: Foreseen, actor: Actor | str, because: str, at: datetime, incident: int | None
) -> Batch:
    """Write the entry of the act, which names what it is about to pull, before the first of them."""
    order = now.order
    batch = Batch(
        f"BATCH-{switches.next_seq(connection)}", str(actor), at, because, order.mode, order.share, order.expires,
        incident, tuple(each.model for each in now.of("pull")), tuple(each.model for each in now.of("unchanged")),
        tuple((each.model, each.said) for each in now.of("refused")), entries.channel(actor).get("channel", ""),
    )  # fmt: skip
    body = {
        "because": because,
        "mode": order.mode,
        "share": order.share,
        "expires": f"{order.expires.total_seconds():.0f}s" if order.expires is not None else None,
        "which": str(order.selection) if not order.selection.models else "by name",
        "models": list(batch.models),
        "unchanged": list(batch.unchanged),
        "refused": dict(batch.refused),
        "digest": now.digest,
        **entries.channel(actor),
    }
    about = {"batch": batch.id, **({"incident": str(incident)} if incident is not None else {})}
    decision = Decision(at, KIND, str(actor), about, body, entries.identity("batch", batch.id))
    decision_log.append(connection, [decision])
    return batch


def _read(entry: Entry) -> Batch:
    said, about = entry.decision.body, entry.decision.subject
    mode = next(each for each in MODES if each == said["mode"])
    expires = parse_duration(str(said["expires"])) if said["expires"] is not None else None
    return Batch(
        about["batch"], entry.decision.actor, entry.decision.at, str(said["because"]), mode,
        float(str(said["share"])), expires, int(about["incident"]) if "incident" in about else None,
        tuple(map(str, _items(said["models"]))), tuple(map(str, _items(said["unchanged"]))),
        tuple((str(name), str(why)) for name, why in dict(said["refused"]).items()),  # type: ignore[call-overload] # as it was written
        str(said.get("channel", "")),
    )  # fmt: skip


def _items(found: object) -> Sequence[object]:
    return found if isinstance(found, list) else ()


def left_of(connection: Connection, batch: Batch, models: Sequence[str]) -> list[str]:
    """Return which of these models an act has not pulled."""
    done = decision_log.recorded(connection, [batch.decision_of(each) for each in models])
    return [each for each in models if batch.decision_of(each) not in done]


def pull_those(
    connection: Connection,
    engine: Engine,
    batch: Batch,
    outlooks: Iterable[Outlook],
    actor: Actor | str,
    at: datetime,
    **more: str,
) -> int:
    """Write the pulls of those that are pulled; return how many. The entry of each says `more` besides."""
    changes = [
        Change(
            now.switch,
            ALL,
            replace(now.then, incident=batch.incident, batch=batch.id),
            Act("switch.pulled", actor, at, batch.because, {"because_allowed": now.said, "batch": batch.id, **more}),
            batch.decision_of(now.model),
        )
        for now in outlooks
        if now.then is not None
    ]
    write_many(connection, engine, changes)
    return len(changes)


def _pull(
    connection: Connection, engine: Engine, batch: Batch, models: Sequence[str], actor: Actor | str, at: datetime
) -> None:
    """Pull those of a group that are not pulled yet, and may still be."""
    found = switches.of(connection, left_of(connection, batch, models))
    seen = (outlook(engine, each, batch.order, actor=actor, because=batch.because, at=at) for each in found.values())
    pull_those(connection, engine, batch, seen, actor, at)
