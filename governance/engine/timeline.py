"""What became of an incident, line by line, as the sealed log tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from governance.core.decision import Decision, Entry
from governance.engine import entries
from governance.engine.parts import Engine
from governance.store import decision_log, incidents
from governance.views import TimelineLine

Body = Mapping[str, object]


def timeline(engine: Engine, number: int, after: int = -1) -> list[TimelineLine]:
    """Return the entries about an incident in the order of the log; only those after the entry `after`.

    :raises NotFound: when there is none of that number.
    """
    return [_line(each) for each in recorded(engine, number, after) if not _of_several(each.decision)]


def _of_several(decision: Decision) -> bool:
    """Tell whether it is the part of an act on several models, which has a line of its own."""
    return decision.kind == "switch.pulled" and "batch" in decision.body


def recorded(engine: Engine, number: int, after: int = -1) -> list[Entry]:
    """Return the sealed entries whose subject is an incident, in order.

    :raises NotFound: when there is none of that number.
    """
    with engine.database.read() as connection:
        incidents.get(connection, number)
    opened = entries.identity("incident", str(number), "1")
    return decision_log.about(engine.database, "incident", str(number), since=opened, after=after)


def worded(entry: Entry) -> str:
    """Return what an entry says in words, as the timeline does."""
    return _text(entry.decision)


def _line(entry: Entry) -> TimelineLine:
    decision = entry.decision
    channel, rule = str(decision.body.get("channel", "")), _rule(decision)
    run, engine = str(decision.subject.get("run", "")), decision.actor == entries.ENGINE
    return TimelineLine(
        seq=entry.seq,
        at=decision.at,
        actor=decision.actor,
        channel=channel,
        text=_text(decision),
        kind=decision.kind,
        rule=rule,
        run=run,
        source=_BY_RUN if channel == "run" else channel or (_source(decision.kind, rule, run) if engine else ""),
    )


def _rule(decision: Decision) -> str:
    """Return the rule that made the engine do it, the worst of several; "" where none did."""
    if decision.kind.startswith(_LEVELS):  # its "rule" says in words which level it is
        return ""
    rules = decision.body.get("rules")
    named = rules[0] if isinstance(rules, list) and rules else decision.body.get("rule")
    return str(named or decision.subject.get("rule", ""))


_BY_RUN = "runbook"
_LEVELS = ("incident.paged", "incident.escalated", "incident.reminded")


def _source(kind: str, rule: str, run: str) -> str:
    """Return what made the engine act."""
    if kind.startswith(_LEVELS):
        return "escalation"
    return _BY_RUN if run else "rule" if rule else ""


def _text(decision: Decision) -> str:
    words = _WORDS.get(decision.kind)
    if words is None:
        said = decision.kind.replace(".", " ").replace("_", " ")
    elif isinstance(words, str):
        said = words.format_map(_Said(decision))
    else:
        said = words({**decision.body, **decision.subject})
    because = str(decision.body.get("because") or "")
    return f"{said}: {because}" if because else said


class _Said(dict[str, object]):
    """What a sentence about a decision is filled from; what an older entry lacks is left blank."""

    def __init__(self, decision: Decision) -> None:
        super().__init__({**decision.body, **decision.subject})

    def __missing__(self, name: str) -> str:
        return ""


def _change(decision: Body) -> str:
    switch = decision.get("after")
    mode = switch.get("mode", "") if isinstance(switch, Mapping) else ""
    return f"the kill switch is {mode} now"


def _together(body: Body) -> str:
    models = body.get("models")
    count = len(models) if isinstance(models, list) else 0
    return f"pulled {count} model{'' if count == 1 else 's'} together, {body.get('mode')} ({body.get('batch')})"


def _batch_finished(body: Body) -> str:
    models, refused = body.get("models"), body.get("refused")
    count = len(models) if isinstance(models, list) else 0
    said = "".join(f"; {name} not: {why}" for name, why in refused.items()) if isinstance(refused, Mapping) else ""
    return f"finished {body.get('batch')}, which was cut off: {count} pulled{said}"


def _linked(body: Body) -> str:
    return " ".join(str(body[name]) for name in ("title", "address") if body.get(name))


def _until(body: Body) -> str:
    return f"snoozed it until {str(body.get('until', ''))[:16].replace('T', ' ')} UTC"


def _paged(body: Body) -> str:
    people, notifiers = body.get("to"), body.get("notifiers")
    listed = people or notifiers or ()
    who = ", ".join(map(str, listed)) if isinstance(listed, list) else ""
    return f"{body.get('rule', '')}; told {who or 'nobody'}"


def _untold(body: Body) -> str:
    whom = f"did not tell {body['notifier']}" if body.get("notifier") else "told nobody"
    return f"{whom} ({body.get('reason', '')}): {body.get('receipt', '')}"


def _begun(body: Body) -> str:
    act = body.get("act")
    asked = f": {act}" if act else ""
    said = f" – {body['detail']}" if body.get("detail") and body.get("does") != "act" else ""
    return (
        f"{body.get('run', '')} begins {'to take back ' if body.get('undo') else ''}{body.get('step', '')}{asked}{said}"
    )


def _done(body: Body) -> str:
    """Return that a step is done; what a person said of it stands behind."""
    said = "" if body.get("because") or not body.get("detail") else f": {body['detail']}"
    return f"{body.get('run', '')}: {body.get('step', '')} is done{said}"


def _again(body: Body) -> str:
    at = f"; it is tried again at {str(body['again_at'])[11:16]} UTC" if body.get("again_at") else ""
    return f"{body.get('run', '')}: {body.get('step', '')} failed: {body.get('detail', '')}{at}"


def _finished(body: Body) -> str:
    state = body.get("state", "done")
    return (
        f"{body.get('run', '')} came to its end" if state == "done" else f"{body['run']} is {state}: {body['detail']}"
    )


def _refused(body: Body) -> str:
    rules = body.get("rules")
    return f"was refused: {'; '.join(rules) if isinstance(rules, Mapping) else ''}"


_RUNBOOK: Mapping[str, str | Callable[[Body], str]] = {
    "runbook.started": "started {runbook} as {run}",
    "runbook.not_started": "did not start {runbook}",
    "runbook.step_begun": _begun,
    "runbook.step_done": _done,
    "runbook.step_failed": _again,
    "runbook.step_skipped": "{run} passes over {step}: {detail}",
    "runbook.step_timed_out": "{run}: {step} timed out: {detail}",
    "runbook.step_unknown": "{run}: nobody knows whether {step} took effect: {detail}",
    "runbook.approved": "consented to {step} of {run}",
    "runbook.refused": "refused {step} of {run}",
    "runbook.retried": "has {step} of {run} tried again",
    "runbook.skipped": "skipped {step} of {run}",
    "runbook.settled": "said what became of {step} of {run}",
    "runbook.paused": "paused {run}",
    "runbook.resumed": "resumed {run}",
    "runbook.cancelled": lambda body: (
        f"cancelled {body['run']}{'' if body.get('undo') else ', and leaves what it did'}"
    ),
    "runbook.undone": "{run}: {step} is taken back: {detail}",
    "runbook.stopped": "{run} stopped at {step}: {detail}",
    "runbook.finished": _finished,
    "act.refused": _refused,
}

_WORDS: Mapping[str, str | Callable[[Body], str]] = {
    "incident.opened": "opened, {severity}: {title}",
    "incident.new_findings": "new findings, {firing} fire: {title}",
    "incident.updated": "{firing} findings fire: {title}",
    "incident.worsened": "worse, {severity} now: {title}",
    "incident.reopened": "re-opened, {severity}: {title}",
    "incident.resolved": "resolved",
    "incident.mitigated": "mitigated by the kill switch",
    "incident.exposed": "exposed again: the kill switch was given back",
    "incident.acknowledged": "took it",
    "incident.noted": "{text}",
    "incident.snoozed": _until,
    "incident.woken": "the snooze is over: {title}",
    "incident.severity_set": "called it {severity}, it was {before}",
    "incident.handed_over": "handed it over to {to}",
    "incident.escalated": lambda body: f"escalated it: {_paged(body)}",
    "incident.paged": _paged,
    "incident.reminded": "nobody did anything for {timeout}: it is triggered anew, {was} had it",
    "incident.merged": "merged it into INC-{into}",
    "incident.joined": "merged INC-{from} into it",
    "incident.linked": _linked,
    "notification.sent": "told {notifier} ({reason})",
    "notification.withheld": _untold,
    "notification.retried": "has {notifier} told again",
    "notification.failed": "could not tell {notifier} ({reason}): {receipt}",
    **_RUNBOOK,
    "switch.batch_pulled": _together,
    "switch.batch_finished": _batch_finished,
    "switch.pulled": _change,
    "switch.restored": _change,
}
