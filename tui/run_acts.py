"""What each act of a person on a run asks for and sends; nothing here draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from governance.client import Client
from governance.views import IncidentView
from governance.views.runs import RunbookView, RunView, StepView
from tui.form import Asked, Field, Said
from tui.text import lines, safe


class Verb(NamedTuple):
    """How an act is called, what it does, what is said when it is done, and whether its reason must be said."""

    title: str
    what: str
    done: str
    reason: bool
    danger: bool = False


VERBS: Mapping[str, Verb] = {
    "tick": Verb("Done", "says that the step is done; the run goes on", "the step is done", reason=False),
    "approve": Verb("Approve", "you consent to the step", "you have consented", reason=False),
    "refuse": Verb("Refuse", "the step fails, for everybody", "you have refused", reason=True),
    "retry": Verb("Retry", "tries the step again", "the step is tried again", reason=False),
    "skip": Verb("Skip", "leaves the step out; the run goes on behind it", "the step is skipped", reason=True),
    "settle": Verb("Settle", "nobody knows whether the act took effect; what you say counts", "settled", reason=True),
    "pause": Verb("Pause", "nothing new begins; deadlines go on counting", "the run is paused", reason=False),
    "resume": Verb("Resume", "the run goes on where it stands", "the run goes on", reason=False),
    "cancel": Verb("Cancel run", "ends the run", "the run is cancelled", reason=True, danger=True),
}
_ON_STEPS = frozenset({"tick", "approve", "refuse", "retry", "skip", "settle"})
_YES = (("yes", "yes, it took effect: the run goes on"), ("no", "no, it did not: it is tried again"))
_UNDO = (("yes", "take back what was done, in reverse order"), ("no", "leave what was done as it is"))


def step_for(run: RunView, act: str) -> StepView | None:
    """Return the step that an act is about."""
    return next((each for each in run.steps if act in each.can), None)


def form(run: RunView, act: str) -> Asked:
    """Return what is asked for an act on a run, which is sent with the version that was seen."""
    verb = VERBS[act]
    step = step_for(run, act) if act in _ON_STEPS else None

    def send(client: Client, said: Said, key: str) -> str:
        because = said.get("because", "")
        if step is not None and step.approval and act == "approve":
            client.approve(step.approval, because=because, key=key)
        elif step is not None and step.approval and act == "refuse":
            client.refuse(step.approval, because=because, key=key)
        else:
            client.on_run(run.id, act, _body(run, step, said), key=key)
        return f"{run.id}: {verb.done}"

    title, fields = f"{verb.title} · {run.id}", _fields(act, verb)
    about = _about(run, step, verb)
    return Asked(title, about, verb.title, send, _permission(act), run.model, verb.danger, fields=fields)


def _permission(act: str) -> str:
    return "" if act in ("approve", "refuse") else f"runbook.{act}"


def _fields(act: str, verb: Verb) -> tuple[Field, ...]:
    because = Field("because", "Reason", hint="it goes to the decision log", optional=not verb.reason)
    if act == "settle":
        return Field("took_effect", "Did it take effect?", "", _YES), because
    if act == "cancel":
        return Field("undo", "What was done", "yes", _UNDO), because
    return (because,)


def _body(run: RunView, step: StepView | None, said: Said) -> dict[str, object]:
    body: dict[str, object] = {"version": run.version}
    if step is not None:
        body["step"] = step.step
    if said.get("because"):
        body["because"] = said["because"]
    return body | {name: said[name] == "yes" for name in ("took_effect", "undo") if name in said}


def _about(run: RunView, step: StepView | None, verb: Verb) -> str:
    parts = [f"[b]{safe(run.runbook)}[/] on [b]{safe(run.model)}[/] [$muted]{safe(run.summary)}[/]"]
    if step is not None:
        parts += [f"[b]{safe(step.step)}[/] {lines(step.text or step.does)}"]
        if step.who_may:
            parts += [f"[$muted]these people may: {safe(', '.join(step.who_may))}[/]"]
    return "\n".join([*parts, verb.what])


def starting(model: str, runbook: RunbookView, incident: IncidentView | None) -> Asked:
    """Start a runbook for a model, with its parameters."""
    names = list(runbook.parameters)

    def send(client: Client, said: Said, key: str) -> str:
        given = {name: said[f"p-{index}"] for index, name in enumerate(names) if said[f"p-{index}"]}
        body: dict[str, object] = {
            "runbook": runbook.runbook,
            "because": said["because"],
            "parameters": {name: typed(runbook.parameters[name], text) for name, text in given.items()},
            "dry_run": said["mode"] == "drill",
        }
        if incident is not None:
            body["incident"] = incident.id
        done = client.start_run(model, body, key=key)
        return f"{done.run.id}: {done.run.summary}"

    steps = "\n".join(
        f"  ○ {number} {safe(each.step)} [$muted]{safe(each.does or each.kind)}[/]"
        for number, each in enumerate(runbook.steps, 1)
    )
    about = f"[b]{safe(model)}[/]  {safe(runbook.description)}\n{steps}"
    reason = f"INC-{incident.id}: {incident.title}" if incident is not None else ""
    mode = Field("mode", "How", "live", (("live", "for real"), ("drill", "as a drill: nothing acts")))
    because = Field("because", "Reason", reason, hint="it goes to the decision log")
    parameters = (_parameter(index, name, runbook.parameters[name]) for index, name in enumerate(names))
    fields = (*parameters, mode, because)
    return Asked(f"Start {runbook.runbook}", about, "Start", send, "runbook.start", model, fields=fields)


def _parameter(index: int, name: str, facts: Mapping[str, object]) -> Field:
    default = facts.get("default")
    hint = str(facts.get("description") or facts.get("type") or "")
    value = "" if default is None or (isinstance(default, str) and "{" in default) else str(default)
    optional = default is not None or facts.get("required") is False
    return Field(f"p-{index}", f"{name}", value, hint=f"{hint} {default or ''}".strip(), optional=optional)


def typed(facts: Mapping[str, object], text: str) -> object:
    """Return what was typed for a parameter as its type has it; what is none stays text, and the engine says so."""
    kind = str(facts.get("type", ""))
    try:
        if kind in ("int", "integer"):
            return int(text)
        if kind in ("double", "number", "float"):
            return float(text)
    except ValueError:
        return text
    if kind in ("bool", "boolean") and text.lower() in ("true", "false", "yes", "no"):
        return text.lower() in ("true", "yes")
    return text
