"""The kill-switch modals: what stops, how it is undone, why one may; then what became of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from governance.slack.blocks import Json, escaped, plain, section
from governance.slack.modals import because, choice, modal, text_input, told
from governance.views import ApprovalView, ConfirmationsView, SwitchView

MODE, SHARE, SCOPE, LASTING, CONFIRM = "mode", "share", "scope", "lasting", "confirm"
CHOSEN = "switch.mode"
"""The action id under which Slack tells that another mode was chosen: the modal may have to ask for more."""
APPROVE, REFUSE = "switch.approve", "switch.refuse"
"""The action ids of what answers a request."""
PULLS: Mapping[str, str] = {
    "fallback": "the fallback answers",
    "shadow": "the fallback answers, the model's output is only logged",
    "throttle": "a share of the requests gets the fallback",
    "stopped": "nothing answers",
}
LIVE = "live"
SHARES = {"0.1": "10 %", "0.25": "25 %", "0.5": "50 %", "0.75": "75 %", "0.9": "90 %"}
ENDS = {"": "until further notice", "1h": "an hour", "4h": "four hours", "1d": "a day", "7d": "a week"}
NEVER, ALL = "never", "model"
_SHOWN = 10


def kill(switch: SwitchView, meta: Mapping[str, Any], *, mode: str, preset: str, fallback: str = "") -> Json:
    """Return the modal: for a pull or, where something is set, also to give the model back.

    `fallback` says how the fallback is, `preset` why.
    """
    restoring = mode == LIVE
    modes = {each: f"{each}: {says}"[:75] for each, says in PULLS.items()}
    if switch.settings:
        modes[LIVE] = "live: give the model back"
    blocks = [
        *(section(each) for each in _facts(switch, mode, fallback)),
        choice(MODE, "Set it to", modes, chosen=mode, action=CHOSEN),
    ]
    if restoring:
        blocks.append(choice(SCOPE, "Give back", _set_scopes(switch), chosen=_first(switch)))
    else:
        blocks.extend(_pull_fields(switch, mode))
    blocks.append(because(preset))
    if must_confirm(mode):
        blocks.append(
            text_input(CONFIRM, f"Type {switch.model} to confirm", hint=_grave(mode), lines=False, longest=200)
        )
    word = "Restore" if restoring else "Pull"
    meta = {**meta, "model": switch.model, "seq": switch.seq}
    return modal("Kill switch", blocks, submit=word, callback="switch.pull", meta=meta)


def must_confirm(mode: str) -> bool:
    """Tell whether the model's name must be typed."""
    return mode in ("stopped", LIVE)


def suggested(switch: SwitchView, proposed: str) -> str:
    """Return the mode to begin with: what the rule proposes, otherwise the fallback, or to stop where there is none."""
    if switch.mode == "stopped":
        return LIVE
    return proposed if proposed in PULLS else "fallback" if switch.fallback else "stopped"


def pulling(model: str, *, restoring: bool) -> Json:
    """Return what is shown while it is done."""
    return told("Kill switch", f"{'restoring' if restoring else 'pulling'} *{escaped(model, 200)}*…")


def outcome(switch: SwitchView, entry: int, *, final: bool) -> Json:
    """Return what became of it, and how many serving instances hold it by now."""
    state = "\n".join(_settings(switch)) or "it is *live*: it answers all requests"
    return told(
        "Kill switch",
        f"*{escaped(switch.model, 200)}* · done, entry {entry} of the decision log",
        state,
        confirmed(switch.confirmations, final=final),
    )


def waiting(approval: ApprovalView, who: str) -> Json:
    """Return that a restore waits for a second person."""
    return told(
        "Kill switch",
        f"*{escaped(approval.id)}* waits for a second person: {escaped(approval.text, 1000)}",
        f"*Who may approve:* {who or 'nobody; the organisation names nobody else'}",
        "It is void as soon as the switch changes, and after a day.",
    )


def answers(approval: str) -> Json:
    """Return the buttons that answer a request."""
    return {
        "type": "actions",
        "elements": [
            button("Approve", APPROVE, approval, style="primary"),
            button("Refuse…", REFUSE, approval),
        ],
    }


