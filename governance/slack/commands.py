"""`/gov …`: what can be asked, and done, by typing in any channel. Only who typed sees the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from governance.core.authority import Actor
from governance.core.suggestion import closest
from governance.engine import models, overview, queries
from governance.engine.permission import declared, permit
from governance.engine.reading import permit_any
from governance.engine.running.starting import runbook_of
from governance.errors import InvalidDocument
from governance.slack import batch_desk, modals, run_desk, switch_desk
from governance.slack.blocks import Json, context, escaped, section, within
from governance.slack.desk import Desk
from governance.slack.home import incident_line, on_call_line
from governance.slack.turn import Turn
from governance.views import FleetRow
from governance.views.on_call import on_call_views

COMMAND = "/gov"
_SHOWN = 20
_NUMBER = re.compile(r"(?:INC-)?([1-9][0-9]{0,15})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `/gov`: what follows it, what it does, and how it answers."""

    arguments: str
    says: str
    run: Callable[[Desk, Turn, Actor, list[str]], None]


def run(desk: Desk, turn: Turn, text: str) -> None:
    """Answer a command of whoever's account it is."""
    word, *arguments = text.split() or ["help"]
    if word == "help":
        _say(turn, "What /gov can do", help_lines())
        return
    who = desk.person(turn)
    if who is None:
        desk.introduce(turn, text[:500])
        return
    command = COMMANDS.get(word.lower())
    if command is None:
        hint = closest(word, COMMANDS) or "say /gov help"
        turn.whisper(f"There is no /gov {escaped(word, 50)}; {escaped(hint, 100)}")
        return
    desk.attempt(turn, lambda: _run(command, word.lower(), desk, turn, who, arguments))


def _run(command: Command, word: str, desk: Desk, turn: Turn, who: Actor, arguments: list[str]) -> None:
    try:
        command.run(desk, turn, who, arguments)
    except InvalidDocument as error:
        turn.whisper(f"{escaped(str(error))}\nWrite: `/gov {word} {escaped(command.arguments)}`")


def help_lines() -> list[str]:
    """Return what there is to say."""
    return [f"`/gov {word} {each.arguments}`".replace(" `", "`") + f" {each.says}" for word, each in COMMANDS.items()]


def _status(desk: Desk, turn: Turn, who: Actor, arguments: list[str]) -> None:
    _nothing(arguments)
    rows = overview.rows(desk.engine, permit_any(desk.engine, who))
    tallies = overview.tallies(rows)
    said = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in tallies.items() if count and name != "none")
    judged = overview.last_judged(desk.engine)
    when = f"judged {judged:%H:%M:%S} UTC" if judged else "nothing was judged yet"
    title = f"*{escaped(desk.engine.organisation.environment, 100)}*: {len(rows)} models, {said or 'all well'} · {when}"
    bad = [each for each in rows if each.severity not in ("none", "info") or each.mode not in ("live", "")]
    _say(turn, title, [_row(each) for each in bad])


def _incidents(desk: Desk, turn: Turn, who: Actor, arguments: list[str]) -> None:
    _nothing(arguments)
    readable = permit_any(desk.engine, who)
    found = [each for each in queries.listed(desk.engine, status="open") if readable(each.model)]
    title = "*1 incident is open*" if len(found) == 1 else f"*{len(found)} incidents are open*"
    _say(turn, title if found else "No incident is open.", [incident_line(each) for each in found])


def _incident(desk: Desk, turn: Turn, who: Actor, arguments: list[str]) -> None:
    view = queries.shown(desk.engine, _number(arguments))
    permit(desk.engine, who, "read", view.model)
    findings = [
        f"*{escaped(each.rule, 200)}* {each.severity}{'' if each.ended is None else ', ended'}: "
        f"{escaped(each.summary, 500)}{f' ({escaped(each.change, 300)})' if each.change else ''}"
        for each in view.findings
    ]
    _say(turn, incident_line(view), findings)


def _switch(desk: Desk, turn: Turn, who: Actor, arguments: list[str]) -> None:
    model = declared(desk.engine, _one(arguments, "a model")).model
    opened = next(iter(queries.listed(desk.engine, status="open", model=model)), None)
    about = {"incident": opened.id, "version": opened.version} if opened is not None else {}
    switch_desk.open_(desk, turn, who, model, {"channel": turn.origin.channel, **about})


