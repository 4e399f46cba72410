"""Every key of the app, in one table: it makes the bindings, the line at the foot, the help and the palette.

Each key says what it does, where, and what must be true for it; what is not true is the reason that `?` shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from textual.binding import Binding, BindingType

from tui.situation import Situation
from tui.unheard import refusal

Check = Callable[[Situation], str]
"""Says why a key does nothing now, "" when it does something."""


@dataclass(frozen=True, slots=True)
class Key:
    """One act: its keys (commas between them), its word at the foot ("" for none there), and what it does."""

    act: str
    keys: str
    label: str
    about: str
    needs: tuple[Check, ...] = ()
    shown: str = ""
    """How its first key is written, where its name is none that people know."""
    says: Callable[[Situation], str] | None = None
    """Says in the palette what it does now, where that is more than its word."""

    def off(self, situation: Situation) -> str:
        """Return why it does nothing now, "" when it does something."""
        return next((why for check in self.needs if (why := check(situation))), "")


def _acts(now: Situation) -> str:
    return "the engine is not reached" if now.offline else now.looks_only


def _model(now: Situation) -> str:
    return "" if now.row is not None else "no model is under the cursor"


def _switch(now: Situation) -> str:
    return _model(now) or ("" if now.row is not None and now.row.mode else "the engine itself has no kill switch")


def _to_pull(now: Situation) -> str:
    return "" if now.marked else _switch(now)


def _shown(now: Situation) -> str:
    return "" if now.shown else "no model is shown that has a kill switch"


def _pulled(now: Situation) -> str:
    return _switch(now) or ("it is live already" if now.row is not None and now.row.mode == "live" else "")


def _incident(now: Situation) -> str:
    if now.incident is None:
        return "there is no open incident here"
    return f"INC-{now.incident.id} is resolved" if now.incident.status == "resolved" else ""


def _run(now: Situation) -> str:
    return "" if now.run is not None else "no run of a runbook is here"


def _incident_run(now: Situation) -> str:
    return "" if now.incident is not None and now.incident.runs else "no run of a runbook is about this"


def _step_can(*acts: str) -> Check:
    def check(now: Situation) -> str:
        if now.run is None:
            return _run(now)
        step = next((each for each in now.run.steps if any(act in each.can for act in acts)), None)
        if step is None:
            return f"no step of {now.run.id} waits for that"
        return _mine(now, step.who_may) if "approve" in acts or "refuse" in acts else ""

    return check


def _run_can(*acts: str) -> Check:
    def check(now: Situation) -> str:
        if now.run is None:
            return _run(now)
        able = any(act in now.run.can for act in acts)
        return _mine(now, now.run.who_may) if able else f"{now.run.id} is {now.run.state}"

    return check


def _mine(now: Situation, who_may: Sequence[str]) -> str:
    """Return why somebody is none of those who may, where anybody is named."""
    return f"you may not; these people may: {', '.join(who_may)}" if who_may and now.me not in who_may else ""


def _approval(now: Situation) -> str:
    return "" if now.approval is not None else "nothing waits for an approval here"


def _may(act: str) -> Check:
    def check(now: Situation) -> str:
        may = now.approval.may.get(act) if now.approval is not None else None
        return may.because if may is not None and not may.allowed else ""

    return check


def _undelivered(now: Situation) -> str:
    if now.undelivered is None:
        return "it is not known yet whom no notification reached"
    return refusal(now.undelivered) or ("" if now.undelivered else "nothing was given up")


def _ruled(now: Situation) -> str:
    if now.version is None:
        return "no version of the policies is under the cursor"
    if now.version.running or now.version.state != "adopted":
        return "it rules now" if now.version.running else f"it never ruled: it is {now.version.state}"
    return "" if now.applied else "the engine follows the directory of its policies: go back there"


def _thing(word: str) -> Check:
    return lambda now: "" if now.thing else f"no {word} is under the cursor"


APP = (
    Key("help", "question_mark", "Help", "say what each key does, and why one does nothing now", shown="?"),
    Key("goto", "colon", "Go to", "go to a model, INC-4, RUN-2, APR-3, #entry or a view by its name", shown=":"),
    Key("command_palette", "ctrl+p", "palette", "find any act, model, incident or runbook by its words", shown="^p"),
    Key("back", "escape", "", "one step back; never changes anything", shown="esc"),
    Key("refresh", "r", "", "fetch everything anew, also while the engine is not reached"),
    Key("pause", "p", "", "hold the picture still, and let it go on"),
    Key("copy", "y", "", "copy what is under the cursor"),
    Key("theme", "t", "", "change between day and night"),
    Key("quit", "q", "", "leave"),
    Key("view('fleet')", "1", "", "the fleet, worst first"),
    Key("view('incidents')", "2", "", "incidents"),
    Key("view('runs')", "3", "", "runbooks: what runs"),
    Key("view('approvals')", "4", "", "what waits for a second person"),
    Key("view('policies')", "5", "", "policies, waivers and silences"),
    Key("view('log')", "6", "", "the decision log"),
    Key("view('on_call')", "7", "", "who is on call"),
)
LIST = (
    Key("move(1)", "j,down", "", "down", shown="j"),
    Key("move(-1)", "k,up", "", "up", shown="k"),
    Key("move(20)", "pagedown", "", "a page down", shown="pgdn"),
    Key("move(-20)", "pageup", "", "a page up", shown="pgup"),
    Key("move(-1000000)", "g,home", "", "to the first", shown="g"),
    Key("move(1000000)", "G,end", "", "to the last", shown="G"),
    Key("open", "enter", "", "open what is under the cursor", shown="enter"),
)
FILTER = (Key("filter", "slash", "Filter", "only what has these words; field:value narrows to a field", shown="/"),)
TROUBLE = (Key("only_open", "i", "", "only models with an open incident, or all again"),)
MARKS = (
    Key("mark", "space", "Mark", "mark the model, so that K takes all marked out of service at once", (_acts, _switch)),
    Key("mark_shown", "asterisk", "Mark all shown", "mark all that are shown (filter first), or none", (_acts,), "*"),
    Key(
        "pull_shown",
        "ampersand",
        "",
        "pull the kill switches of all that are shown (filter first)",
        (_acts, _shown),
        "&",
        lambda now: f"Pull the switches of all {now.shown} models shown" if now.shown != 1 else "Pull the switch shown",
    ),
)
INCIDENT = (
    Key("acknowledge", "a", "Ack", "take the incident: you work on it", (_acts, _incident)),
    Key("next_step", "n", "Next step", "open the run of the incident, where its next step is done", (_incident_run,)),
    Key("escalate", "e", "Escalate", "tell the next level now", (_acts, _incident)),
    Key("pull", "K", "Kill switch", "take the model out of service, or all that are marked", (_acts, _to_pull)),
    Key("resolve", "R", "Resolve", "close the incident by hand, with a reason", (_acts, _incident)),
    Key("restore", "U", "Restore", "give the model back to service", (_acts, _pulled)),
    Key("hand_over", "h", "Hand over", "make somebody else the lead", (_acts, _incident)),
    Key("note", "c", "Note", "write a note (comment) on the incident", (_acts, _incident)),
    Key("snooze", "z", "Snooze", "let nobody hear of the incident for a while", (_acts, _incident)),
    Key("severity", "s", "Severity", "say how bad the incident is", (_acts, _incident)),
    Key("merge", "m", "Merge", "make the incident a part of another", (_acts, _incident)),
    Key("link", "l", "Link", "put a ticket, a call or a dashboard on the incident", (_acts, _incident)),
    Key("start_runbook", "b", "Runbook", "start a runbook for the model", (_acts, _switch)),
)
TELLING = (
    Key("tell_again", "T", "Tell again", "tell again whom no notification reached",
        (_acts, _undelivered)),
)  # fmt: skip
MODEL = (
    Key("model", "o", "Model", "open the model: card, policy, metrics, versions, history", (_model,)),
    Key("waive", "W", "Waive", "ask that a rule is not enforced on the model", (_acts, _switch)),
    Key("silence", "S", "Silence", "mute notifications of the model for a while", (_acts, _model)),
)
RUN = (
    Key("tick", "n,x", "Next step", "say that the step is done", (_acts, _step_can("tick"))),
    Key("approve", "Y", "Approve", "consent to the step", (_acts, _step_can("approve"))),
    Key("refuse", "N", "Refuse", "refuse the step, with a reason", (_acts, _step_can("refuse"))),
    Key("retry", "T", "Retry", "try the step again", (_acts, _step_can("retry"))),
    Key("skip", "X", "Skip", "leave the step out, with a reason", (_acts, _step_can("skip"))),
    Key("settle", "V", "Settle", "say whether an act of unknown outcome took effect", (_acts, _step_can("settle"))),
    Key("hold", "P", "Pause/resume", "let nothing new begin, or go on", (_acts, _run_can("pause", "resume"))),
    Key("cancel", "C", "Cancel", "end the run, and take back what it did", (_acts, _run_can("cancel"))),
)
APPROVAL = (
    Key("approve", "Y", "Approve", "be the second person", (_acts, _approval, _may("approve"))),
    Key("refuse", "N", "Refuse", "refuse for everybody, with a reason", (_acts, _approval, _may("refuse"))),
)
POLICIES = (
    Key("waive", "W", "Waive", "ask that a rule is not enforced on a model", (_acts,)),
    Key("silence", "S", "Silence", "mute notifications for a while", (_acts,)),
    Key("end", "E", "End", "end the waiver or silence under the cursor", (_acts, _thing("waiver or silence"))),
    Key("go_back", "B", "Go back", "let the version of the policies under the cursor rule again", (_acts, _ruled)),
)
ENDED = (Key("ended", "i", "", "show ended runs too, or the open ones alone"),)
PORTRAIT = (Key("unfold", "v", "", "show every condition of the policy, or of what passes only that it does"),)
LOG = (
    Key("follow", "f", "Follow", "stay at the newest entry, or hold still"),
    Key("older", "o", "Older", "read entries from before those that are here"),
)
GROUPS: Mapping[str, tuple[Key, ...]] = {
    "app": APP,
    "list": LIST,
    "filter": FILTER,
    "trouble": TROUBLE,
    "marks": MARKS,
    "incident": INCIDENT,
    "telling": TELLING,
    "model": MODEL,
    "run": RUN,
    "approval": APPROVAL,
    "policies": POLICIES,
    "ended": ENDED,
    "log": LOG,
    "portrait": PORTRAIT,
}


def name_of(group: str, key: Key) -> str:
    """Return by which name a person's file of keys calls an act, such as `run.approve`, `view.fleet`, `pull`."""
    plain = key.act.replace("('", ".").replace("')", "").replace("(", ".").replace(")", "")
    return f"{group}.{plain}" if group in ("run", "approval", "policies") else plain


def keys_of(groups: Iterable[str]) -> Iterator[tuple[str, Key]]:
    """Yield the keys of some groups with their names; of two with one act the first counts."""
    seen = set()
    for group in groups:
        for key in GROUPS[group]:
            if key.act not in seen:
                seen.add(key.act)
                yield name_of(group, key), key


def action(key: Key) -> str:
    """Return what a key runs: on the app what is of the app, on the screen all else, and going back."""
    return f"app.{key.act}" if key in APP and key.act != "back" else key.act


def bindings(*groups: str) -> list[BindingType]:
    """Return the bindings of some groups, as a screen or a table declares them."""
    return [
        Binding(each.keys, action(each), each.label, show=bool(each.label), id=name, tooltip=each.about)
        for name, each in keys_of(groups)
    ]