def button(label: str, action: str, value: str, *, style: str = "") -> Json:
    """Return a button."""
    found = {"type": "button", "text": plain(label, 75).to_dict(), "action_id": action, "value": value}
    return {**found, "style": style} if style else found


def confirmed(heard: ConfirmationsView, *, final: bool) -> str:
    """Return how many serving instances have confirmed, in words."""
    if not heard.total:
        return "No serving instance confirms what it reads, so that it cannot be told whether any has seen it."
    said = f"*{heard.confirmed} of {heard.total}* serving instances have confirmed"
    missing = [*heard.late, *heard.silent]
    if heard.confirmed >= heard.total or not missing:
        return f"{said}."
    named = ", ".join(escaped(each, 60) for each in missing[:_SHOWN])
    return f"{said}; {'not yet' if final else 'waiting for'}: {named}{' …' if len(missing) > _SHOWN else ''}"


def _facts(switch: SwitchView, mode: str, health: str) -> Iterator[str]:
    serves = f", version {escaped(switch.serving, 100)} serves" if switch.serving else ""
    traffic = f"{switch.traffic:,.0f} predictions a minute" if switch.traffic is not None else "traffic unknown"
    yield f"*{escaped(switch.model, 200)}* in {escaped(switch.environment, 100)}{serves} · {traffic}"
    yield from ("\n".join(_settings(switch)),) if switch.settings else ()
    fallback = escaped(switch.fallback, 200)
    yield f"*Fallback:* {fallback or 'none is named on the card'}{f' · {escaped(health, 300)}' if health else ''}"
    dependants = ", ".join(escaped(each, 100) for each in switch.dependants[:_SHOWN])
    more = f" and {len(switch.dependants) - _SHOWN} more" if len(switch.dependants) > _SHOWN else ""
    yield f"*Models that use it:* {dependants or 'none is known'}{more}"
    undo = f"to undo takes {switch.people_to_restore} {'person' if switch.people_to_restore == 1 else 'people'}"
    yield f"*Undo:* this screen, or `gov switch restore {escaped(switch.model, 200)}`; {undo}"
    may = switch.may.get("restore" if mode == LIVE else "pull")
    if may is not None:
        word = "You may, because" if may.allowed else "You may not:"
        yield f"*{word}* {escaped(may.because, 1000)}"
    if switch.warnings:
        yield "\n".join(f"⚠ {escaped(each, 300)}" for each in switch.warnings[:_SHOWN])


def _settings(switch: SwitchView) -> Iterator[str]:
    for each in switch.settings[:_SHOWN]:
        share = f" of {each.share:.0%}" if each.mode == "throttle" else ""
        yield (
            f"now *{escaped(each.mode)}{share}* ({escaped(_scope(each.scope.version, each.scope.labels), 200)}) "
            f"by {escaped(each.set_by, 100)}: {escaped(each.reason, 300)}"
        )


def _pull_fields(switch: SwitchView, mode: str) -> Iterator[Json]:
    if mode == "throttle":
        yield choice(SHARE, "Share that gets the fallback", SHARES, chosen="0.5")
    scopes = {ALL: "the whole model"}
    if switch.serving and len(switch.serving) <= 60:
        scopes[f"version {switch.serving}"] = f"only version {switch.serving}"
    yield choice(SCOPE, "What", scopes, chosen=ALL)
    yield choice(LASTING, "For", {key or NEVER: text for key, text in ENDS.items()}, chosen=NEVER)


def _set_scopes(switch: SwitchView) -> dict[str, str]:
    return {str(place): f"{_scope(each.scope.version, each.scope.labels)}: {each.mode}"[:75]
            for place, each in enumerate(switch.settings[:100])}  # fmt: skip


def _first(switch: SwitchView) -> str:
    return "0" if switch.settings else ""


def _scope(version: str, labels: Mapping[str, str]) -> str:
    said = [f"version {version}"] if version else []
    return ", ".join([*said, *(f"{name}={value}" for name, value in labels.items())]) or "the whole model"


def _grave(mode: str) -> str:
    return "Nothing answers then." if mode == "stopped" else "It answers again then."
