"""What people do in a test, through the same operations as everywhere; a refusal must be the one that is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance.core.story import Act
from governance.core.switch import Scope
from governance.core.waiver import Waiver
from governance.engine import answering, evidence, operations, silences, waiving
from governance.engine.clock import stepped
from governance.engine.switching import approving, pulling, restoring, showing
from governance.errors import GovernanceError, InvalidDocument, NotFound
from governance.testing import running as runs

if TYPE_CHECKING:
    from governance.testing.play import Play


def perform(play: Play, act: Act, at: datetime) -> str:
    """Carry out an act; return the sentence that refused it, "" when it was done."""
    try:
        _ACTS[act.kind](play, act, at)
    except GovernanceError as error:
        return str(error)
    return ""


def _model(play: Play, act: Act) -> str:
    if act.model is not None:
        return act.model
    models = list(play.engine.plan.by_model)
    if len(models) != 1:
        raise InvalidDocument(f"several models are under test; say which: model: {models[0]}")
    return models[0]


def _labels(act: Act) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(act.labels.items()))


def _until(act: Act, at: datetime) -> datetime:
    if act.for_ is None:
        raise InvalidDocument(f"for how long? write for: next to {act.kind}:")
    return at + act.for_


def _acknowledge(play: Play, act: Act, at: datetime) -> None:
    operations.acknowledge(play.engine, act.acknowledge or 0, actor=act.as_, at=at)


def _resolve(play: Play, act: Act, at: datetime) -> None:
    operations.resolve(play.engine, act.resolve or 0, actor=act.as_, because=act.because, at=at)


def _note(play: Play, act: Act, at: datetime) -> None:
    answering.note(play.engine, act.incident, text=act.note or "", actor=act.as_, at=at)


def _snooze(play: Play, act: Act, at: datetime) -> None:
    answering.snooze(
        play.engine, act.snooze or 0, until=_until(act, at), because=act.because, actor=act.as_, at=at
    )  # fmt: skip


def _merge(play: Play, act: Act, at: datetime) -> None:
    answering.merge(play.engine, act.merge or 0, into=act.into, because=act.because, actor=act.as_, at=at)


def _severity(play: Play, act: Act, at: datetime) -> None:
    answering.set_severity(
        play.engine, act.incident, severity=act.severity or "warning", because=act.because, actor=act.as_, at=at
    )


def _waive(play: Play, act: Act, at: datetime) -> None:
    """Ask for a waiver and approve it, as two people."""
    play.waivers += 1
    waiver = Waiver(
        f"w{play.waivers}", _model(play, act), act.waive or "", _labels(act), act.because, act.asked_by, act.as_,
        _until(act, at),
    )  # fmt: skip
    operations.waive(play.engine, waiver, at=at)


def _request(play: Play, act: Act, at: datetime) -> None:
    waiving.request(
        play.engine, _model(play, act), act.request or "", labels=_labels(act), because=act.because,
        until=_until(act, at), actor=act.as_, at=at,
    )  # fmt: skip


def _approve(play: Play, act: Act, at: datetime) -> None:
    wanted = act.approve or ""
    if runs.waits(play.engine, wanted, act.in_):
        runs.answer(play.engine, act, at)
    elif wanted in {each.id for each in waiving.pending(play.engine, at)} | {"waiver"}:
        waiving.approve(play.engine, _waiting(play, wanted, "waiver", at), actor=act.as_, at=at)
    else:
        approving.approve(play.engine, _waiting(play, wanted, "restore", at), actor=act.as_, at=at)


def _refuse(play: Play, act: Act, at: datetime) -> None:
    wanted = act.refuse or ""
    if runs.waits(play.engine, wanted, act.in_):
        runs.answer(play.engine, act, at)
    elif wanted in {each.id for each in waiving.pending(play.engine, at)} | {"waiver"}:
        asked = _waiting(play, wanted, "waiver", at)
        waiving.refuse(play.engine, asked, actor=act.as_, because=act.because, at=at)
    else:
        asked = _waiting(play, wanted, "restore", at)
        approving.refuse(play.engine, asked, actor=act.as_, because=act.because, at=at)


def _waiting(play: Play, wanted: str, what: str, at: datetime) -> str:
    """Return the id of a request; `waiver` and `restore` mean the one that waits."""
    if wanted != what:
        return wanted
    found = waiving.pending(play.engine, at) if what == "waiver" else approving.pending(play.engine, at)
    if len(found) != 1:
        raise NotFound(f"{len(found)} requests of this kind wait, not one; name it by its id")
    return found[0].id


def _silence(play: Play, act: Act, at: datetime) -> None:
    rule = "" if act.silence == "*" else act.silence or ""
    silences.create(
        play.engine, model=_model(play, act), rule=rule, labels=_labels(act), because=act.because,
        until=_until(act, at), actor=act.as_, at=at,
    )  # fmt: skip


def _pull(play: Play, act: Act, at: datetime) -> None:
    model, mode = _model(play, act), act.pull or "fallback"
    pulling.pull(
        play.engine, model, mode, actor=act.as_, because=act.because, at=at, scope=Scope(act.version, _labels(act)),
        share=act.share if act.share is not None else 1.0, expires=act.for_, confirmed=model,
    )  # fmt: skip


def _restore(play: Play, act: Act, at: datetime) -> None:
    model = _model(play, act)
    restoring.restore(
        play.engine, model, actor=act.as_, because=act.because, at=at, seq=showing.shown(play.engine, model).seq,
        confirmed=model, scope=Scope(act.version, _labels(act)), to=act.restore or "live",
        share=act.share if act.share is not None else 1.0,
    )  # fmt: skip


def _record(play: Play, act: Act, at: datetime) -> None:
    evidence.record(
        play.engine, _model(play, act), act.record or "trained", actor=act.as_, now=at, at=at - act.ago,
        version=act.version, team=act.by, regime=act.regime,
    )  # fmt: skip


def _on_run(play: Play, act: Act, at: datetime) -> None:
    runs.perform(play.engine, act, _model(play, act) if act.run is not None else "", at)


def _serve(play: Play, act: Act, at: datetime) -> None:
    del at
    play.source.serving = act.serve or ""


def _edit(play: Play, act: Act, at: datetime) -> None:
    del at
    play.edit(act.edit or {})


def _clock(play: Play, act: Act, at: datetime) -> None:
    by = act.clock or timedelta(0)
    play.source.skew += by
    if act.seen:
        stepped(play.engine, by, at=at + by)


def _notifier(play: Play, act: Act, at: datetime) -> None:
    del at
    play.collector.down = act.notifier == "down"


_ACTS: Mapping[str, Callable[[Play, Act, datetime], None]] = {
    "acknowledge": _acknowledge,
    "resolve": _resolve,
    "note": _note,
    "snooze": _snooze,
    "merge": _merge,
    "severity": _severity,
    "waive": _waive,
    "request": _request,
    "approve": _approve,
    "refuse": _refuse,
    "silence": _silence,
    "pull": _pull,
    "restore": _restore,
    "record": _record,
    **dict.fromkeys(runs.KINDS, _on_run),
    "serve": _serve,
    "edit": _edit,
    "clock": _clock,
    "notifier": _notifier,
}
