"""A kill switch as it is shown: what holds, what a person must know before acting, and whether they may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from governance.core.authority import Act, Actor, Allowed, authority
from governance.core.card import Card
from governance.core.switch import Setting, Switch
from governance.core.switch_warnings import warnings
from governance.engine.confirmations import FORGOTTEN_AFTER
from governance.engine.entries import OWN
from governance.engine.foresight import failed_drill, fallback_health, last_drill
from governance.engine.parts import Engine
from governance.engine.permission import card_of, declared, who_may
from governance.engine.switching import people_to_restore
from governance.store import switches
from governance.views import ConfirmationsView, MayView, ScopeView, SettingView, SwitchView

Confirmations = Callable[[str], ConfirmationsView]
_ACTS: dict[str, Act] = {"pull": "switch.pull", "restore": "switch.restore", "break-glass": "switch.break-glass"}


def nobody_confirms(model: str) -> ConfirmationsView:
    """Return the confirmations of a model that no instance reads."""
    del model
    return ConfirmationsView(total=0, confirmed=0)


def switch_view(engine: Engine, model: str, who: Actor, confirmations: Confirmations) -> SwitchView:
    """Return one switch for who asks, with all that a person wants to know before acting.

    :raises NotFound: when no card declares the model and it was never pulled.
    """
    with engine.database.read() as connection:
        switch = switches.get(connection, model)
    if not switch.seq:
        declared(engine, model)
    view = view_of(engine, switch, who, confirmations)
    drill = last_drill(engine, model)
    return view.model_copy(update={
        "fallback_health": fallback_health(engine, view.fallback),
        "drill": drill,
        "drill_failed": failed_drill(engine, model, drill.at if drill is not None else None),
        "restorers": list(who_may(engine, "switch.restore", model)),
        "approvers": list(who_may(engine, "switch.approve", model)),
    })  # fmt: skip


def readable_switches(engine: Engine, readable: Callable[[str | None], bool]) -> list[Switch]:
    """Return the switches of all models that may be read, those that are not live first."""
    with engine.database.read() as connection:
        pulled = switches.all_of(connection)
    models = {policy.model for policy in engine.plan.policies if policy.model not in OWN} | set(pulled)
    found = [pulled.get(model, Switch(model)) for model in models if readable(model)]
    return sorted(found, key=switch_place)


def switch_place(switch: Switch) -> tuple[int, str]:
    """Return where a switch stands among the others."""
    return (0 if switch.settings else 1), switch.model


def view_of(engine: Engine, switch: Switch, who: Actor, confirmations: Confirmations) -> SwitchView:
    """Return a switch for who asks."""
    card = card_of(engine, switch.model)
    versions = card.versions if card is not None else None
    serving = versions.serving if versions is not None else None
    heard = confirmations(switch.model)
    return SwitchView(
        model=switch.model,
        environment=engine.organisation.environment,
        tier=card.tier if card is not None else 1,
        seq=switch.seq,
        mode=switch.worst.mode if switch.worst else "live",
        settings=[_setting(each) for each in sorted(switch.settings, key=lambda each: each.rank, reverse=True)],
        changed_at=switch.changed_at,
        serving=serving if isinstance(serving, str) else serving.serving if serving is not None else "",
        fallback=(versions.fallback if versions is not None else None) or "",
        traffic=traffic_of(engine, switch.model),
        dependants=sorted(_dependants(engine, switch.model)),
        people_to_restore=people_to_restore(engine, switch.model),
        confirmations=heard,
        warnings=list(_warnings(switch, versions is not None and bool(versions.fallback), heard, engine.clock.now())),
        may={name: may_view(engine, who, act, card) for name, act in _ACTS.items()},
    )


def _setting(setting: Setting) -> SettingView:
    return SettingView(
        scope=ScopeView(version=setting.scope.version, labels=dict(setting.scope.labels)),
        mode=setting.mode,
        share=setting.share,
        seq=setting.seq,
        reason=setting.reason,
        set_by=setting.set_by,
        set_at=setting.set_at,
        approved_by=setting.approved_by,
        fallback=setting.fallback,
        incident=setting.incident,
        expires_at=setting.expires_at,
        extended=setting.extended,
        origin=setting.origin,
        batch=setting.batch,
    )


def traffic_of(engine: Engine, model: str) -> float | None:
    """Return predictions per minute, as far as a rule looks at the metric `predictions`."""
    policy = engine.plan.by_model.get(model)
    metric = policy.policy.metrics.get("predictions") if policy is not None else None
    if metric is None:
        return None
    inputs = (each for verdict in engine.latest.of(model) for each in verdict.inputs)
    count = next((each.value for each in inputs if each.name == "metrics.predictions"), None)
    return count / (metric.query.window / timedelta(minutes=1)) if count is not None else None


def _dependants(engine: Engine, model: str) -> Iterator[str]:
    for policy in engine.plan.policies:
        data = policy.policy.card.data
        if data is not None and model in data.depends_on:
            yield policy.model


def _warnings(switch: Switch, fallback: bool, heard: ConfirmationsView, now: datetime) -> Iterator[str]:  # noqa: FBT001
    yield from warnings(switch, now)
    if not fallback:
        yield "the card names no fallback (versions.fallback): what serves instead is up to the client"
    if not heard.total and (heard.last_read is None or heard.last_read <= now - FORGOTTEN_AFTER):
        yield "no serving process has asked for this switch: pulling it may stop nothing"
    if heard.silent:
        yield f"{len(heard.silent)} of {heard.total} instances have not been heard of lately"


def may_view(engine: Engine, who: Actor, act: Act, card: Card | None) -> MayView:
    """Return whether somebody may act on a model, and why or else who may."""
    found = authority(who, act, card, engine.organisation)
    if isinstance(found, Allowed):
        return MayView(allowed=True, because=found.because)
    return MayView(allowed=False, because=str(found))
