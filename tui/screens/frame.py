"""What all screens but the modal ones are made of: head, views, banner, filter, the body of each, and keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual._path import CSSPathType
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input

from governance.client import Client
from governance.errors import GovernanceError, Unavailable
from tui.keys import GROUPS, Key, action, bindings, keys_of
from tui.situation import Situation
from tui.widgets.banner import Banner
from tui.widgets.header import Header
from tui.widgets.keys import KeyLine, Shown
from tui.widgets.tabs import Tabs

if TYPE_CHECKING:
    from tui.app import GovApp


class Loaded(Message):
    """What a screen asked the engine for, or why it could not be had; `of` is the question it answers."""

    def __init__(self, found: Any, why_not: str, of: object) -> None:
        """Carry the answer."""
        super().__init__()
        self.found, self.why_not, self.of = found, why_not, of


class Frame(Screen[None]):
    """A screen that the app keeps fresh: `paint` draws what is known, `load` asks for more in a thread."""

    CSS_PATH: ClassVar[CSSPathType | None] = "frame.tcss"
    VIEW: ClassVar[str] = ""
    """Which of the views it is, or belongs to."""
    KEYS: ClassVar[tuple[str, ...]] = ()
    """The groups of keys that live here."""
    WORDS: ClassVar[str] = "words that a line must have, field:value; escape clears"
    app: GovApp

    def __init_subclass__(cls, **more: Any) -> None:
        """Bind the keys of the groups that live here; those of lists are bound by the list."""
        cls.BINDINGS = bindings(*(each for each in cls.KEYS if each != "list"), "app")
        super().__init_subclass__(**more)

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.found: Any = None
        self.why_not = ""
        self.loaded_at: datetime | None = None
        self._loading = self._again = False
        self._drawn: object = None

    def compose(self) -> ComposeResult:
        """Lay out what all screens have around the body."""
        yield Header(id="header")
        yield Tabs(id="tabs")
        yield Banner(id="banner")
        yield Input(placeholder=self.WORDS, id="filter", compact=True)
        with Container(id="body"):
            yield from self.body()
        yield KeyLine(id="keys")

    def body(self) -> ComposeResult:
        """Lay out what this screen is about."""
        yield from ()

    def load(self, client: Client) -> Any:
        """Ask the engine for what only this screen shows; runs in a thread. None: nothing."""
        del client

    def draw(self, at: datetime) -> None:
        """Draw what is known, as of an instant."""

    def here(self) -> Situation:
        """Return what is under the cursor."""
        return self.situation()

    def situation(self, **more: Any) -> Situation:
        """Return what holds on every screen, with what this one adds."""
        app = self.app
        me = app.snapshot.who.actor if app.snapshot is not None else ""
        return Situation(me=me, looks_only=app.looks_only, offline=app.offline is not None, **more)

    def on_mount(self) -> None:
        """Begin; what there is to draw is drawn when the screen is seen, which follows."""
        self.begun()

    def begun(self) -> None:
        """Do what a screen does once it is laid out."""

    def on_screen_resume(self) -> None:
        """Ask for what it shows, and draw what is known as soon as it is laid out."""
        self.reload()
        self.call_next(self.paint)

    def on_resize(self) -> None:
        """Fit the lines at the top and the foot to the new width."""
        self._drawn = None
        self.call_after_refresh(self.paint)

    def paint(self) -> None:
        """Draw what the app knows now."""
        if not self.query(KeyLine):  # not laid out yet, or taken down
            return
        app, at = self.app, self.app.at()
        self.query_one(Header).show(app.snapshot, app.offline, app.heard, at)
        self.query_one(Tabs).show(app.snapshot, self.VIEW)
        self.query_one(Banner).show(app.snapshot, app.offline, app.paused, at)
        self.query_one("#body").set_class(app.offline is not None and app.fades, "stale")
        self.draw(at)
        self.keys_changed()

    def keys_changed(self) -> None:
        """Draw the keys anew where something else is under the cursor."""
        now = self.here()
        if now != self._drawn:
            self._drawn = now
            live = ((self.app.written(name, key), key) for name, key in self.live_keys() if key.label)
            shown = [Shown(written, action(key), key.label, not key.off(now)) for written, key in live]
            self.query_one(KeyLine).show(shown)

    def live_keys(self) -> Iterator[tuple[str, Key]]:
        """Yield the keys that live here, those of this screen before those of the app."""
        return keys_of((*self.KEYS, "app"))

    def why_off(self, act: str) -> str:
        """Return why an act does nothing now, "" when it does something."""
        groups = (*self.KEYS, "app")
        found = next((key for group in groups for key in GROUPS[group] if key.act == act), None)
        return found.off(self.here()) if found is not None else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Switch off what cannot be done now."""
        del parameters
        return None if self.is_mounted and self.why_off(action) else True

    def reload(self) -> None:
        """Ask the engine anew, unless that is under way: then once more after it."""
        if type(self).load is Frame.load:
            return
        if self._loading:
            self._again = True
            return
        self._loading = True
        self._load(self.question(), self.app.client)

    def question(self) -> object:
        """Return what the next load is about: an answer to another question is thrown away."""
        return None

    @work(thread=True, group="load")
    def _load(self, of: object, client: Client) -> None:
        try:
            found, why_not = self.load(client), ""
        except Unavailable as error:
            found, why_not = None, str(error)
        except GovernanceError as error:
            found, why_not = None, str(error)
        if self.is_attached:
            self.post_message(Loaded(found, why_not, of))

    @on(Loaded)
    def _take(self, message: Loaded) -> None:
        self._loading = False
        if message.of == self.question():
            self.why_not = message.why_not
            if not message.why_not:
                self.found, self.loaded_at = message.found, self.app.at()
            self.paint()
        else:
            self._again = True
        if self._again:
            self._again = False
            self.reload()

    async def action_back(self) -> None:
        """Go back one step: the filter closes before the screen does."""
        if self.words or self.query_one("#filter").has_class("open"):
            self.filtered("")
            self.query_one("#filter", Input).value = ""
            self.query_one("#filter").remove_class("open")
            self.at_rest()
        else:
            await self.app.action_back()

    def action_filter(self) -> None:
        """Type words that a line must have."""
        field = self.query_one("#filter", Input)
        field.add_class("open")
        self.set_focus(field)  # at once: what is typed next must not meet the keys of the list

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        self.filtered(event.value)

    @on(Input.Submitted, "#filter")
    def _typed_all(self) -> None:
        self.at_rest()

    def filtered(self, words: str) -> None:
        """Show only what has these words."""
        self.words = words
        self.paint()

    def at_rest(self) -> None:
        """Put the focus where the arrows move the cursor."""

    def copied(self) -> str:
        """Return what `y` copies, "" when nothing is under the cursor."""
        return ""
