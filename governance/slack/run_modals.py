"""The modals of runs: which runbook to start and with what, and why a step is refused, skipped or tried again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from governance.errors import InvalidDocument
from governance.slack.blocks import Json, context, escaped, section
from governance.slack.modals import because, choice, modal, text_input, told
from governance.slack.run_card import RUN_ACTS, words
from governance.views.runs import RunbookView, RunView

START = "runbook.run"
CHOSEN, PARAMETERS, MODE, EFFECT = "runbook", "parameters", "mode", "effect"
DRY = "dry_run"
_ASKED = {
    "refuse": ("Refuse", "Nobody else is asked then: the step has failed."),
    "retry": ("Try again", "The step is done once more, under a key of its own."),
    "skip": ("Skip", "The run goes on with the next step."),
    "settle": ("Did it take effect?", "The engine could not find out. Look at the system itself before you say so."),
    "cancel": ("Cancel the run", "What it did is taken back, the last first, where its steps say how."),
}

_SUBMIT = {"refuse": "Refuse", "retry": "Try again", "skip": "Skip", "settle": "Say so", "cancel": "Cancel the run"}


def start(
    model: str, known: Sequence[RunbookView], meta: Mapping[str, Any], *, chosen: str = "", why: str = ""
) -> Json:
    """Ask which runbook is to be started, why, and with which parameters."""
    fit = [each for each in known if not each.refused]
    if not fit:
        said = "; ".join(f"{each.runbook}: {each.refused}" for each in known[:5]) or "there is none"
        return told("Run a runbook", f"No runbook can be started for *{escaped(model, 200)}*.", escaped(said, 2000))
    first = next((each for each in fit if each.runbook == chosen), fit[0])
    options = {each.runbook: f"{each.runbook}: {each.description}" for each in fit if len(each.runbook) <= 75}
    takes = "; ".join(_takes(each) for each in fit if each.parameters)
    blocks = [
        section(f"For *{escaped(model, 200)}*. It tells who is asked for what in the thread of the incident."),
        choice(CHOSEN, "Runbook", options, chosen=first.runbook),
        because(why[:300]),
        text_input(PARAMETERS, "Parameters", hint="One a line: name = value", optional=True, longest=1000),
        choice(MODE, "How", {"live": "For real", DRY: "A dry run: nothing is changed, nobody is asked"}, chosen="live"),
        *([context(f"Parameters: {escaped(takes, 1500)}")] if takes else []),
    ]
    return modal("Run a runbook", blocks, submit="Start", callback=START, meta=meta)


def here(run: RunView, meta: Mapping[str, Any]) -> Json:
    """Show a run that is under way, with what can be done at its step at once."""
    step = run.here
    blocks = [section(f"*{escaped(run.runbook, 100)}* ({run.id}) of {escaped(run.model, 200)}")]
    blocks.append(section(escaped(run.summary, 500)))
    if step is None or not {"tick", "approve"} & set(step.can):
        return modal("Runbook", [*blocks, context("Its card in the thread has what else can be done.")])
    blocks.append(section(words(step) or escaped(step.step)))
    act = "tick" if "tick" in step.can else "approve"
    said = {**meta, "run": run.id, "step": step.step}
    return modal("Runbook", blocks, submit=RUN_ACTS[act].label, callback=RUN_ACTS[act].id, meta=said)


def asked(act: str, run: RunView, step: str, meta: Mapping[str, Any]) -> Json:
    """Ask why."""
    title, what = _ASKED[act]
    about = f"*{escaped(run.runbook, 100)}* ({run.id}) of {escaped(run.model, 200)}"
    at = f", step {escaped(step, 100)}" if step and act != "cancel" else ""
    effect = {"yes": "Yes, it took effect", "no": "No, it did not: try it again"}
    fields = [choice(EFFECT, "Did it?", effect)] if act == "settle" else []
    blocks = [section(f"{about}{at}"), context(what), *fields, because()]
    callback = RUN_ACTS[act].id
    return modal(
        title, blocks, submit=title[:24].rstrip("?"), callback=callback, meta={**meta, "run": run.id, "step": step}
    )


def parameters(text: str) -> dict[str, str]:
    """Read parameters that were typed one a line.

    :raises InvalidDocument: for a line that is none.
    """
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise InvalidDocument(f"parameters: {line[:80]!r} is none; write name = value")
        found[name.strip()] = value.strip()
    return found


def _takes(runbook: RunbookView) -> str:
    named = [
        f"{name} ({'required' if about.get('default') is None else about['default']})"
        for name, about in runbook.parameters.items()
    ]
    return f"{runbook.runbook}: {', '.join(named)}"
