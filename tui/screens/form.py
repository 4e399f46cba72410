"""One form for every act that needs words: what it will do, whether you may and why, the fields, and the outcome.

What was typed stays when the engine refuses; pressed twice it acts once.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, RadioButton, RadioSet, Static

from governance.client import Client
from governance.errors import GovernanceError, Unavailable, Unreached
from governance.views import MayView
from tui.form import Asked, Field, Said
from tui.sending import Attempts
from tui.text import safe

if TYPE_CHECKING:
    from tui.app import GovApp

UNSURE = "esc closes · what was sent may have happened"


class Choice(RadioButton):
    """A choice whose mark says whether it is taken, also without colour."""

    def watch_value(self) -> None:
        """Change the mark with the value."""
        self.BUTTON_INNER = "●" if self.value else "○"
        super().watch_value()

    def on_mount(self) -> None:
        """Begin with the right mark."""
        self.BUTTON_INNER = "●" if self.value else "○"


class Form(ModalScreen[bool]):
    """Asks, sends once, and says what came of it; gives whether it was done."""

    CSS_PATH = "form.tcss"
    BINDINGS = [Binding("escape", "cancel", "Cancel"), Binding("ctrl+j,ctrl+enter", "act", "Do it", show=False)]
    app: GovApp

    class Permitted(Message):
        """Whether the person may."""

        def __init__(self, may: MayView | None) -> None:
            super().__init__()
            self.may = may

    class Answered(Message):
        """What came of it."""

        def __init__(self, said: Said, done: str, error: GovernanceError | None = None) -> None:
            super().__init__()
            self.said, self.done, self.error = said, done, error

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self.asked, self.fields = asked, asked.fields
        self._attempts: Attempts[Said] = Attempts()
        self._sending = False
        self._may: MayView | None = None
        self._refused = ""

    def compose(self) -> ComposeResult:
        """Lay out what it does, the fields and the buttons."""
        asked = self.asked
        with VerticalScroll(id="box", classes="danger" if asked.danger else "", can_focus=False) as box:
            box.border_title, box.border_subtitle = safe(asked.title), f"esc cancels · {asked.sure}"
            yield Static(Content.from_markup(asked.about), id="about")
            yield Static("[$muted]… asking whether you may[/]", id="may")
            for each in self.fields:
                yield Label(Content.from_markup(_label(each)))
                if each.choices:
                    with RadioSet(id=f"field-{each.name}"):
                        for index, (value, word) in enumerate(each.choices):
                            yield Choice(safe(word), value=value == each.value, id=f"{each.name}-{index}")
                else:
                    yield Input(each.value, placeholder=each.hint, id=f"field-{each.name}", compact=True)
            if asked.typed:
                yield Label(f"Type [b]{safe(asked.typed)}[/] to confirm")
                yield Input("", id="typed", compact=True)
            yield Static(id="hint")
            with Horizontal(id="buttons"):
                yield Button("Cancel", id="no")
                yield Button(asked.button, variant="error" if asked.danger else "primary", id="yes", disabled=True)

    def on_mount(self) -> None:
        """Begin at the first field that has nothing in it, and ask whether the person may."""
        empty = next((each for each in self.fields if not each.value and not each.optional), None)
        first = empty or next(iter(self.fields), None)
        self.query_one(f"#field-{first.name}" if first else "#typed" if self.asked.typed else "#yes").focus()
        self.query_one("#may").display = bool(self.asked.act)
        if self.asked.act:
            self._ask(self.app.client)
        self._check()

    @work(thread=True, group="may")
    def _ask(self, client: Client) -> None:
        try:
            may = client.may(self.asked.model).get(self.asked.act)
        except GovernanceError:
            may = None  # the act itself asks again, and says why not
        if self.is_attached:
            self.post_message(self.Permitted(may))

    @on(Permitted)
    def _permitted(self, message: Form.Permitted) -> None:
        self._may = message.may
        said = "[$warning]? the engine does not say whether you may[/]"
        if message.may is not None:
            mark = "[$success]✓ you may:[/]" if message.may.allowed else "[b $error]✗[/]"
            said = f"{mark} {safe(message.may.because)}"
        self.query_one("#may", Static).update(Content.from_markup(said))
        self._check()

    def values(self) -> dict[str, str]:
        """Return what was said."""
        return {each.name: self._value(each) for each in self.fields}

    def _value(self, field: Field) -> str:
        if not field.choices:
            return self.query_one(f"#field-{field.name}", Input).value.strip()
        index = self.query_one(f"#field-{field.name}", RadioSet).pressed_index
        return field.choices[index][0] if index >= 0 else ""

    def _check(self) -> None:
        hint, ready = self._missing()
        self.query_one("#hint", Static).update(Content.from_markup(hint))
        self.query_one("#yes", Button).disabled = not ready or self._sending

    def _missing(self) -> tuple[str, bool]:
        if self._sending:
            return "[$warning]… sending[/]", False
        if self._may is not None and not self._may.allowed:
            return "[$muted]esc goes back[/]", False
        for each in self.fields:
            value = self._value(each)
            if not value and not each.optional:
                return f"[$warning]… {safe(each.label.lower())} is needed[/]", False
            wrong = each.wrong(value) if value else ""
            if wrong:
                return f"[b $error]✗ {safe(wrong)}[/]", False
        if self.asked.typed and self.query_one("#typed", Input).value != self.asked.typed:
            return typed_so_far(self.asked.typed, self.query_one("#typed", Input).value), False
        return f"{self._told()}[b $success]✓ ready[/] [$muted]enter, or the button[/]", True

    def _told(self) -> str:
        """Return what became of what was sent before, as markup."""
        if self._refused:
            mark = "[b $warning]?" if self._attempts.unsure else "[b $error]✗"
            return f"{mark} {safe(self._refused)}[/]\n"
        doubt = self._attempts.doubt(self.values())
        return f"[b $warning]? {doubt}[/]\n" if doubt else ""

    @on(Input.Changed)
    @on(RadioSet.Changed)
    def _changed(self) -> None:
        self._refused = ""
        self._check()

    @on(Input.Submitted)
    def _onward(self, event: Input.Submitted) -> None:
        """Enter does it where all is there, else goes to what is missing."""
        if self.query_one("#yes", Button).disabled and not self._sending:
            inputs = list(self.query(Input))
            after = inputs[inputs.index(event.input) + 1 :]
            self.set_focus(next((each for each in (*after, *inputs) if not each.value), event.input))
        else:
            self.action_act()

    @on(Button.Pressed, "#no")
    def action_cancel(self) -> None:
        """Close; nothing has been sent, or what was sent goes on."""
        self.dismiss(result=False)

    @on(Button.Pressed, "#yes")
    def action_act(self) -> None:
        """Send it, once however often it is pressed."""
        if self._sending or not self._missing()[1]:
            return
        self._sending = True
        self._check()
        said = self.values()
        body, key = self._attempts.of(said, lambda: {each.name: each.sends(said[each.name]) for each in self.fields})
        # A worker of the app: it is sent although the form is closed at once.
        self.app.run_worker(partial(self._send, self.app, said, body, key), thread=True, group="acts")

    def _send(self, app: GovApp, said: Said, body: Said, key: str) -> None:
        try:
            answer = self.Answered(said, self.asked.send(app.client, body, key))
        except GovernanceError as error:
            answer = self.Answered(said, "", error)
        if not self.post_message(answer):  # closed meanwhile: what became of it must be told all the same
            late_answer(app, self.asked.title, answer.done, answer.error)

    @on(Answered)
    def _answered(self, message: Form.Answered) -> None:
        self._sending = False
        self.app.feed.refresh()
        if message.error is None:
            self.app.say(message.done)
            self.dismiss(result=True)
            return
        self._refused = self._attempts.failed(message.said, message.error)
        if self._attempts.unsure:
            self.query_one("#box").border_subtitle = UNSURE
        self._check()


def late_answer(app: GovApp, title: str, done: str, error: GovernanceError | None) -> None:
    """Tell what became of what was sent by a form that was closed meanwhile; for threads."""
    if app.is_running:
        lost = isinstance(error, Unavailable) and not isinstance(error, Unreached)
        told = done if error is None else f"{title}: {'no answer: it may have happened; ' if lost else ''}{error}"
        app.call_from_thread(app.say, told, "information" if error is None else "error")


def typed_so_far(wanted: str, typed: str) -> str:
    """Return how much of a name is still to be typed, as markup."""
    if wanted.startswith(typed):
        left = len(wanted) - len(typed)
        return f"[$warning]… {left} more character{'s' if left > 1 else ''}[/]"
    return "[b $error]✗ does not match[/]"


def _label(field: Field) -> str:
    return f"{safe(field.label)}{'  [$muted](need not be said)[/]' if field.optional else ''}"
