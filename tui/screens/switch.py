"""The kill-switch modal: what will happen, why you may, the reason, and the outcome as instances confirm it.

Pulling asks for one confirmation; `stopped` and restoring also for the model's typed name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Grid, Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, RadioSet, Static
from textual.worker import get_current_worker

from governance.errors import GovernanceError
from governance.views import SwitchDoneView, SwitchView
from tui.screens.form import UNSURE, Choice, late_answer, typed_so_far
from tui.sending import Attempts
from tui.switching import DOING, PULLS, VERBS, Act, Chosen, body, send, wrong
from tui.text import safe
from tui.widgets.switch import allowed, facts, held, outcome, then, what

if TYPE_CHECKING:
    from tui.app import GovApp


class SwitchModal(ModalScreen[bool]):
    """Pull or restore one switch."""

    CSS_PATH = "switch.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]
    BINDINGS = [Binding("escape", "cancel", "Cancel"), Binding("ctrl+j,ctrl+enter", "act", "Do it", show=False)]
    app: GovApp

    class Answered(Message):
        """What came of what was sent."""

        def __init__(self, sent: Mapping[str, Any], done: SwitchDoneView | None, error: GovernanceError | None) -> None:
            super().__init__()
            self.sent, self.done, self.error = sent, done, error

    class Confirmed(Message):
        """How many instances hold it by now; the `last` time that is asked."""

        def __init__(self, done: SwitchDoneView, *, last: bool) -> None:
            super().__init__()
            self.done, self.last = done, last

    def __init__(self, switch: SwitchView, *, restore: bool, reason: str, incident: int | None) -> None:
        super().__init__()
        self.switch, self.restore = switch, restore
        self._reason, self._incident = reason, incident
        self._attempts: Attempts[dict[str, Any]] = Attempts()
        self._sending, self._done, self._refused = False, False, ""

    @property
    def _glass(self) -> bool:
        """Whether there is the choice to break the glass."""
        may = self.switch.may.get("break-glass")
        alone = self.switch.people_to_restore < 2 and self._may("restore")
        return self.restore and may is not None and may.allowed and not alone

    def _may(self, act: str) -> bool:
        may = self.switch.may.get(act)
        return may is None or may.allowed

    def compose(self) -> ComposeResult:
        """Lay out the facts, the choices and the buttons."""
        verb = VERBS["restore" if self.restore else "pull"]
        with Vertical(id="box") as box:
            box.border_title, box.border_subtitle = f"■ {verb}", "esc cancels · nothing has changed yet"
            yield Static(id="what")
            with Grid(id="facts"):
                for name, value in facts(self.switch, self.app.at(), restore=self.restore):
                    yield Static(f"[$muted]{name}[/]")
                    yield Static(Content.from_markup(value), classes=f"fact-{name.partition(' ')[0]}")
                yield Static("[$muted]allowed[/]")
                yield Static(id="allowed")
                yield Static("[$muted]then[/]")
                yield Static(id="then")
            yield from self._restoring() if self.restore else self._pulling()
            yield Label("Reason  [$muted](goes to the decision log)[/]")
            yield Input(self._reason, id="reason", compact=True)
            yield Label(f"Type [b]{safe(self.switch.model)}[/] to confirm", id="typed-label")
            yield Input("", id="typed", compact=True)
            yield Static(id="hint")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="no")
                yield Button(f"■ {verb}", variant="error", id="yes", disabled=True)

    def _pulling(self) -> ComposeResult:
        with RadioSet(id="mode"):
            for mode, said in PULLS.items():
                yield Choice(f"{mode:<9} {said}", value=mode == "fallback", id=f"mode-{mode}")
        with Horizontal(id="more"):
            yield Label("share ", id="share-label")
            yield Input("50%", id="share", compact=True)
            yield Label("ends after ")
            yield Input("", placeholder="never; or 4h", id="expires", compact=True)
            yield Label("  only ")
            yield Input("", placeholder="all of it; or version 7, country=DE", id="only", compact=True)

    def _restoring(self) -> ComposeResult:
        if len(self.switch.settings) > 1:
            with RadioSet(id="setting"):
                for index, each in enumerate(self.switch.settings):
                    yield Choice(held(each), value=index == 0, id=f"setting-{index}")
        if self._glass:
            with RadioSet(id="way"):
                asks = "ask a second person" if self.switch.people_to_restore > 1 else "restore as usual"
                yield Choice(asks, value=True, id="way-restore")
                yield Choice("break the glass: alone and at once; it pages everybody and is reviewed", id="way-glass")
        with Horizontal(id="more"):
            yield Label("back to ", id="to-label")
            yield Input("", placeholder="live; or throttle 25%", id="to", compact=True)

    def on_mount(self) -> None:
        """Begin where the person has something to say."""
        self._check()
        self.query_one("#reason" if self.restore else "#mode").focus(scroll_visible=False)  # the facts are read first

    @property
    def act(self) -> Act:
        """What is chosen to be done."""
        if not self.restore:
            return "pull"
        return "break-glass" if self._pressed("way") == 1 else "restore"

    def _pressed(self, name: str) -> int:
        """Return which of some choices is taken, the first where there is no choice."""
        found = self.query(f"#{name}")
        return max(found.only_one(RadioSet).pressed_index, 0) if found else 0

    def _text(self, name: str) -> str:
        found = self.query(f"#{name}")
        return found.only_one(Input).value.strip() if found else ""

    @property
    def chosen(self) -> Chosen:
        """What is chosen and typed."""
        settings = self.switch.settings
        return Chosen(
            act=self.act, mode=tuple(PULLS)[self._pressed("mode")], share=self._text("share"),
            expires=self._text("expires"), only=self._text("only"), to=self._text("to"),
            setting=settings[self._pressed("setting")] if self.restore and settings else None,
            reason=self._text("reason"), typed=self.query_one("#typed", Input).value,
        )  # fmt: skip

    def _check(self) -> None:
        """Say what is chosen, enable the button when all that is asked for is there, and say what is not."""
        if self._done:
            return
        chosen = self.chosen
        self._show("#typed, #typed-label", chosen.named)
        self._show("#share, #share-label", chosen.mode == "throttle")
        self._show("#to, #to-label", chosen.act == "restore")
        for each, said in (
            ("#what", what(self.switch, chosen)),
            ("#allowed", allowed(self.switch, chosen)),
            ("#then", then(self.switch, chosen)),
        ):
            self.query_one(each, Static).update(Content.from_markup(said))
        hint, ready = self._hint(chosen)
        self.query_one("#hint", Static).update(Content.from_markup(hint))
        button = self.query_one("#yes", Button)
        button.label, button.disabled = f"■ {VERBS[chosen.act]}", not ready

    def _show(self, which: str, shown: bool) -> None:  # noqa: FBT001 (it is what the method is about)
        for each in self.query(which):
            each.display = shown

    def _hint(self, chosen: Chosen) -> tuple[str, bool]:
        if self._sending:
            return f"[$warning]… {DOING[chosen.act]}[/]", False
        refused, missing = wrong(chosen, self.switch)
        if refused or missing:
            return (f"[b $error]✗ {safe(refused)}[/]" if refused else f"[$warning]… {missing}[/]"), False
        if chosen.named and chosen.typed != self.switch.model:
            return typed_so_far(self.switch.model, chosen.typed), False
        return f"{self._told(chosen)}[b $success]✓ ready[/] [$muted]ctrl+j, or the button[/]", True

    def _told(self, chosen: Chosen) -> str:
        """Return what became of what was sent before, as markup."""
        if self._refused:
            mark = "[b $warning]?" if self._attempts.unsure else "[b $error]✗"
            return f"{mark} {safe(self._refused)}[/]\n"
        doubt = self._attempts.doubt(self._words(chosen))
        return f"[b $warning]? {doubt}[/]\n" if doubt else ""

    def _words(self, chosen: Chosen) -> dict[str, Any]:
        return {"act": chosen.act, **body(chosen, self.switch, self._incident)}

    @on(Input.Changed)
    @on(RadioSet.Changed)
    def _changed(self) -> None:
        if not self._sending:
            self._refused = ""
        self._check()

    @on(Button.Pressed, "#no")
    def action_cancel(self) -> None:
        """Close; after an act there is nothing to take back here."""
        self.dismiss(self._done)

    @on(Input.Submitted)
    def _onward(self, event: Input.Submitted) -> None:
        """Enter does it where all is there, else goes to what is missing."""
        if self.query_one("#yes", Button).disabled and event.input.id == "reason" and self.chosen.named:
            self.set_focus(self.query_one("#typed"))
        else:
            self.action_act()

    @on(Button.Pressed, "#yes")
    def action_act(self) -> None:
        """Do it, once however often it is pressed."""
        chosen = self.chosen
        if self._done or self._sending or not self._hint(chosen)[1]:
            return
        self._sending = True
        self._check()
        words = self._words(chosen)
        asked, key = self._attempts.of(words, lambda: body(chosen, self.switch, self._incident))
        # A worker of the app: it is sent although this is closed at once.
        self.app.run_worker(partial(self._send, self.app, chosen.act, words, asked, key), thread=True, group="acts")

    def _send(self, app: GovApp, act: Act, words: Mapping[str, Any], asked: Mapping[str, Any], key: str) -> None:
        try:
            answer = self.Answered(words, send(app.client, act, self.switch.model, asked, key), None)
        except GovernanceError as error:
            answer = self.Answered(words, None, error)
        if not self.post_message(answer):  # closed meanwhile: what became of it must be told all the same
            told = Content.from_markup(outcome(answer.done, last=True)).plain if answer.done is not None else ""
            late_answer(app, f"{self.switch.model}: {DOING[act]}", f"{self.switch.model}: {told}", answer.error)

    @on(Answered)
    def _answered(self, message: Answered) -> None:
        self._sending = False
        self.app.feed.refresh()
        if message.done is not None:
            self._told_done(message.done)
            return
        if message.error is not None:
            self._refused = self._attempts.failed(message.sent, message.error)
        if self._attempts.unsure:
            self.query_one("#box").border_subtitle = UNSURE
        self._check()

    def _told_done(self, done: SwitchDoneView) -> None:
        self._done = True
        self.query_one("#box").border_subtitle = f"entry {done.entry} of the decision log"
        self._show("#yes, #typed, #typed-label", shown=False)
        for each in (*self.query(Input), *self.query(RadioSet)):
            each.disabled = True
        self.query_one("#no", Button).label = "Close"
        self.set_focus(None)  # a second Enter must not close what the first one brought
        self.query_one("#hint", Static).update(Content.from_markup(outcome(done, last=False)))
        if done.approval is None:
            self._watch(done)

    @work(thread=True, exclusive=True, group="confirmations")
    def _watch(self, done: SwitchDoneView) -> None:
        """Follow the confirmations of the instances until all hold it, or nobody looks any more."""
        worker, pause = get_current_worker(), self.app.pause
        while not worker.is_cancelled:
            pause(0.5)
            try:
                switch = self.app.client.switch(self.switch.model)
            except GovernanceError:
                continue
            seen = switch.confirmations
            last = switch.seq != done.switch.seq or seen.confirmed == seen.total
            if not worker.is_cancelled:
                self.post_message(self.Confirmed(done.model_copy(update={"switch": switch}), last=last))
            if last:
                return

    @on(Confirmed)
    def _confirmed(self, message: Confirmed) -> None:
        self.query_one("#hint", Static).update(Content.from_markup(outcome(message.done, last=message.last)))
