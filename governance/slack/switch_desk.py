"""Pull and restore from Slack: the screen, the act, and how many serving instances have confirmed it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from governance.core.authority import Actor
from governance.core.duration import parse_duration
from governance.core.switch import MODES, Mode, Scope
from governance.engine import queries, switching
from governance.engine.permission import permit
from governance.engine.switch_views import switch_view
from governance.errors import InvalidDocument, NotFound, Unavailable
from governance.slack import switch_modals
from governance.slack.blocks import context, escaped, section
from governance.slack.desk import Desk
from governance.slack.modals import REASON
from governance.slack.people import called
from governance.slack.switch_modals import ALL, CONFIRM, LASTING, LIVE, MODE, NEVER, SCOPE, SHARE
from governance.slack.turn import Turn
from governance.views import SwitchView

FOLLOWED = 20
"""Seconds for which it is shown how many instances have confirmed."""


def open_(desk: Desk, turn: Turn, who: Actor, model: str, meta: Mapping[str, Any]) -> None:
    """Open the kill switch of a model for whoever may pull it or give it back."""
    switch = shown(desk, model, who)
    if not any(each.allowed for name, each in switch.may.items() if name in ("pull", "restore")):
        permit(desk.engine, who, "switch.pull", model)
    mode = switch_modals.suggested(switch, proposed(desk, meta))
    view = switch_modals.kill(switch, meta, mode=mode, preset=preset(desk, meta), fallback=health(switch))
    turn.show(view, f"The kill switch of {model} could not be opened; click once more, or say /gov switch {model}")


def redraw(desk: Desk, turn: Turn, who: Actor, meta: Mapping[str, Any], *, mode: str, said: Mapping[str, Any]) -> None:
    """Show the open screen for another mode; what was typed stays."""
    switch = shown(desk, str(meta.get("model", "")), who)
    if mode not in (*switch_modals.PULLS, LIVE):
        raise InvalidDocument(f"there is no mode {mode}")
    typed = str(values(said).get(REASON) or "")
    turn.show(
        switch_modals.kill(switch, meta, mode=mode, preset=typed, fallback=health(switch)),
        "This screen is closed; open the kill switch once more.",
    )


def submit(desk: Desk, turn: Turn, who: Actor, meta: Mapping[str, Any], said: Mapping[str, str]) -> None:
    """Pull or restore as the screen says, then show what became of it until the instances have confirmed."""
    model, mode = str(meta.get("model", "")), _mode(said.get(MODE, ""))
    if mode == LIVE:
        _restore(desk, turn, who, meta, said)
        return
    permit(desk.engine, who, "switch.pull", model)
    number = meta.get("incident")
    done = switching.pull(
        desk.engine, model, mode, actor=who, because=said.get(REASON, ""), at=desk.now,
        scope=_pull_scope(said), share=_share(said), expires=_lasting(said),
        incident=number if isinstance(number, int) else None, confirmed=said.get(CONFIRM, "").strip(),
    )  # fmt: skip
    _follow(desk, turn, who, model, done.entry, number)


def error_of(meta: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, str]:
    """Return what is missing on the screen, by field; what the engine refuses is shown afterwards."""
    model, mode = str(meta.get("model", "")), said.get(MODE, "")
    if not said.get(REASON, "").strip():
        return {REASON: "Say why: whoever reads the log must know."}
    if switch_modals.must_confirm(mode) and CONFIRM in said and said[CONFIRM].strip() != model:
        return {CONFIRM: f"Type {model}."}
    return {}


def values(view: Mapping[str, Any]) -> dict[str, str]:
    """Return what a person entered in a modal, by field; whatever else came is left out."""
    state = view.get("state")
    blocks = state.get("values") if isinstance(state, Mapping) else None
    found: dict[str, str] = {}
    for block, elements in blocks.items() if isinstance(blocks, Mapping) else ():
        for element in elements.values() if isinstance(elements, Mapping) else ():
            text = _entered(element)
            if text is not None:
                found[str(block)] = text
    return found


def shown(desk: Desk, model: str, who: Actor) -> SwitchView:
    """Return the switch of a model for who asks.

    :raises NotFound: when no card declares the model and it was never pulled.
    """
    return switch_view(desk.engine, model, who, desk.follow.confirmations)


def proposed(desk: Desk, meta: Mapping[str, Any]) -> str:
    """Return the mode that the rule of the incident proposes, "" when it proposes none."""
    incident = _incident(desk, meta)
    policy = desk.engine.plan.by_model.get(incident.model) if incident is not None else None
    if incident is None or policy is None:
        return ""
    rules = {each.rule.id: each.rule.then for each in policy.rules}
    thens = [rules.get(each.rule) for each in incident.findings if each.ended is None]
    return next((each.switch for each in thens if each is not None and each.switch is not None), "")


def preset(desk: Desk, meta: Mapping[str, Any]) -> str:
    """Return the reason that the incident gives."""
    incident = _incident(desk, meta)
    return f"INC-{incident.id}: {incident.title}" if incident is not None else ""


def health(switch: SwitchView) -> str:
    """Return how the fallback is, where the card names one."""
    return switch.fallback_health.said if switch.fallback_health is not None else ""


def _restore(desk: Desk, turn: Turn, who: Actor, meta: Mapping[str, Any], said: Mapping[str, str]) -> None:
    model = str(meta.get("model", ""))
    switch = shown(desk, model, who)
    place = said.get(SCOPE, "0")
    if not place.isdecimal() or int(place) >= len(switch.settings):
        raise NotFound(f"nothing is set any more there; look at {model} again")
    scope = switch.settings[int(place)].scope
    permit(desk.engine, who, "switch.restore", model)
    seq = meta.get("seq")
    done = switching.restore(
        desk.engine, model, actor=who, because=said.get(REASON, ""), at=desk.now,
        seq=seq if isinstance(seq, int) else -1, confirmed=said.get(CONFIRM, "").strip(),
        scope=Scope(scope.version, tuple(sorted(scope.labels.items()))),
    )  # fmt: skip
    if isinstance(done, switching.SwitchDone):
        _follow(desk, turn, who, model, done.entry, meta.get("incident"))
        return
    approval = switching.approval_view(desk.engine, done.approval)
    able = ", ".join(called(desk.engine, each) for each in done.who_may)
    turn.show(switch_modals.waiting(approval, able), f"{approval.id} waits for a second person")
    _ask_second(turn, meta, approval.id, approval.text, able)


def _ask_second(turn: Turn, meta: Mapping[str, Any], approval: str, text: str, able: str) -> None:
    """Ask in the incident's thread for the second person, where there is one; the home tab shows it anyway."""
    channel, thread = meta.get("channel"), meta.get("message")
    if isinstance(channel, str) and channel and isinstance(thread, str) and thread:
        said = f"{escaped(approval)} waits for a second person: {escaped(text, 1000)}"
        blocks = [section(said), context(f"who may: {able}"), switch_modals.answers(approval)]
        turn.post(channel, thread, said, blocks)


