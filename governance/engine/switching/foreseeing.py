"""What a pull of several models would do to each: pulled, unchanged as it restricts as much already, or refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from governance.core.authority import Actor, Allowed, authority
from governance.core.duration import format_duration
from governance.core.selection import Selection, selected
from governance.core.switch import Mode, Scope, Setting, Switch, tightened
from governance.engine.entries import OWN
from governance.engine.parts import Engine
from governance.engine.permission import card_of
from governance.engine.reading import Readable
from governance.engine.switching.change import words
from governance.engine.switching.pulling import expiring, setting
from governance.errors import Conflict, InvalidDocument
from governance.store import switches

if TYPE_CHECKING:
    from sqlalchemy import Connection

ALL = Scope()
Does = Literal["pull", "unchanged", "refused"]
_DIGEST = re.compile(r"(\d{1,15})-(\d{1,9})-([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{24})")
_TOLD = 4
"""Changes that a conflict names."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of which models: a mode for the whole of each."""

    selection: Selection
    mode: Mode
    share: float = 1.0
    expires: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the pull would do to one model; `said` is why the actor may, or why not and who may instead."""

    model: str
    does: Does
    switch: Switch
    then: Setting | None
    said: str

    @property
    def now(self) -> Setting | None:
        """What is set for the whole model."""
        return self.switch.at(ALL)

    @property
    def narrower(self) -> tuple[Setting, ...]:
        """What is set for parts of it, which the pull covers and leaves as it is."""
        return tuple(each for each in self.switch.settings if each.scope != ALL)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a pull of several would do, as of the switches at `seq` and a version of the policies."""

    order: Order
    outlooks: tuple[Outlook, ...]
    seq: int
    version: str

    def of(self, does: Does) -> tuple[Outlook, ...]:
        """Return the models to which it would do this."""
        return tuple(each for each in self.outlooks if each.does == does)

    @property
    def confirm(self) -> str:
        """What is typed to confirm it: what is set, and for how many models."""
        return f"{self.order.mode} {len(self.of('pull'))}"

    @property
    def digest(self) -> str:
        """What names the question and its answer; who acts says by it what they were shown."""
        order, choice = self.order, self.order.selection
        share = order.share if order.mode == "throttle" else 1.0
        which = (sorted(choice.models), sorted(choice.where), choice.everything)
        rows = [(each.model, each.does, each.now.seq if each.now is not None else 0) for each in self.outlooks]
        shown = hashlib.sha256(repr(rows).encode()).hexdigest()[:24]
        asked = _short(which, order.mode, share, order.expires)
        return f"{self.seq}-{len(self.of('pull'))}-{_short(self.version)}-{asked}-{shown}"


def foreseen(
    connection: Connection,
    engine: Engine,
    order: Order,
    *,
    actor: Actor | str,
    at: datetime,
    readable: Readable,
    because: str = "",
) -> Foreseen:
    """Return what a pull would do to each model of the selection that the actor may read.

    :raises InvalidDocument: for a mode that is no pull, a share, an expiry, or a selection that cannot be.
    :raises NotFound: for a model that no card declares, and when none fits.
    """
    cards = [each.policy.card for each in engine.plan.policies if each.model not in OWN and readable(each.model)]
    models = selected(cards, engine.lineage, order.selection)
    found = switches.of(connection, models)
    outlooks = tuple(outlook(engine, found[each], order, actor=actor, because=because, at=at) for each in models)
    return Foreseen(order, outlooks, switches.last_seq(connection), engine.plan.version)


def outlook(engine: Engine, switch: Switch, order: Order, *, actor: Actor | str, because: str, at: datetime) -> Outlook:
    """Return what a pull would do to one model; it raises what `foreseen` raises."""
    model = switch.model
    wanted = expiring(
        setting(engine, model, order.mode, ALL, order.share, because=because, actor=str(actor), at=at), order.expires
    )
    may = authority(actor, "switch.pull", card_of(engine, model), engine.organisation)
    if not isinstance(may, Allowed):
        return Outlook(model, "refused", switch, None, str(may))
    after = tightened(switch.at(ALL), wanted)
    return Outlook(model, "unchanged" if after is None else "pull", switch, after, may.because)


def check_shown(connection: Connection, now: Foreseen, shown: str) -> None:
    """Refuse a pull that is no longer what its actor was shown.

    :raises InvalidDocument: for a digest that no preview has.
    :raises Conflict: saying what changed since.
    """
    seen = _DIGEST.fullmatch(shown)
    if seen is None:
        raise InvalidDocument("the digest is that of the preview which was shown (gov switch pull … --dry-run)")
    if (seen[4], seen[5]) == tuple(now.digest.split("-")[3:]):
        return
    said = "; ".join(_differences(connection, now, seen))
    raise Conflict(f"nothing was pulled, as it is not what you were shown: {said}; look again, then pull")


def _differences(connection: Connection, now: Foreseen, seen: re.Match[str]) -> Iterator[str]:
    if seen[4] != now.digest.split("-")[3]:
        yield f"that was a preview of other models, or of another mode, share or expiry than {_asked(now.order)}"
        return
    models = {each.model for each in now.outlooks}
    changed = [each for each in switches.since(connection, int(seen[1])) if each.model in models]
    yield from (_change(each) for each in changed[:_TOLD])
    if len(changed) > _TOLD:
        yield f"{len(changed) - _TOLD} more changed"
    if seen[3] != _short(now.version):
        yield "the policies changed"
    was, is_ = int(seen[2]), len(now.of("pull"))
    if was != is_ or not (changed or seen[3] != _short(now.version)):
        yield f"it would pull {was} models then and {is_} now"


def _change(switch: Switch) -> str:
    last = next((each for each in switch.settings if each.seq == switch.seq), None)
    if last is None:
        return f"{switch.model} was restored (seq {switch.seq})"
    return f"{words(switch.model, last.scope, last)} by {last.set_by} (seq {switch.seq})"


def _asked(order: Order) -> str:
    share = f" {order.share:.4g}" if order.mode == "throttle" else ""
    expires = f" for {format_duration(order.expires)}" if order.expires is not None else ""
    return f"{order.mode}{share}{expires} of {_brief(str(order.selection))}"


def _brief(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


def _short(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
