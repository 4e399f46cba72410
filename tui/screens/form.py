"""One form for every act that needs words: what it will do, whether you may and why, the fields, and the outcome.

What was typed stays when the engine refuses; pressed twice it acts once.
"""

from __future__ import annotations

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Label, RadioSet, Static

from governance.client import Client
from governance.errors import GovernanceError
from governance.views import MayView
from tui.form import Asked, Field
from tui.screens.acting import Acting, Intent, typed_so_far
from tui.text import safe
from tui.widgets.choice import Choice


class Form(Acting[str]):
    """Asks, sends once, and says what came of it; gives whether it was done."""

    CSS_PATH = "form.tcss"

    class Permitted(Message):
        """Whether the person may."""

        def __init__(self, may: MayView | None) -> None:
            super().__init__()
            self.may = may

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self.asked, self.fields = asked, asked.fields
        self._may: MayView | None = None

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
        self.check()

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
        self.check()

    def values(self) -> dict[str, str]:
        """Return what was said."""
        return {each.name: self._value(each) for each in self.fields}

    def _value(self, field: Field) -> str:
        if not field.choices:
            return self.query_one(f"#field-{field.name}", Input).value.strip()
        index = self.query_one(f"#field-{field.name}", RadioSet).pressed_index
        return field.choices[index][0] if index >= 0 else ""

    def check(self) -> None:
        """Say what is missing, and let it be done where nothing is."""
        hint, ready = self.ready()
        self.query_one("#hint", Static).update(Content.from_markup(hint))
        self.query_one("#yes", Button).disabled = not ready

    def ready(self) -> tuple[str, bool]:
        """Return what is missing, as markup, and whether nothing is."""
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
        return f"{self.told()}[b $success]✓ ready[/] [$muted]enter, or the button[/]", True

    @on(Input.Submitted)
    def _onward(self, event: Input.Submitted) -> None:
        """Enter does it where all is there, else goes to what is missing."""
        if self.query_one("#yes", Button).disabled and not self._sending:
            inputs = list(self.query(Input))
            after = inputs[inputs.index(event.input) + 1 :]
            self.set_focus(next((each for each in (*after, *inputs) if not each.value), event.input))
        else:
            self.action_act()

    def intent(self) -> Intent[str]:
        """Return what is sent now."""
        said, asked = self.values(), self.asked
        return Intent(
            asked.title, said, lambda: {each.name: each.sends(said[each.name]) for each in self.fields}, asked.send, str
        )

    def finished(self, done: str) -> None:
        """Say what was done, and close."""
        self.app.say(done)
        self.dismiss(result=True)


def _label(field: Field) -> str:
    return f"{safe(field.label)}{'  [$muted](need not be said)[/]' if field.optional else ''}"