def _follow(desk: Desk, turn: Turn, who: Actor, model: str, entry: int, number: object) -> None:
    """Show the outcome at once, and again as instances confirm."""
    desk.follow.switched()
    if isinstance(number, int):
        desk.follow.drawn(number)
    last: tuple[int, int] | None = None
    for beat in range(FOLLOWED + 1):
        try:
            switch = shown(desk, model, who)
        except Unavailable:
            continue
        heard = switch.confirmations
        whole, final = heard.confirmed >= heard.total, beat == FOLLOWED
        if (heard.confirmed, heard.total) != last or final:
            last = heard.confirmed, heard.total
            view = switch_modals.outcome(switch, entry, final=final)
            turn.show(view, f"{model}: done, entry {entry}")
        if whole or desk.ending.wait(1):
            return


def _incident(desk: Desk, meta: Mapping[str, Any]) -> Any:
    number = meta.get("incident")
    if not isinstance(number, int):
        return None
    try:
        return queries.shown(desk.engine, number)
    except NotFound:
        return None


def _entered(element: object) -> str | None:
    if not isinstance(element, Mapping):
        return None
    chosen = element.get("selected_option")
    said = chosen.get("value") if isinstance(chosen, Mapping) else element.get("value")
    return said if isinstance(said, str) else None


def _mode(said: str) -> Mode:
    found = next((each for each in MODES if each == said), None)
    if found is None:
        raise InvalidDocument(f"there is no mode {said}")
    return found


def _pull_scope(said: Mapping[str, str]) -> Scope:
    scope = said.get(SCOPE, ALL)
    return Scope() if scope == ALL else Scope(scope.removeprefix("version "))


def _share(said: Mapping[str, str]) -> float:
    try:
        return float(said.get(SHARE, "1"))
    except ValueError:
        raise InvalidDocument(f"{said[SHARE]} is no share") from None


def _lasting(said: Mapping[str, str]) -> timedelta | None:
    lasting = said.get(LASTING, NEVER)
    try:
        return None if lasting == NEVER else parse_duration(lasting)
    except ValueError as error:
        raise InvalidDocument(str(error)) from error
