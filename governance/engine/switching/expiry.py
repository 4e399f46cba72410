"""What the engine does when a setting ends: give the model back if its guards are healthy, else keep it and page."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from governance.core.switch import Setting, Switch
from governance.engine.entries import ENGINE
from governance.engine.parts import Engine
from governance.engine.switching import paging
from governance.engine.switching.approving import run_out
from governance.engine.switching.change import Act, words, write
from governance.engine.switching.guarding import unhealthy
from governance.store import approvals, decision_log, switches

_SHOWN = 3
_DEFAULT = timedelta(hours=1)


def expire(engine: Engine, at: datetime) -> list[Switch]:
    """Act on every setting that has ended, and void the requests that nobody answered; return the switches changed.

    It is done by the engine alone, and a row tells when: a restart forgets nothing, and clients never restore.
    """
    with engine.database.read() as connection:
        ended = [
            (switch.model, setting)
            for switch in switches.all_of(connection).values()
            for setting in switch.settings
            if setting.expires_at is not None and setting.expires_at <= at
        ]
        unanswered = any(each.until < at for each in approvals.listed(connection, kind="switch.restore"))
    found = [after for model, setting in ended if (after := _ended(engine, model, setting, at)) is not None]
    if unanswered:
        with engine.database.transaction() as connection:
            run_out(connection, at)
    if found or unanswered:
        decision_log.seal(engine.database, at)
    return found


def _ended(engine: Engine, model: str, setting: Setting, at: datetime) -> Switch | None:
    """Judge the guards, then restore or extend, unless somebody changed the setting meanwhile."""
    wrong = unhealthy(engine, model, setting, at)
    with engine.database.giving_way(), engine.database.transaction() as connection:
        before = switches.get(connection, model)
        if before.at(setting.scope) != setting:
            return None
        about = f"{words(model, setting.scope, setting)} since {setting.set_at:%Y-%m-%d %H:%M} UTC by {setting.set_by}"
        if not wrong:
            act = Act(
                "switch.expired", ENGINE, at, f"{about}; its guards are healthy", {"guards": list(setting.guards)}
            )
            return write(connection, engine, before, setting.scope, None, act).switch
        because = f"{about}, and is not given back: {_listed(wrong)}"
        lasting = setting.lasting or _DEFAULT
        kept = replace(setting, expires_at=at + lasting, lasting=lasting, extended=setting.extended + 1)
        act = Act("switch.extended", ENGINE, at, because, {"unhealthy": list(wrong), "extended": kept.extended})
        after = write(connection, engine, before, setting.scope, kept, act)
        paging.page(connection, engine, paging.extended(model, setting.scope, because), at)
        return after.switch


def _listed(wrong: tuple[str, ...]) -> str:
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return "; ".join(wrong[:_SHOWN]) + more
