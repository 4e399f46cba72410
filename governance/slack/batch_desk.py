"""Pull several kill switches from Slack: what would happen to each, the act as it was shown, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from governance.core.authority import Actor
from governance.core.duration import parse_duration
from governance.core.selection import Selection
from governance.core.switch import MODES, Mode
from governance.engine import switching
from governance.engine.batch_views import batch_view, foreseen_view
from governance.engine.permission import permit
from governance.engine.reading import permit_any
from governance.engine.switching import Order
from governance.errors import Conflict, InvalidDocument
from governance.slack import batch_modals
from governance.slack.desk import Desk
from governance.slack.modals import REASON
from governance.slack.switch_desk import FOLLOWED, preset
from governance.slack.switch_modals import CONFIRM
from governance.slack.turn import Turn
from governance.views import ConfirmationsView
from governance.views.batches import BatchView

_ROOM = 2000
"""Characters of a command that its modal carries; Slack lets it carry 3,000 in all."""
_INCIDENT = re.compile(r"INC-([1-9][0-9]{0,15})", re.IGNORECASE)
_SHARE = re.compile(r"([0-9]{1,2}(?:\.[0-9]+)?)%")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command wants: an order, and the incident that it answers."""

    order: Order
    incident: int | None


def wanted_of(words: Sequence[str]) -> Wanted:
    """Return what `/gov pull WHICH… MODE [25%] [4h] [INC-7]` wants; WHICH is models, or team=fraud and so on, or all.

    :raises InvalidDocument: saying what is missing, or what is not understood.
    """
    place = next((number for number, word in enumerate(words) if number and _mode(word) is not None), 0)
    mode = _mode(words[place]) if place else None
    if mode is None:
        raise InvalidDocument(f"say which models and then what to set: {', '.join(MODES[1:])}")
    share, expires, incident = 1.0, None, None
    for word in words[place + 1 :]:
        if (percent := _SHARE.fullmatch(word)) is not None:
            share = float(percent[1]) / 100
        elif (number := _INCIDENT.fullmatch(word)) is not None:
            incident = int(number[1])
        else:
            expires = _lasting(word)
    return Wanted(Order(_selection(words[:place]), mode, share, expires), incident)


def open_(desk: Desk, turn: Turn, who: Actor, words: Sequence[str]) -> None:
    """Show what a pull of several would do, and ask for the reason and what confirms it."""
    wanted = wanted_of(words)
    if sum(map(len, words)) > _ROOM:
        raise InvalidDocument("these are too many names; say team=…, tier=…, depends_on=…, a label, or all")
    found = switching.foresee(desk.engine, wanted.order, actor=who, at=desk.now, readable=permit_any(desk.engine, who))
    refused = found.of("refused")
    if not found.of("pull") and refused:
        permit(desk.engine, who, "switch.pull", refused[0].model)
    if not found.of("pull"):
        raise Conflict(f"nothing to pull: all {len(found.outlooks)} models are restricted as much already, and as long")
    meta = {"words": list(words), "incident": wanted.incident}
    view = foreseen_view(desk.engine, found, desk.follow.confirmations)
    again = "This could not be opened; say it once more."
    turn.show(batch_modals.preview(view, meta, preset=preset(desk, meta)), again)


def submit(desk: Desk, turn: Turn, who: Actor, meta: Mapping[str, Any], said: Mapping[str, str]) -> None:
    """Pull them as they were shown, then show what became of them until the instances have confirmed."""
    words = meta.get("words")
    wanted = wanted_of([str(each) for each in words] if isinstance(words, list) else [])
    batch = switching.pull_together(
        desk.engine, wanted.order, actor=who, because=said.get(REASON, ""), at=desk.now,
        shown=str(meta.get("digest", "")), confirmed=said.get(CONFIRM, "").strip(),
        readable=permit_any(desk.engine, who), incident=wanted.incident, told=desk.follow.switched,
    )  # fmt: skip
    if wanted.incident is not None:
        desk.follow.drawn(wanted.incident)
    _follow(desk, turn, batch_view(desk.engine, batch, desk.follow.confirmations))


def error_of(meta: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, str]:
    """Return what is missing in the modal, by field; what the engine refuses is shown afterwards."""
    if not said.get(REASON, "").strip():
        return {REASON: "Say why: whoever reads the log must know."}
    confirm = str(meta.get("confirm", ""))
    return {CONFIRM: f"Type {confirm}."} if said.get(CONFIRM, "").strip() != confirm else {}


def _follow(desk: Desk, turn: Turn, done: BatchView) -> None:
    last: tuple[int, int] | None = None
    models = [each.model for each in done.items if each.outcome == "pulled"]
    for beat in range(FOLLOWED + 1):
        heard = _heard(desk, models)
        whole, final = heard.confirmed >= heard.total, beat == FOLLOWED
        if (heard.confirmed, heard.total) != last or final:
            last = heard.confirmed, heard.total
            turn.show(batch_modals.outcome(done, heard, final=final), done.said)
        if whole or desk.ending.wait(1):
            return


def _heard(desk: Desk, models: Sequence[str]) -> ConfirmationsView:
    """Return how many of the instances that read these models have confirmed."""
    each = [desk.follow.confirmations(model) for model in models]
    return ConfirmationsView(
        confirmed=sum(one.confirmed for one in each),
        total=sum(one.total for one in each),
        late=list(dict.fromkeys(name for one in each for name in one.late)),
        silent=list(dict.fromkeys(name for one in each for name in one.silent)),
    )


def _selection(words: Sequence[str]) -> Selection:
    """Return which models are meant.

    :raises InvalidDocument: for names beside conditions.
    """
    if [each.lower() for each in words] == ["all"]:
        return Selection(everything=True)
    pairs = [each.partition("=") for each in words]
    if not any(equals for _, equals, _ in pairs):
        return Selection(models=tuple(words))
    if any(not equals or not name or not value for name, equals, value in pairs):
        raise InvalidDocument("say models by name, or conditions such as team=fraud tier=1, or all; one of the three")
    return Selection(where=tuple(sorted((name, value) for name, _, value in pairs)))


def _mode(word: str) -> Mode | None:
    return next((each for each in MODES if each != "live" and each == word.lower()), None)


def _lasting(word: str) -> timedelta:
    try:
        return parse_duration(word)
    except ValueError as error:
        raise InvalidDocument(str(error)) from error
