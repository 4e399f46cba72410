"""The kill-switch modal: what will happen, why you may, the reason, and the outcome as instances confirm it.

Pulling asks for one confirmation; `stopped` and restoring also for the model's typed name.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid, Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, RadioSet, Static
from textual.worker import get_current_worker

from governance.errors import GovernanceError
from governance.views import SettingView, SwitchDoneView, SwitchView
from tui.known import MODES, number, span
from tui.screens.form import Choice, typed_so_far
from tui.text import safe

if TYPE_CHECKING:
    from tui.app import GovApp

PULLS = ("fallback", "shadow", "throttle", "stopped")
_SAID = {
    "fallback": "the fallback answers",
    "shadow": "the fallback answers, the model's output is only logged",
    "throttle": "a share of the requests gets the fallback",
    "stopped": "nothing answers",
}
WATCHED = 20
"""How often the confirmations are asked for after an act, twice a second."""


class SwitchModal(ModalScreen[bool]):
    """Pull or restore one switch."""

    CSS_PATH = "switch.tcss"
    BINDINGS = [Binding("escape", "cancel", "Cancel"), Binding("ctrl+j,ctrl+enter", "act", "Do it", show=False)]
    app: GovApp

    def __init__(self, switch: SwitchView, *, restore: bool, reason: str, incident: int | None) -> None:
        super().__init__()
        self.switch, self.restore = switch, restore
        self._reason, self._incident = reason, incident
        self._key = str(uuid.uuid4())
        self._done = False

    def compose(self) -> ComposeResult:
        """Lay out the facts, the choices and the buttons."""
        verb = "Restore" if self.restore else "Pull kill switch"
        with Vertical(id="box") as box:
            box.border_title, box.border_subtitle = f"■ {verb}", "esc cancels · nothing has changed yet"
            with Grid(id="facts"):
                for name, value in _facts(self.switch, self.app.at(), restore=self.restore):
                    yield Static(f"[$muted]{name}[/]")
                    yield Static(value)
            if not self.restore:
                with RadioSet(id="mode"):
                    for mode in PULLS:
                        yield Choice(f"{mode:<9} {_SAID[mode]}", value=mode == "fallback", id=f"mode-{mode}")
                with Horizontal(id="more"):
                    yield Label("share ", id="share-label")
                    yield Input("50%", id="share", compact=True)
                    yield Label("  ends after ")
                    yield Input("", placeholder="never; or 4h", id="expires", compact=True)
            yield Label("Reason  [$muted](goes to the decision log)[/]")
            yield Input(self._reason, id="reason", compact=True)
            yield Label(f"Type [b]{safe(self.switch.model)}[/] to confirm", id="typed-label")
            yield Input("", id="typed", compact=True)
            yield Static(id="hint")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="no")
                yield Button(f"■ {verb}", variant="error", id="yes", disabled=True)

    def on_mount(self) -> None:
        """Begin where the person has something to say."""
        self.query_one("#reason" if self.restore else "#mode").focus()
        self._check()

    @property
    def mode(self) -> str:
        """The chosen mode; live when restoring."""
        if self.restore:
            return "live"
        pressed = self.query_one(RadioSet).pressed_button
        return (pressed.id or "mode-fallback").removeprefix("mode-") if pressed is not None else "fallback"

    def _check(self) -> None:
        """Enable the button when all that is asked for is there, and say what is not."""
        if self._done:
            return
        named = self.restore or self.mode == "stopped"
        for each in ("#typed", "#typed-label"):
            self.query_one(each).display = named
        if not self.restore:
            for each in ("#share", "#share-label"):
                self.query_one(each).display = self.mode == "throttle"
        hint, ready = self._missing(self.query_one("#typed", Input).value, named=named)
        self.query_one("#hint", Static).update(Content.from_markup(hint))
        self.query_one("#yes", Button).disabled = not ready

    def _missing(self, typed: str, *, named: bool) -> tuple[str, bool]:
        may = self.switch.may.get("restore" if self.restore else "pull")
        if may is not None and not may.allowed:
            return f"[b $error]✗ {safe(may.because)}[/]", False
        if not self.query_one("#reason", Input).value.strip():
            return "[$warning]… a reason is needed[/]", False
        if self.mode == "throttle" and not 0 < (_share(self.query_one("#share", Input).value) or 0) < 1:
            return "[b $error]✗ a share lies between 0% and 100%, such as 50%[/]", False
        if not named or typed == self.switch.model:
            return "[b $success]✓ ready[/] [$muted]ctrl+j, or the button[/]", True
        return typed_so_far(self.switch.model, typed), False

    @on(Input.Changed)
    @on(RadioSet.Changed)
    def _changed(self) -> None:
        self._check()

    @on(Button.Pressed, "#no")
    def action_cancel(self) -> None:
        """Close; after an act there is nothing to take back here."""
        self.dismiss(self._done)

    @on(Input.Submitted)
    def _onward(self, event: Input.Submitted) -> None:
        """Enter does it where all is there, else goes to what is missing."""
        if self.query_one("#yes", Button).disabled and event.input.id == "reason":
            self.set_focus(self.query_one("#typed"))
        else:
            self.action_act()

    @on(Button.Pressed, "#yes")
    def action_act(self) -> None:
        """Do it, once however often it is pressed."""
        if self._done or self.query_one("#yes", Button).disabled:
            return
        self.query_one("#yes", Button).disabled = True
        self.query_one("#hint", Static).update("[$warning]… restoring[/]" if self.restore else "[$warning]… pulling[/]")
        self._send(self._body())

    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"because": self.query_one("#reason", Input).value.strip()}
        typed = self.query_one("#typed", Input).value
        if self.restore:
            worst = _worst(self.switch)
            scope = worst.scope.model_dump() if worst is not None else {}
            return {**body, "seq": self.switch.seq, "scope": scope, "confirm": typed}
        body["mode"] = self.mode
        if self.mode == "throttle":
            body["share"] = _share(self.query_one("#share", Input).value)
        expires = self.query_one("#expires", Input).value.strip()
        if expires:
            body["expires"] = expires
        if self._incident is not None:
            body["incident"] = self._incident
        return {**body, "confirm": typed} if typed else body

    @work(thread=True, exclusive=True)
    def _send(self, body: dict[str, Any]) -> None:
        act = self.app.client.restore if self.restore else self.app.client.pull
        try:
            done = act(self.switch.model, body, key=self._key)
        except GovernanceError as error:
            self.app.call_from_thread(self._refused, str(error))
            return
        self.app.call_from_thread(self._told, done)
        self._watch(done)

    def _watch(self, done: SwitchDoneView) -> None:
        """Follow the confirmations of the instances for a while."""
        worker, pause = get_current_worker(), self.app.pause
        for _ in range(WATCHED):
            if worker.is_cancelled or done.approval is not None:
                return
            pause(0.5)
            try:
                switch = self.app.client.switch(self.switch.model)
            except GovernanceError:
                continue
            done = done.model_copy(update={"switch": switch})
            if self.is_attached:
                self.app.call_from_thread(self._told, done)
            if switch.confirmations.total == switch.confirmations.confirmed:
                return

    def _refused(self, why: str) -> None:
        self._key = str(uuid.uuid4())  # another try is another act
        self.query_one("#hint", Static).update(Content.from_markup(f"[b $error]✗ {safe(why)}[/]"))
        self.query_one("#yes", Button).disabled = False

    def _told(self, done: SwitchDoneView) -> None:
        if not self.is_attached:
            return
        self._done = True
        self.app.feed.refresh()
        self.query_one("#box").border_subtitle = f"entry {done.entry} of the decision log"
        for each in ("#yes", "#typed", "#typed-label"):
            self.query_one(each).display = False
        self.query_one("#no", Button).label = "Close"
        self.set_focus(None)  # a second Enter must not close what the first one brought
        self.query_one("#hint", Static).update(Content.from_markup(_outcome(done)))


def _share(text: str) -> float | None:
    """Return what 50% or 0.5 says, None when it says nothing."""
    digits = text.strip().removesuffix("%")
    try:
        return float(digits) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        return None


def _outcome(done: SwitchDoneView) -> str:
    if done.approval is not None:
        who = ", ".join(done.approval.who_may) or "nobody: the organisation names no second person"
        return f"[$warning]◌ asked for; a second person must approve:[/] {safe(who)}"
    seen = done.switch.confirmations
    told = f"[b $success]✓ {MODES.get(done.switch.mode, done.switch.mode)}[/] since entry {done.entry}"
    if seen.total == 0:
        return f"{told}  [$warning]no instance reports that it reads this switch[/]"
    colour = "$success" if seen.confirmed == seen.total else "$warning"
    return f"{told}  [{colour}]{seen.confirmed} of {seen.total} instances confirmed[/]"


def _worst(switch: SwitchView) -> SettingView | None:
    return next((each for each in switch.settings if each.mode == switch.mode), None)


def _facts(switch: SwitchView, at: datetime, *, restore: bool) -> list[tuple[str, str]]:
    may = switch.may.get("restore" if restore else "pull")
    why = "[$warning]? the engine does not say[/]"
    if may is not None:
        why = f"[$success]✓[/] {safe(may.because)}" if may.allowed else f"[b $error]✗ {safe(may.because)}[/]"
    traffic = (
        f"{number(switch.traffic)} predictions a minute" if switch.traffic is not None else "[$muted]traffic unknown[/]"
    )
    fallback = f"[b]{safe(switch.fallback)}[/]" if switch.fallback else "[$warning]the card names no fallback[/]"
    version = f" version {safe(switch.serving)}" if switch.serving else ""
    seen = switch.confirmations
    readers = (
        f"{seen.confirmed} of {seen.total} instances hold the present state"
        if seen.total
        else "[$warning]no instance reads this switch[/]"
    )
    facts = [
        ("model", f"[b]{safe(switch.model)}[/]{version} in [b]{safe(switch.environment)}[/], tier {switch.tier}"),
        ("now", _now(switch, at)),
        ("traffic", f"{traffic} → {fallback}"),
        ("dependants", safe(", ".join(switch.dependants)) or "[$muted]none declared[/]"),
        ("read by", readers),
        ("you may", why),
    ]
    if restore:
        second = "a second person must approve" if switch.people_to_restore > 1 else "at once, by you alone"
        facts.append(("then", f"[$warning]{second}[/]" if switch.people_to_restore > 1 else second))
    else:
        people = "two people" if switch.people_to_restore > 1 else "one person"
        facts.append(("undo", f"[b]U[/] restores; needs {people} of rollback.authority"))
    return facts


def _now(switch: SwitchView, at: datetime) -> str:
    worst = _worst(switch)
    if worst is None:
        return "[$success]● live[/]"
    until = f", ends in {span(at, worst.expires_at)}" if worst.expires_at is not None else ""
    held = f"{MODES.get(worst.mode, worst.mode)} since {span(worst.set_at, at)}, by {safe(worst.set_by)}{until}"
    return f"[b $error]{held}[/] [$muted]{safe(worst.reason)}[/]"
