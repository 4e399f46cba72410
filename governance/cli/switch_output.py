"""How kill switches reach the terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from governance.cli.output import Format, ago, print_json, print_table, say, stamp

if TYPE_CHECKING:
    from governance.core.switch import Setting, Switch
    from governance.engine.switching import Requested, SwitchDone

COLUMNS = ("model", "scope", "mode", "since", "by", "ends", "seq", "why")


def meaning(setting: Setting) -> str:
    """Return what a setting means for a request, as words."""
    if setting.mode == "throttle":
        return f"the fallback answers {setting.share * 100:.3g} % of the requests, chosen by their key"
    words = {
        "shadow": "the fallback answers, and what the model says is only logged",
        "fallback": "the fallback answers",
        "stopped": "nothing answers",
    }
    return words[setting.mode]


def row(model: str, setting: Setting, now: datetime) -> tuple[str, ...]:
    """Return a setting as a row of COLUMNS."""
    mode = f"throttle {setting.share * 100:.3g} %" if setting.mode == "throttle" else setting.mode
    ends = stamp(setting.expires_at) if setting.expires_at else "–"
    return (
        model,
        str(setting.scope),
        mode,
        ago(setting.set_at, now),
        setting.set_by,
        f"{ends} (put off {setting.extended} times)" if setting.extended else ends,
        str(setting.seq),
        setting.reason,
    )


def print_switch(switch: Switch, now: datetime) -> None:
    """Print what is set of a model, what it means, and how to give it back."""
    from governance.core.switch_warnings import warnings

    if not switch.settings:
        say(f"{switch.model} is live (seq {switch.seq})")
        return
    print_table(
        COLUMNS,
        [row(switch.model, each, now) for each in switch.settings],
    )
    for each in switch.settings:
        say(f"{each.scope}: {meaning(each)}{f'; fallback: {each.fallback}' if each.fallback else ''}")
    for warning in warnings(switch, now):
        say(f"warning: {warning}")
    say(f"give it back: gov switch restore {switch.model} --seq {switch.seq} --confirm {switch.model} --because …")


def print_done(done: SwitchDone, now: datetime, output: Format) -> int:
    """Print what an act has changed, and the entry that proves it."""
    if output is Format.json:
        because = {"entry": done.entry, "because": done.because_allowed}
        print_json({**facts(done.switch, now), **because})
        return 0
    if done.setting is None:
        say(
            f"{done.switch.model} is given back (seq {done.switch.seq}); "
            f"sealed as entry {done.entry} of the decision log"
        )
    else:
        said = f"{done.switch.model} ({done.setting.scope}): {meaning(done.setting)}"
        say(f"{said} (seq {done.switch.seq}); sealed as entry {done.entry} of the decision log")
        if done.setting.expires_at is not None:
            say(f"it ends {stamp(done.setting.expires_at)} if the rules that guard it are healthy then")
    say(f"you may, because {done.because_allowed}")
    others = [each for each in done.switch.settings if each != done.setting]
    for each in others:
        say(f"still set: {each.scope}: {meaning(each)}")
    return 0


def print_requested(done: Requested, output: Format) -> int:
    """Print the request that a restore has become, and who may answer it."""
    request = done.approval
    if output is Format.json:
        print_json({"approval": request.id, "seq": request.seq, "who_may": list(done.who_may), "entry": done.entry})
        return 0
    say(f"{request.id}: {request.model} is tier 1, so a second person gives it back with you; it is not live yet")
    say(f"ask for: gov switch approve {request.id} --as {listed_or(done.who_may)} (until {stamp(request.until)})")
    say(f"sealed as entry {done.entry} of the decision log")
    return 0


def listed_or(people: tuple[str, ...] | list[str]) -> str:
    """Return people as alternatives."""
    return " or ".join(people) or "SOMEBODY-ELSE"


def facts(switch: Switch, now: datetime) -> dict[str, Any]:
    """Return a switch for machines."""
    from governance.core.switch_warnings import warnings

    worst = switch.worst
    return {
        "model": switch.model,
        "seq": switch.seq,
        "mode": worst.mode if worst else "live",
        "settings": [setting_facts(each) for each in switch.settings],
        "changed_at": switch.changed_at,
        "warnings": list(warnings(switch, now)),
    }


def setting_facts(setting: Setting) -> dict[str, Any]:
    """Return a setting for machines."""
    return {
        "scope": {"version": setting.scope.version, "labels": dict(setting.scope.labels)},
        **{
            name: getattr(setting, name)
            for name in (
                "mode", "share", "seq", "reason", "set_by", "set_at", "approved_by", "fallback", "incident",
                "expires_at", "extended", "origin", "batch",
            )
        },
    }  # fmt: skip
