"""A kill switch as a person sees it before and after an act: the facts, what happens next, what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from governance.views import DrillView, SettingView, SwitchDoneView, SwitchView
from tui.known import MODES, span
from tui.switching import Chosen, permission, scope_of, scope_words, share_of, worst
from tui.text import safe
from tui.widgets.pulling import behind, confirmed, ending, flow, some

_STATES = {"healthy": "$success", "critical": "b $error", "away": "b $error", "warning": "$warning"}


def facts(switch: SwitchView, at: datetime, *, restore: bool) -> Iterator[tuple[str, str]]:
    """Yield what one must know, as names and markup, but for what depends on the choice."""
    yield "now", _now(switch, at)
    yield "traffic", f"{flow(switch.traffic)} → {_fallback(switch, at)}"
    if not restore:
        yield "effect", _drill(switch.drill, at)
        if switch.drill_failed is not None:
            yield "since then", _failed(switch.drill_failed, at)
    yield "also stops" if not restore else "read by", _dependants(switch)
    yield "instances", _readers(switch)
    if not restore:
        yield "undo", _undo(switch)
    yield from (("note", f"[$warning]{safe(each)}[/]") for each in switch.warnings if not _said_elsewhere(each))


def what(switch: SwitchView, chosen: Chosen) -> str:
    """Return in one line what is about to happen to which model, where."""
    model, place = f"[b]{safe(switch.model)}[/]", f"in [b]{safe(switch.environment)}[/], tier {switch.tier}:"
    if chosen.act != "pull":
        held = scope_words(chosen.setting.scope) if chosen.setting is not None else "nothing"
        return f"{model} {place} [b]{safe(held)}[/] answers again"
    scope = scope_of(chosen.only)
    about = safe(scope_words(scope)) if scope is not None and chosen.only else ""
    version = f" version {safe(switch.serving)}" if switch.serving and not about else f" [b]{about}[/]" if about else ""
    share = share_of(chosen.share)
    does = {
        "stopped": "[b $error]stops: nothing answers[/]",
        "shadow": "is only logged, the fallback answers",
        "throttle": f"gives {share:.0%} of its requests to the fallback" if share else "gives a share to the fallback",
    }.get(chosen.mode, "stops serving, the fallback answers")
    return f"{model}{version} {place} {does}"


def allowed(switch: SwitchView, chosen: Chosen) -> str:
    """Return whether the person may do what is chosen, and the rule that says so."""
    may = permission(chosen, switch)
    if may is None:
        return "[$warning]? the engine does not say[/]"
    return f"[$success]✓[/] {safe(may.because)}" if may.allowed else f"[b $error]✗ {safe(may.because)}[/]"


def then(switch: SwitchView, chosen: Chosen) -> str:
    """Return what happens next."""
    if chosen.act == "break-glass":
        return "[b $warning]at once, by you alone: it pages everybody, and somebody else must review it[/]"
    if chosen.act == "restore":
        if switch.people_to_restore < 2:
            return "at once, by you alone; the instances confirm it"
        return f"[$warning]a second person must approve within a day: {some(switch.approvers)}; a change voids it[/]"
    if not chosen.expires:
        return "it stays until people give it back; the instances confirm it"
    return ending(chosen.expires, "it")


def outcome(done: SwitchDoneView, *, last: bool) -> str:
    """Return what became of an act, and how many instances hold it by now; `last`: nobody asks for more."""
    if done.approval is not None:
        who = ", ".join(done.approval.who_may) or "nobody: the organisation names no second person"
        return f"[$warning]◌ {done.approval.id} is asked for; a second person must approve:[/] {safe(who)}"
    seen = done.switch.confirmations
    told = f"[b $success]✓ {MODES.get(done.switch.mode, done.switch.mode)}[/] since entry {done.entry}"
    if seen.total == 0:
        return f"{told}  [$warning]no instance reports that it reads this switch[/]"
    told = f"{told}  {confirmed(seen.confirmed, seen.total)}"
    if seen.confirmed == seen.total:
        return told
    missing = behind(seen)
    waits = f"{'not yet' if last else 'waits for'}: {missing}" if missing else ""
    return f"{told}  [$muted]{waits}[/]"


def held(setting: SettingView) -> str:
    """Return what holds for a scope, in a line without colours."""
    share = f" {setting.share:.0%}" if setting.mode == "throttle" else ""
    mode = MODES.get(setting.mode, setting.mode)
    return f"{safe(scope_words(setting.scope))}: {mode}{share}, by {safe(setting.set_by)}"


def _now(switch: SwitchView, at: datetime) -> str:
    setting = worst(switch)
    if setting is None:
        return "[$success]● live[/]"
    until = f", ends in {span(at, setting.expires_at)}" if setting.expires_at is not None else ""
    held_ = (
        f"{MODES.get(setting.mode, setting.mode)} since {span(setting.set_at, at)}, by {safe(setting.set_by)}{until}"
    )
    return f"[b $error]{held_}[/] [$muted]{safe(setting.reason)}[/]"


def _fallback(switch: SwitchView, at: datetime) -> str:
    if not switch.fallback:
        return "[$warning]the card names no fallback[/]"
    found, name = switch.fallback_health, f"[b]{safe(switch.fallback)}[/]"
    if found is None:
        return name
    age = f", judged {span(found.judged_at, at)} ago" if found.judged_at is not None else ""
    return f"{name}  [{_STATES.get(found.state, '$warning')}]({safe(found.said)}{age})[/]"


def _drill(drill: DrillView | None, at: datetime) -> str:
    if drill is None:
        return "[$warning]no drill yet: nobody has practised this switch[/]"
    entry = f", entry {drill.entry}" if drill.entry is not None else ""
    when = f"{span(drill.at, at)} ago{entry}"
    if not drill.run:
        return f"{safe(drill.note) or 'nothing was noted'}  [$muted](drill {when}, by {safe(drill.by)})[/]"
    lasted = f" in {_long(drill.lasted)}" if drill.lasted is not None else ""
    said = "; ".join(drill.found) or "nothing was noted"
    kind = "last drill, dry: nothing acted" if drill.dry else "last drill"
    return f"{safe(said)}  [$muted]({kind}: {safe(drill.runbook)} {drill.run}{lasted}, {when})[/]"


def _failed(drill: DrillView, at: datetime) -> str:
    """Return a drill that did not come through: what the last one showed may hold no more."""
    run = f" {drill.run}" if drill.run else ""
    said = f"✗ a drill FAILED {span(drill.at, at)} ago: {safe(drill.failed)}"
    return f"[b $error]{said}[/]  [$muted]({safe(drill.runbook)}{run}, by {safe(drill.by)})[/]"


def _long(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def _dependants(switch: SwitchView) -> str:
    if not switch.dependants:
        return "[$muted]no model is known to read this score[/]"
    count = len(switch.dependants)
    models = "1 dependent model" if count == 1 else f"{count} dependent models"
    reads = "reads this score" if count == 1 else "read this score"
    return f"[b]{some(switch.dependants)}[/] [$warning]{reads}[/] – {models}"


def _readers(switch: SwitchView) -> str:
    seen = switch.confirmations
    if not seen.total:
        return "[$warning]none reports that it reads this switch: it may stop nothing[/]"
    colour = "$foreground" if seen.confirmed == seen.total else "$warning"
    waits = f" – behind: {behind(seen)}" if behind(seen) else ""
    return f"[{colour}]{seen.confirmed} of {seen.total} hold the present state{waits}[/]"


def _undo(switch: SwitchView) -> str:
    if not switch.restorers:
        return "[b $error]nobody may restore it: rollback.authority of its card names nobody who is there[/]"
    second = f", then a second: {some(switch.approvers)}" if switch.people_to_restore > 1 else ", alone"
    return f"[b]U[/] restores at any time: {some(switch.restorers)}{second}"


def _said_elsewhere(warning: str) -> bool:
    """Tell whether a warning is one of those for which there is a line of its own."""
    return warning.startswith(("the card names no fallback", "no serving process has asked"))
