"""A pull of several kill switches as it is shown: what it would do to each model, and what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from governance.core.authority import who_may
from governance.core.decision import Entry
from governance.core.duration import format_duration
from governance.core.switch import MODES, Setting, Switch
from governance.engine.foresight import fallback_healths
from governance.engine.parts import Engine
from governance.engine.permission import card_of
from governance.engine.switch_views import Confirmations, traffic_of
from governance.engine.switching import Batch, Foreseen, batch_of, people_to_restore
from governance.engine.switching.change import mode_words
from governance.engine.switching.foreseeing import ALL, Outlook
from governance.engine.switching.resuming import finished_by
from governance.store import decision_log, switches
from governance.views import FallbackView
from governance.views.batches import BatchForeseenView, BatchItemView, BatchView, ForeseenView

_NAMED = 4
"""Models that a sentence names."""
_FINE = ("healthy", "info")
_WORDS = (("pulled", "pulled"), ("unchanged", "unchanged"), ("refused", "refused"), ("left", "not pulled"))


def foreseen_view(engine: Engine, found: Foreseen, confirmations: Confirmations | None = None) -> BatchForeseenView:
    """Return what a pull of several would do, with all that a person wants to know before acting.

    Without `confirmations` it is not known here which processes read the switches.
    """
    sight = _sight_of(engine, found, confirmations)
    items = [_foreseen(engine, each, sight) for each in found.outlooks]
    pulled = [each for each in items if each.does == "pull"]
    known = [each.traffic for each in pulled if each.traffic is not None]
    return BatchForeseenView(
        environment=engine.organisation.environment,
        which=str(found.order.selection),
        mode=found.order.mode,
        confirm=found.confirm,
        digest=found.digest,
        pull=len(pulled),
        unchanged=len(found.of("unchanged")),
        refused=len(found.of("refused")),
        traffic=sum(known) if known else None,
        untold=len(pulled) - len(known),
        dependants=sorted({far for each in pulled for far in engine.lineage.below(each.model)} - sight.all),
        warnings=list(_summed(pulled)),
        limit=_limit(engine),
        items=items,
    )


@dataclass(frozen=True, slots=True)
class _Sight:
    """What the models of an act are seen against: `away` do not answer once it is done."""

    mode: str
    all: frozenset[str]
    away: frozenset[str]
    healths: Mapping[str, FallbackView]
    confirmations: Confirmations | None


def _sight_of(engine: Engine, found: Foreseen, confirmations: Confirmations | None) -> _Sight:
    models = frozenset(each.model for each in found.outlooks)
    away = frozenset(each.model for each in found.of("pull"))
    names = {_fallback(engine, each.model) for each in found.outlooks}
    return _Sight(found.order.mode, models, away, fallback_healths(engine, names), confirmations)


def _foreseen(engine: Engine, found: Outlook, sight: _Sight) -> ForeseenView:
    model, card = found.model, card_of(engine, found.model)
    worst = found.switch.worst
    refused = found.does == "refused"
    return ForeseenView(
        model=model,
        tier=card.tier if card is not None else 1,
        team=card.owners.team if card is not None else "",
        does=found.does,
        now=worst.mode if worst is not None else "live",
        said=_said(found),
        covers=[f"{each.scope} {mode_words(each)}" for each in found.narrower] if not refused else [],
        fallback=sight.healths.get(_fallback(engine, model)),
        dependants=sorted(set(engine.lineage.downstream.get(model, ())) - sight.all),
        traffic=traffic_of(engine, model),
        people=people_to_restore(engine, model),
        because=found.said if not refused else "",
        who_may=list(who_may("switch.pull", card, engine.organisation)) if refused else [],
        warnings=list(_warnings(engine, found, sight)) if not refused else [],
    )


def _said(found: Outlook) -> str:
    if found.does == "refused":
        return found.said
    now = _brief(found.now)
    if found.does == "pull":
        return f"{now} → {_brief(found.then)}"
    since = f"since {found.now.set_at:%Y-%m-%d %H:%M} UTC by {found.now.set_by}" if found.now is not None else ""
    return f"{now} already {since}, seq {found.switch.seq}"


def _brief(setting: Setting | None) -> str:
    if setting is None:
        return "live"
    return f"throttle {setting.share * 100:.3g} %" if setting.mode == "throttle" else setting.mode


def _warnings(engine: Engine, found: Outlook, sight: _Sight) -> Iterator[str]:
    if found.does == "unchanged":
        if found.now is not None and found.now.expires_at is not None:
            yield f"what holds ends {found.now.expires_at:%Y-%m-%d %H:%M} UTC, and this pull does not change that"
        return
    if sight.mode != "stopped":
        yield from _of_fallback(_fallback(engine, found.model), sight)
    if sight.confirmations is not None and not sight.confirmations(found.model).total:
        yield "no serving process reports that it reads this switch"


def _of_fallback(name: str, sight: _Sight) -> Iterator[str]:
    health = sight.healths.get(name)
    if not name:
        yield "its card names no fallback: what serves instead is up to the client"
    elif name in sight.away:
        yield f"its fallback {name} is pulled by this too"
    elif health is not None and health.state not in (*_FINE, "unknown"):
        yield f"its fallback {name} is not healthy: {health.said}"


def _summed(pulled: Sequence[ForeseenView]) -> Iterator[str]:
    """Yield the warnings of all, each kind once with how many it is about."""
    for said, about in (
        ("its card names no fallback", "the card names no fallback: what serves is up to the client"),
        ("is pulled by this too", "the fallback is pulled by this too"),
        ("is not healthy", "the fallback is not healthy"),
        ("no serving process", "no process reports that it reads the switch: to pull it may stop nothing"),
    ):
        models = [each.model for each in pulled if any(said in one for one in each.warnings)]
        if models:
            more = f" and {len(models) - _NAMED} more" if len(models) > _NAMED else ""
            yield f"{len(models)} of {len(pulled)}: {about} ({', '.join(models[:_NAMED])}{more})"


def _limit(engine: Engine) -> str:
    held = engine.organisation.automation
    most = f"{held.models} models or {held.share:.0%} in {format_duration(held.window)}"
    return f"the limit on what rules pull ({most}) does not hold for people"


def _fallback(engine: Engine, model: str) -> str:
    card = card_of(engine, model)
    return (card.versions.fallback if card is not None and card.versions is not None else None) or ""


def batch_view(engine: Engine, batch: str, confirmations: Confirmations) -> BatchView:
    """Return what became of a pull of several.

    :raises NotFound: when there is none of that id.
    """
    found, number = batch_of(engine, batch)
    sealed = decision_log.entries_of(engine.database, [found.decision_of(each) for each in found.models])
    finished = decision_log.entry_of(engine.database, finished_by(found.id))
    late = _late(finished)
    refused = {**dict(found.refused), **late}
    models = [*found.models, *found.unchanged, *dict(found.refused)]
    with engine.database.read() as connection:
        now = switches.of(connection, models)
    items = [
        _item(engine, found, now[each], sealed.get(found.decision_of(each)), refused.get(each, ""), confirmations)
        for each in models
    ]
    count = Counter(each.outcome for each in items)
    resumed = sum("resumed" in each.decision.body for each in sealed.values())
    return BatchView(
        batch=found.id,
        entry=number,
        by=found.actor,
        at=found.at,
        because=found.because,
        mode=found.mode,
        share=found.share,
        incident=found.incident,
        pulled=count["pulled"],
        unchanged=count["unchanged"],
        refused=count["refused"],
        left=count["left"],
        resumed=resumed,
        said=_outcome(found, count, resumed, finished),
        items=items,
    )


def _item(
    engine: Engine, batch: Batch, switch: Switch, entry: Entry | None, refused: str, confirmations: Confirmations
) -> BatchItemView:
    outcome, said = _became(batch, switch, entry, refused)
    card, holding = card_of(engine, switch.model), switch.at(ALL)
    return BatchItemView(
        model=switch.model,
        tier=card.tier if card is not None else 1,
        outcome=outcome,
        said=said,
        now=switch.worst.mode if switch.worst is not None else "live",
        held=entry is not None and holding is not None and holding.batch == batch.id,
        entry=entry.seq if entry is not None else None,
        seq=int(str(entry.decision.body["seq"])) if entry is not None else None,
        confirmations=confirmations(switch.model),
    )


def _became(batch: Batch, switch: Switch, entry: Entry | None, refused: str) -> tuple[str, str]:
    if refused:
        return "refused", refused
    now = switch.at(ALL)
    if entry is not None:
        after = "" if now is not None and now.batch == batch.id else f"; changed since: it is {mode_words(now)}"
        return "pulled", f"{batch.mode} since entry {entry.seq}{after}"
    if switch.model in batch.unchanged or (now is not None and now.rank >= _rank(batch)):
        return "unchanged", f"{mode_words(now)} already" if now is not None else "given back since"
    return "left", "not pulled yet: the act ended before it; the engine goes on with it as soon as it runs"


def _rank(batch: Batch) -> tuple[int, float]:
    return MODES.index(batch.mode), batch.share if batch.mode == "throttle" else 1.0


def _late(finished: Entry | None) -> dict[str, str]:
    """Return what was refused, and why, when an act that was cut off was finished."""
    refused = finished.decision.body["refused"] if finished is not None else None
    return {str(name): str(why) for name, why in refused.items()} if isinstance(refused, Mapping) else {}


def _outcome(batch: Batch, count: Mapping[str, int], resumed: int, finished: Entry | None) -> str:
    """Return what became of all of them, in a sentence."""
    told = [f"{count[each]} {word}" for each, word in _WORDS if count.get(each)]
    if finished is None:
        return f"{batch.id}: {', '.join(told)}"
    some = f"{resumed} {'was' if resumed == 1 else 'were'} pulled {finished.decision.body['how']}"
    return f"{batch.id}: {', '.join(told)}; the engine had ended in the middle, and {some}"
