"""What the modals of one and of several kill switches share: choices, what is typed, who confirmed it afterwards."""

from __future__ import annotations

from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Label, RadioSet, Static
from textual.worker import get_current_worker

from governance.client import Client
from governance.errors import GovernanceError
from tui.screens.acting import Acting, Done
from tui.switching import PULLS
from tui.text import safe
from tui.widgets.choice import Choice


class KillSwitchModal(Acting[Done]):
    """Asks for the reason and for what must be typed, acts once, and follows the instances until it is settled."""

    class Confirmed(Message):
        """Who holds it by now; the `last` time that is asked."""

        def __init__(self, done: Any, *, last: bool) -> None:
            super().__init__()
            self.done, self.last = done, last

    def __init__(self, head: str, reason: str) -> None:
        super().__init__()
        self._head, self._reason = head, reason

    @property
    def wanted(self) -> str:
        """What must be typed, "" where nothing must."""
        raise NotImplementedError

    @property
    def verbs(self) -> tuple[str, str]:
        """How the act is called on its button, and while it is sent."""
        raise NotImplementedError

    def facts(self) -> ComposeResult:
        """Lay out what one must know."""
        raise NotImplementedError

    def choices(self) -> ComposeResult:
        """Lay out what can be chosen."""
        raise NotImplementedError

    def lacking(self) -> str:
        """Return what is amiss or missing, as markup, "" where nothing is."""
        raise NotImplementedError

    def onward(self, at: str) -> str:
        """Return what enter goes to from the input `at` while something is missing, "" for nothing."""
        raise NotImplementedError

    def entry(self, done: Done) -> str:
        """Return where it stands in the decision log."""
        raise NotImplementedError

    def outcome(self, done: Done, *, last: bool) -> str:
        """Return what became of it, as markup; `last`: nobody asks for more."""
        raise NotImplementedError

    def pause(self, done: Done) -> float | None:
        """Return how many seconds pass between two looks at who confirmed, None where there is nothing to look at."""
        raise NotImplementedError

    def look(self, client: Client, done: Done) -> tuple[Done, bool]:
        """Ask who confirmed by now, and tell whether it is settled; runs in a thread."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Lay out the facts, the choices and the buttons."""
        with Vertical(id="box") as box:
            box.border_title, box.border_subtitle = f"■ {self._head}", "esc cancels · nothing has changed yet"
            yield Static(id="what")
            yield from self.facts()
            yield from self.choices()
            yield Label("Reason  [$muted](goes to the decision log)[/]")
            yield Input(self._reason, id="reason", compact=True)
            yield Label("", id="typed-label")
            yield Input("", id="typed", compact=True)
            yield Static(id="hint")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="no")
                yield Button("", variant="error", id="yes", disabled=True)

    def pulling(self, *more: Widget) -> ComposeResult:
        """Lay out the modes, and how far and how long a pull goes."""
        with RadioSet(id="mode"):
            for mode, said in PULLS.items():
                yield Choice(f"{mode:<9} {said}", value=mode == "fallback", id=f"mode-{mode}")
        with Horizontal(id="more"):
            yield Label("share ", id="share-label")
            yield Input("50%", id="share", compact=True)
            yield Label("ends after ")
            yield Input("", placeholder="never; or 4h", id="expires", compact=True)
            yield from more

    def text(self, name: str) -> str:
        """Return what is typed, "" where nothing can be."""
        found = self.query(f"#{name}")
        return found.only_one(Input).value.strip() if found else ""

    def pressed(self, name: str) -> int:
        """Return which of some choices is taken, the first where there is no choice."""
        found = self.query(f"#{name}")
        return max(found.only_one(RadioSet).pressed_index, 0) if found else 0

    @property
    def mode(self) -> str:
        """The mode that is chosen."""
        return tuple(PULLS)[self.pressed("mode")]

    def show(self, which: str, *, shown: bool) -> None:
        """Show these parts, or hide them."""
        for each in self.query(which):
            each.display = shown

    def write(self, where: str, markup: str) -> None:
        """Write markup into a part."""
        self.query_one(where, Static).update(Content.from_markup(markup))

    def check(self) -> None:
        """Enable the button when all that is asked for is there, and say what is not."""
        if self._done:
            return
        self.show("#typed, #typed-label", shown=bool(self.wanted))
        self.write("#typed-label", f"Type [b]{safe(self.wanted)}[/] to confirm")
        hint, ready = self.ready()
        self.write("#hint", hint)
        button = self.query_one("#yes", Button)
        button.label, button.disabled = f"■ {self.verbs[0]}", not ready

    def ready(self) -> tuple[str, bool]:
        """Return what is missing, as markup, and whether nothing is."""
        if self._sending:
            return f"[$warning]… {self.verbs[1]}[/]", False
        lacking = self.lacking()
        if lacking:
            return lacking, False
        return f"{self.told()}[b $success]✓ ready[/] [$muted]ctrl+j, or the button[/]", True

    @on(Input.Submitted)
    def _onward(self, event: Input.Submitted) -> None:
        """Enter does it where all is there, else goes to what is missing."""
        missing = self.onward(event.input.id or "") if self.query_one("#yes", Button).disabled else ""
        if missing:
            self.set_focus(self.query_one(missing))
        else:
            self.action_act()

    def finished(self, done: Done) -> None:
        """Say what was done, and follow the instances."""
        self._done = True
        self.query_one("#box").border_subtitle = f"{self.entry(done)} of the decision log"
        self.show("#yes, #typed, #typed-label", shown=False)
        for each in self.query("Input, RadioSet"):
            each.disabled = True
        self.query_one("#no", Button).label = "Close"
        self.set_focus(None)  # a second Enter must not close what the first one brought
        self.write("#hint", self.outcome(done, last=False))
        pause = self.pause(done)
        if pause is not None:
            self._watch(done, pause)

    @work(thread=True, exclusive=True, group="confirmations")
    def _watch(self, done: Done, pause: float) -> None:
        """Follow the confirmations of the instances until it is settled, or nobody looks any more."""
        worker, wait, client = get_current_worker(), self.app.pause, self.app.client
        while not worker.is_cancelled:
            wait(pause)
            try:
                now, last = self.look(client, done)
            except GovernanceError:
                continue
            if not worker.is_cancelled:
                self.post_message(self.Confirmed(now, last=last))
            if last:
                return

    @on(Confirmed)
    def _confirmed(self, message: Confirmed) -> None:
        self.confirmed(message.done, last=message.last)

    def confirmed(self, done: Done, *, last: bool) -> None:
        """Say who holds it by now."""
        self.write("#hint", self.outcome(done, last=last))


def amiss(refused: str, missing: str = "") -> str:
    """Return why it cannot be done, or else what is missing, as markup."""
    return f"[b $error]✗ {safe(refused)}[/]" if refused else f"[$warning]… {missing}[/]"
