"""Questions and acts that go to the engine in a thread of their own: no key waits for an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from textual import work
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from governance.errors import GovernanceError
from tui.in_order import InOrder
from tui.screens.frame import Frame

SLOW = 0.5
"""Seconds after which is said that the engine has not yet answered a key."""
Severity = Literal["information", "warning", "error"]


class Answered(Message):
    """What came of something that was asked of the engine: a screen to open, or a sentence."""

    def __init__(self, about: str, screen: Screen[Any] | None, said: str, severity: Severity) -> None:
        """Carry the answer to what was asked `about`."""
        super().__init__()
        self.about, self.screen, self.said, self.severity = about, screen, said, severity


class Asking(InOrder):
    """An app that asks in threads, and says or opens what comes of it."""

    def __init__(self) -> None:
        super().__init__()
        self._under_way: dict[str, Timer] = {}
        self._opening: set[str] = set()

    @property
    def opens(self) -> bool:
        """Whether something was asked that may open a screen, and it is not yet said that this takes long."""
        return bool(self._opening)

    def acted(self) -> None:
        """Fetch the picture anew: an act may have changed it."""

    def posted(self, message: Any) -> None:
        """Take a message from a thread, unless the app has ended meanwhile."""
        if self.is_running:
            self.post_message(message)

    def ask(self, about: str, question: Callable[[], Screen[Any] | str], *, acts: bool = False) -> None:
        """Ask the engine in a thread, once however often a key is pressed, and say so where it takes long.

        Opens the screen or says the sentence that comes of it; the picture is fetched anew after what `acts`. Keys that
        are typed meanwhile are for the screen, and for nothing else.
        """
        if about in self._under_way:
            self._under_way[about].stop()
            self._say_slow(about)
            return
        self._under_way[about] = self.set_timer(SLOW, lambda: self._say_slow(about))
        self._opening.update(() if acts else (about,))
        self._ask(about, question, acts=acts)

    def _opens_not(self, about: str) -> None:
        """Let keys go to what is there, but for those that were typed for a screen that does not open now."""
        if about in self._opening:
            self._opening.discard(about)
            self.drop_keys()

    def _say_slow(self, about: str) -> None:
        self._opens_not(about)
        self.say(f"… {about}: no answer yet")

    @work(thread=True, group="acts")
    def _ask(self, about: str, question: Callable[[], Screen[Any] | str], *, acts: bool) -> None:
        severity: Severity = "information"
        screen: Screen[Any] | None = None
        try:
            found = question()
        except GovernanceError as error:
            said, severity = str(error), "error"
        else:
            said = found if isinstance(found, str) else ""
            screen = None if isinstance(found, str) else found
        self.posted(Answered(about, screen, said, severity))
        if acts:
            self.acted()

    def on_answered(self, message: Answered) -> None:
        """Say what came of it, or open the screen, unless the person has opened another modal one meanwhile."""
        self._under_way.pop(message.about).stop()
        if message.screen is None:
            self._opens_not(message.about)
            self.say(message.said, message.severity)
        elif isinstance(self.screen, Frame):
            self.push_screen(message.screen)
        self._opening.discard(message.about)

    def say(self, text: str, severity: Severity = "information") -> None:
        """Tell the person something; what went wrong stays longer."""
        self.notify(text, severity=severity, timeout=8 if severity == "error" else 4, markup=False)
