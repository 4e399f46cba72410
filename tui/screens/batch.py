"""The modal of several kill switches: each model in a list, the facts summed, the reason, what is typed, the outcome.

What the engine would do is asked anew with each choice; what is sent is what was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, RadioSet, Static
from textual.worker import get_current_worker

from governance.errors import GovernanceError
from governance.views import IncidentView
from governance.views.batches import BatchForeseenView, BatchView
from tui.screens.form import UNSURE, Choice, late_answer, typed_so_far
from tui.sending import Attempts
from tui.several import Several, asked, body, unclear, wrong
from tui.switching import PULLS
from tui.text import fact, safe
from tui.widgets.batch import Became, Models, became, facts, foreseen, outcome, settled, what
from tui.widgets.told import Told

if TYPE_CHECKING:
    from tui.app import GovApp

MOST = 20
"""Lines of the list after the act."""
EACH = 2000
"""Models for which one more second passes between two looks at who confirmed."""


class BatchModal(ModalScreen[bool]):
    """Pull several switches."""

    CSS_PATH = "batch.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-high")]
    BINDINGS = [Binding("escape", "cancel", "Cancel"), Binding("ctrl+j,ctrl+enter", "act", "Do it", show=False)]
    app: GovApp

    class Foreseen(Message):
        """What would become of each, as an answer to what was asked; or why that is not known."""

        def __init__(self, question: Mapping[str, Any], found: BatchForeseenView | None, why_not: str) -> None:
            super().__init__()
            self.question, self.found, self.why_not = question, found, why_not

    class Answered(Message):
        """What came of what was sent."""

        def __init__(self, sent: Mapping[str, Any], done: BatchView | None, error: GovernanceError | None) -> None:
            super().__init__()
            self.sent, self.done, self.error = sent, done, error

    class Confirmed(Message):
        """Who holds it by now."""

        def __init__(self, done: BatchView) -> None:
            super().__init__()
            self.done = done

    def __init__(
        self,
        models: Sequence[str],
        found: BatchForeseenView,
        *,
        incident: IncidentView | None,
        done: Callable[[], object],
    ) -> None:
        super().__init__()
        self._models, self._found, self._incident, self._then = models, found, incident, done
        self._question: Mapping[str, Any] = asked(Several(), models)
        self._shown: Mapping[str, Any] = self._question
        self._attempts: Attempts[dict[str, Any]] = Attempts()
        self._sending, self._done, self._refused, self._why_not = False, False, "", ""

    def compose(self) -> ComposeResult:
        """Lay out the facts, the list, the choices and the buttons."""
        with Vertical(id="box") as box:
            box.border_title, box.border_subtitle = "■ Pull kill switches", "esc cancels · nothing has changed yet"
            yield Static(id="what")
            yield Told(id="facts")
            yield Models(id="models")
            with RadioSet(id="mode"):
                for mode, said in PULLS.items():
                    yield Choice(f"{mode:<9} {said}", value=mode == "fallback", id=f"mode-{mode}")
            with Horizontal(id="more"):
                yield Label("share ", id="share-label")
                yield Input("50%", id="share", compact=True)
                yield Label("ends after ")
                yield Input("", placeholder="never; or 4h", id="expires", compact=True)
            yield Label("Reason  [$muted](goes to the decision log)[/]")
            about = self._incident
            yield Input(f"INC-{about.id}: {about.title}" if about is not None else "", id="reason", compact=True)
            yield Label("", id="typed-label")
            yield Input("", id="typed", compact=True)
            yield Static(id="hint")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="no")
                yield Button("■ Pull", variant="error", id="yes", disabled=True)

    def on_mount(self) -> None:
        """Begin where the person has something to say."""
        self._draw()
        self.query_one("#mode").focus(scroll_visible=False)
        self.call_after_refresh(self.query_one("#box").scroll_home, animate=False)  # the facts are read first

    @property
    def chosen(self) -> Several:
        """What is chosen and typed."""
        mode = tuple(PULLS)[max(self.query_one("#mode", RadioSet).pressed_index, 0)]
        return Several(mode, self._text("share"), self._text("expires"), self._text("reason"), self._text("typed"))

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _draw(self) -> None:
        """Draw what the engine would do."""
        found, chosen = self._found, self.chosen
        self.query_one("#what", Static).update(Content.from_markup(what(found, chosen)))
        self.query_one("#facts", Told).tell("\n".join(fact(name, said) for name, said in facts(found, chosen)))
        models = self.query_one("#models", Models)
        models.show(foreseen(found), self.app.at())
        models.styles.max_height = len(found.items) + 2  # with its head, and a line for who reads
        said = f"Type [b]{safe(found.confirm)}[/] to confirm"
        self.query_one("#typed-label", Label).update(Content.from_markup(said))
        self._check()

    def _check(self) -> None:
        """Enable the button when all that is asked for is there, and say what is not."""
        if self._done:
            return
        hint, ready = self._hint(self.chosen)
        self._show("#share, #share-label", shown=self.chosen.mode == "throttle")
        self.query_one("#hint", Static).update(Content.from_markup(hint))
        button = self.query_one("#yes", Button)
        button.label, button.disabled = f"■ Pull {self._found.pull}", not ready

    def _show(self, which: str, *, shown: bool) -> None:
        for each in self.query(which):
            each.display = shown

    def _hint(self, chosen: Several) -> tuple[str, bool]:
        if self._sending:
            return "[$warning]… pulling[/]", False
        vague = unclear(chosen) or self._why_not
        if vague:
            return f"[b $error]✗ {safe(vague)}[/]", False
        if self._shown != asked(chosen, self._models):
            return "[$warning]… asking the engine what this would do[/]", False
        refused, missing = wrong(chosen, self._found)
        if refused or missing:
            return (f"[b $error]✗ {safe(refused)}[/]" if refused else f"[$warning]… {missing}[/]"), False
        if chosen.typed != self._found.confirm:
            return f"{self._told(chosen)}{typed_so_far(self._found.confirm, chosen.typed)}", False
        return f"{self._told(chosen)}[b $success]✓ ready[/] [$muted]ctrl+j, or the button[/]", True

    def _told(self, chosen: Several) -> str:
        """Return what became of what was sent before, as markup."""
        if self._refused:
            mark = "[b $warning]?" if self._attempts.unsure else "[b $error]✗"
            return f"{mark} {safe(self._refused)}[/]\n"
        doubt = self._attempts.doubt(self._words(chosen))
        return f"[b $warning]? {doubt}[/]\n" if doubt else ""

    def _words(self, chosen: Several) -> dict[str, Any]:
        return body(chosen, self._shown, self._found, self._incident.id if self._incident is not None else None)

    @on(Input.Changed)
    @on(RadioSet.Changed)
    def _changed(self) -> None:
        if not self._sending:
            self._refused = ""
        self._foresee_again()
        self._check()

    def _foresee_again(self) -> None:
        """Ask what would become of each where something else is chosen than was asked."""
        chosen = self.chosen
        question = asked(chosen, self._models)
        if self._done or self._sending or unclear(chosen) or question == self._question:
            return
        self._question, self._why_not = question, ""
        self._foresee(question)

    @work(thread=True, exclusive=True, group="foresee")
    def _foresee(self, question: Mapping[str, Any]) -> None:
        try:
            answer = self.Foreseen(question, self.app.client.foresee(question), "")
        except GovernanceError as error:
            answer = self.Foreseen(question, None, str(error))
        if not get_current_worker().is_cancelled:
            self.post_message(answer)

    @on(Foreseen)
    def _foreseen(self, message: Foreseen) -> None:
        if message.question != self._question or self._done or self._sending:
            return
        self._why_not = message.why_not
        if message.found is None:
            self._question = {}  # asked again at the next change
            self._check()
            return
        self._shown, self._found = message.question, message.found
        self._draw()

    @on(Button.Pressed, "#no")
    def action_cancel(self) -> None:
        """Close; after an act there is nothing to take back here."""
        self.dismiss(self._done)

    @on(Input.Submitted)
    def _onward(self, event: Input.Submitted) -> None:
        """Enter does it where all is there, else goes to what is missing."""
        if self.query_one("#yes", Button).disabled and event.input.id != "typed":
            self.set_focus(self.query_one("#typed" if self._text("reason") else "#reason"))
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
        sent, key = self._attempts.of(words, lambda: words)
        # A worker of the app: it is sent although this is closed at once.
        self.app.run_worker(partial(self._send, self.app, words, sent, key), thread=True, group="acts")

    def _send(self, app: GovApp, words: Mapping[str, Any], sent: Mapping[str, Any], key: str) -> None:
        try:
            answer = self.Answered(words, app.client.pull_together(sent, key=key), None)
        except GovernanceError as error:
            answer = self.Answered(words, None, error)
        if not self.post_message(answer):  # closed meanwhile: what became of it must be told all the same
            late_answer(app, "pulling several", answer.done.said if answer.done is not None else "", answer.error)

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
        else:
            self._question = {}  # what was refused may have been shown wrongly: it is asked again
            self._foresee_again()
        self._check()

    def _told_done(self, done: BatchView) -> None:
        self._done = True
        self._then()
        self.query_one("#box").border_subtitle = f"{done.batch}, entry {done.entry} of the decision log"
        self._show("#yes, #typed, #typed-label, #mode, #more, #facts, #what", shown=False)
        for each in self.query(Input):
            each.disabled = True
        self.query_one("#no", Button).label = "Close"
        self.query_one("#models", Models).remove()
        self.query_one("#box").mount(Became(id="became"), after="#what")
        self._draw_done(done)
        self.set_focus(None)  # a second Enter must not close what the first one brought
        self._watch(done)

    def _draw_done(self, done: BatchView) -> None:
        models = self.query_one("#became", Became)
        models.show(became(done), self.app.at())
        models.styles.height = min(len(done.items) + 2, MOST)
        self.query_one("#hint", Static).update(Content.from_markup(outcome(done)))

    @work(thread=True, exclusive=True, group="confirmations")
    def _watch(self, done: BatchView) -> None:
        """Follow the confirmations of the instances until all hold it, or nobody looks any more."""
        worker, pause = get_current_worker(), self.app.pause
        while not worker.is_cancelled:
            pause(0.5 + len(done.items) / EACH)
            try:
                now = self.app.client.batch(done.batch)
            except GovernanceError:
                continue
            if not worker.is_cancelled:
                self.post_message(self.Confirmed(now))
            if settled(now):
                return

    @on(Confirmed)
    def _confirmed(self, message: Confirmed) -> None:
        self._draw_done(message.done)
