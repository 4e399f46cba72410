"""A modal that acts: it sends the same words once, under one key, and tells what came of it though it is closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from textual import on
from textual.binding import Binding
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, RadioSet

from governance.client import Client
from governance.errors import GovernanceError, Unavailable, Unreached
from tui.sending import Attempts
from tui.text import safe

if TYPE_CHECKING:
    from tui.app import GovApp

Done = TypeVar("Done")
UNSURE = "esc closes · what was sent may have happened"


@dataclass(frozen=True, slots=True)
class Intent(Generic[Done]):
    """What is about to be sent: `body` is made once for the same `words`, which are what was chosen and typed.

    `title` and `told` say what it was and what came of it, for whoever closed the modal meanwhile.
    """

    title: str
    words: Mapping[str, Any]
    body: Callable[[], Mapping[str, Any]]
    send: Callable[[Client, Mapping[str, Any], str], Done]
    told: Callable[[Done], str]


class Acting(ModalScreen[bool], Generic[Done]):
    """Sends its `intent` when it is told to and `ready`; gives whether it was done."""

    BINDINGS = [Binding("escape", "cancel", "Cancel"), Binding("ctrl+j,ctrl+enter", "act", "Do it", show=False)]
    app: GovApp

    class Answered(Message):
        """What came of what was sent."""

        def __init__(self, sent: Mapping[str, Any], done: Any, error: GovernanceError | None = None) -> None:
            super().__init__()
            self.sent, self.done, self.error = sent, done, error

    def __init__(self) -> None:
        super().__init__()
        self._attempts: Attempts[Mapping[str, Any]] = Attempts()
        self._sending, self._done, self._refused = False, False, ""

    def intent(self) -> Intent[Done]:
        """Return what is sent now."""
        raise NotImplementedError

    def ready(self) -> tuple[str, bool]:
        """Return what is missing, as markup, and whether nothing is."""
        raise NotImplementedError

    def check(self) -> None:
        """Say what is missing, and let it be done where nothing is."""
        raise NotImplementedError

    def finished(self, done: Done) -> None:
        """Say what was done."""
        raise NotImplementedError

    def refused(self) -> None:
        """Look anew at what the engine would do, as it does not do this."""

    def changed(self) -> None:
        """Look at what is chosen and typed now."""
        self.check()

    def told(self) -> str:
        """Return what became of what was sent before, as markup."""
        if self._refused:
            mark = "[b $warning]?" if self._attempts.unsure else "[b $error]✗"
            return f"{mark} {safe(self._refused)}[/]\n"
        doubt = self._attempts.doubt(self.intent().words)
        return f"[b $warning]? {doubt}[/]\n" if doubt else ""

    @on(Input.Changed)
    @on(RadioSet.Changed)
    def _changed(self) -> None:
        if not self._sending:
            self._refused = ""
        self.changed()

    @on(Button.Pressed, "#no")
    def action_cancel(self) -> None:
        """Close: what was sent goes on, and after an act there is nothing to take back here."""
        self.dismiss(self._done)

    @on(Button.Pressed, "#yes")
    def action_act(self) -> None:
        """Do it, once however often it is pressed."""
        if self._done or self._sending or not self.ready()[1]:
            return
        self._sending = True
        self.check()
        intent = self.intent()
        body, key = self._attempts.of(intent.words, intent.body)
        # A worker of the app: it is sent although this is closed at once.
        self.app.run_worker(partial(self._send, self.app, intent, body, key), thread=True, group="acts")

    def _send(self, app: GovApp, intent: Intent[Done], body: Mapping[str, Any], key: str) -> None:
        try:
            answer = self.Answered(intent.words, intent.send(app.client, body, key))
        except GovernanceError as error:
            answer = self.Answered(intent.words, None, error)
        if not self.post_message(answer):  # closed meanwhile: what became of it must be told all the same
            _late(app, intent, answer)

    @on(Answered)
    def _answered(self, message: Answered) -> None:
        self._sending = False
        self.app.feed.refresh()
        if message.error is None:
            self.finished(message.done)
            return
        self._refused = self._attempts.failed(message.sent, message.error)
        if self._attempts.unsure:
            self.query_one("#box").border_subtitle = UNSURE
        else:
            self.refused()
        self.check()


def _late(app: GovApp, intent: Intent[Done], answer: Acting.Answered) -> None:
    """Tell what became of what was sent by a modal that was closed meanwhile; for threads."""
    if not app.is_running:
        return
    error = answer.error
    lost = isinstance(error, Unavailable) and not isinstance(error, Unreached)
    unsure = "no answer: it may have happened; " if lost else ""
    told = intent.told(answer.done) if error is None else f"{intent.title}: {unsure}{error}"
    app.call_from_thread(app.say, told, "information" if error is None else "error")


def typed_so_far(wanted: str, typed: str) -> str:
    """Return how much of a name is still to be typed, as markup."""
    if wanted.startswith(typed):
        left = len(wanted) - len(typed)
        return f"[$warning]… {left} more character{'s' if left > 1 else ''}[/]"
    return "[b $error]✗ does not match[/]"
