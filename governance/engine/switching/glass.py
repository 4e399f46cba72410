"""Break the glass: restore a model alone and at once, whoever its card names; it pages everybody, and is reviewed."""

from __future__ import annotations

from datetime import datetime

from governance.core.authority import Actor
from governance.core.switch import Scope
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.sealing import sealed
from governance.engine.switching import paging
from governance.engine.switching.change import Act, SwitchDone, check_confirmed, check_reason, words, write
from governance.errors import Conflict
from governance.store import switches


def break_glass(
    engine: Engine,
    model: str,
    *,
    actor: Actor | str,
    because: str,
    at: datetime,
    confirmed: str,
    scope: Scope = Scope(),  # noqa: B008 (it is frozen)
) -> SwitchDone:
    """Restore one scope without `rollback.authority` and without a second person.

    It opens an incident that pages everybody; its resolution is the review, which is for somebody else.

    :raises Denied: when the actor may not, or has not confirmed with the model's name.
    :raises Conflict: when nothing is set for the scope.
    """
    allowed = permit(engine, actor, "switch.break-glass", model)
    check_reason(because)
    check_confirmed(model, confirmed, f"breaking the glass of {model}")
    scope = Scope(scope.version, tuple(sorted(scope.labels)))
    with engine.database.transaction() as connection:
        before = switches.get(connection, model)
        if before.at(scope) is None:
            raise Conflict(f"{words(model, scope, None)} already")
        finding = paging.glass(model, scope, switches.next_seq(connection), str(actor), because)
        incident = paging.page(connection, engine, finding, at)
        details = {"because_allowed": allowed.because, "review": incident.id}
        done = write(connection, engine, before, scope, None, Act("switch.glass_broken", actor, at, because, details))
    return SwitchDone(done.switch, done.setting, sealed(engine, done.identity, at), allowed.because)