def _runbook(desk: Desk, turn: Turn, who: Actor, arguments: list[str]) -> None:
    if len(arguments) != 2:
        raise InvalidDocument("it takes a model and the name of a runbook")
    model, name = arguments
    declared(desk.engine, model)
    permit(desk.engine, who, "read", model)
    runbook_of(desk.engine, name)
    opened = next(iter(queries.listed(desk.engine, status="open", model=model)), None)
    about = {"incident": opened.id, "version": opened.version} if opened is not None else {}
    run_desk.open_(desk, turn, who, model, {"channel": turn.origin.channel, **about}, name=name)


def _on_call(desk: Desk, turn: Turn, who: Actor, arguments: list[str]) -> None:
    _nothing(arguments)
    permit_any(desk.engine, who)
    duties = on_call_views(desk.engine.organisation.schedules, desk.now)
    title = "*On call*" if duties else "The organisation has no schedule."
    _say(turn, title, [on_call_line(desk, each) for each in duties])


def _why(desk: Desk, turn: Turn, who: Actor, arguments: list[str]) -> None:
    found = queries.why(desk.engine, _number(arguments))
    permit(desk.engine, who, "read", found.model)
    _say_blocks(turn, f"Who was told of INC-{found.incident}", modals.why(found)["blocks"])


def _explain(desk: Desk, turn: Turn, who: Actor, arguments: list[str]) -> None:
    model = _one(arguments, "a model")
    declared(desk.engine, model)
    permit(desk.engine, who, "read", model)
    policy = models.policy_view(desk.engine, model)
    lines = [
        f"*{escaped(each.rule, 200)}* ({escaped(each.origin, 200)}) {escaped(_conditions(each.when), 600)}"
        for each in policy.rules
    ]
    _say(turn, f"*{escaped(model, 200)}*: {len(lines)} rules hold; `gov explain {escaped(model)}` says it all", lines)


COMMANDS: Mapping[str, Command] = {
    "status": Command("", "how the fleet is", _status),
    "incidents": Command("", "what is open", _incidents),
    "incident": Command("N", "one incident with its findings", _incident),
    "switch": Command("MODEL", "the kill switch of a model, to pull or restore it", _switch),
    "pull": Command(
        "WHICH… MODE",
        "pull several kill switches at once; which: models, or team=fraud tier=1 depends_on=clicks, or all",
        batch_desk.open_,
    ),
    "runbook": Command("MODEL NAME", "run a runbook", _runbook),
    "oncall": Command("", "who is on call, and who follows", _on_call),
    "why": Command("N", "who was told of an incident, and by which rule", _why),
    "explain": Command("MODEL", "the rules that hold for a model", _explain),
    "help": Command("", "this", lambda _desk, turn, _who, _arguments: _say(turn, "What /gov can do", help_lines())),
}


def _say(turn: Turn, title: str, lines: list[str]) -> None:
    left = len(lines) - _SHOWN
    rest = [context(f"… and {left} more")] if left > 0 else []
    _say_blocks(turn, title, [section(title), *(section(each) for each in lines[:_SHOWN]), *rest])


def _say_blocks(turn: Turn, text: str, blocks: list[Json]) -> None:
    turn.whisper(text, within(blocks))


def _row(row: FleetRow) -> str:
    mode = f" · *{row.mode}*" if row.mode not in ("live", "") else ""
    return f"{row.severity} · *{escaped(row.model, 200)}*{mode}{f': {escaped(row.worst, 300)}' if row.worst else ''}"


def _nothing(arguments: list[str]) -> None:
    if arguments:
        raise InvalidDocument(f"nothing follows; what is {arguments[0][:50]}?")


def _one(arguments: list[str], what: str) -> str:
    if len(arguments) != 1:
        raise InvalidDocument(f"it takes {what}")
    return arguments[0]


def _number(arguments: list[str]) -> int:
    found = _NUMBER.fullmatch(_one(arguments, "the number of an incident"))
    if found is None:
        raise InvalidDocument(f"{arguments[0][:50]} is no incident")
    return int(found[1])


def _conditions(when: Mapping[str, str]) -> str:
    return "; ".join(f"{severity} when {text}" for severity, text in when.items())
