"""The modal of several kill switches: each model in a list, the facts summed, the reason, what is typed, the outcome.

What the engine would do is asked anew with each choice; what is sent is what was shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.message import Message
from textual.worker import get_current_worker

from governance.client import Client
from governance.errors import GovernanceError
from governance.views import IncidentView
from governance.views.batches import BatchForeseenView, BatchView
from tui.screens.acting import Intent, typed_so_far
from tui.screens.kill_switch import KillSwitchModal, amiss
from tui.several import Several, asked, body, unclear, wrong
from tui.text import fact
from tui.widgets.batch import Became, Models, became, facts, foreseen, outcome, settled, what
from tui.widgets.told import Told

MOST = 20
"""Lines of the list after the act."""
EACH = 2000
"""Models for which one more second passes between two looks at who confirmed."""


class BatchModal(KillSwitchModal[BatchView]):
    """Pull several switches."""

    CSS_PATH = ["kill_switch.tcss", "batch.tcss"]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (34, "-high")]

    class Foreseen(Message):
        """What would become of each, as an answer to what was asked; or why that is not known."""

        def __init__(self, question: Mapping[str, Any], found: BatchForeseenView | None, why_not: str) -> None:
            super().__init__()
            self.question, self.found, self.why_not = question, found, why_not

    def __init__(
        self,
        models: Sequence[str],
        found: BatchForeseenView,
        *,
        incident: IncidentView | None,
        done: Callable[[], object],
    ) -> None:
        super().__init__("Pull kill switches", f"INC-{incident.id}: {incident.title}" if incident is not None else "")
        self._models, self._found, self._incident, self._then = models, found, incident, done
        self._question: Mapping[str, Any] = asked(Several(), models)
        self._shown: Mapping[str, Any] = self._question
        self._why_not = ""

    def facts(self) -> ComposeResult:
        """Lay out the facts and the list."""
        yield Told(id="facts")
        yield Models(id="models")

    def choices(self) -> ComposeResult:
        """Lay out what can be chosen."""
        return self.pulling()

    def on_mount(self) -> None:
        """Begin where the person has something to say."""
        self._draw()
        self.query_one("#mode").focus(scroll_visible=False)
        self.call_after_refresh(self.query_one("#box").scroll_home, animate=False)  # the facts are read first

    @property
    def chosen(self) -> Several:
        """What is chosen and typed."""
        return Several(self.mode, *(self.text(each) for each in ("share", "expires", "reason", "typed")))

    @property
    def wanted(self) -> str:
        """What must be typed."""
        return self._found.confirm

    @property
    def verbs(self) -> tuple[str, str]:
        """How the act is called on its button, and while it is sent."""
        return f"Pull {self._found.pull}", "pulling"

    def _draw(self) -> None:
        """Draw what the engine would do."""
        found, chosen = self._found, self.chosen
        self.write("#what", what(found, chosen))
        self.query_one("#facts", Told).tell("\n".join(fact(name, said) for name, said in facts(found, chosen)))
        models = self.query_one("#models", Models)
        models.show(foreseen(found), self.app.at())
        models.styles.max_height = len(found.items) + 2  # with its head, and a line for who reads
        self.check()

    def check(self) -> None:
        """Enable the button when all that is asked for is there, and say what is not."""
        self.show("#share, #share-label", shown=self.mode == "throttle")
        super().check()

    def lacking(self) -> str:
        """Return what is amiss or missing, as markup, "" where nothing is."""
        chosen = self.chosen
        vague = unclear(chosen) or self._why_not
        if vague:
            return amiss(vague)
        if self._shown != asked(chosen, self._models):
            return amiss("", "asking the engine what this would do")
        refused, missing = wrong(chosen, self._found)
        if refused or missing:
            return amiss(refused, missing)
        return f"{self.told()}{typed_so_far(self.wanted, chosen.typed)}" if chosen.typed != self.wanted else ""

    def onward(self, at: str) -> str:
        """Return what enter goes to while something is missing."""
        return "" if at == "typed" else "#typed" if self.text("reason") else "#reason"

    def intent(self) -> Intent[BatchView]:
        """Return what is sent now."""
        incident = self._incident.id if self._incident is not None else None
        words = body(self.chosen, self._shown, self._found, incident)

        def send(client: Client, sent: Mapping[str, Any], key: str) -> BatchView:
            return client.pull_together(sent, key=key)

        return Intent("pulling several", words, lambda: words, send, lambda done: done.said)

    def refused(self) -> None:
        """Ask again: what was refused may have been shown wrongly."""
        self._question = {}
        self._foresee_again()

    def changed(self) -> None:
        """Ask what would become of each where something else is chosen than was asked."""
        self._foresee_again()
        self.check()

    def _foresee_again(self) -> None:
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
            self.check()
            return
        self._shown, self._found = message.question, message.found
        self._draw()

    def finished(self, done: BatchView) -> None:
        """Say what became of each in the place of what would become of it."""
        self._then()
        self.show("#mode, #more, #facts, #what", shown=False)
        self.query_one("#models", Models).remove()
        self.query_one("#box").mount(Became(id="became"), after="#what")
        self._list(done)
        super().finished(done)

    def _list(self, done: BatchView) -> None:
        models = self.query_one("#became", Became)
        models.show(became(done), self.app.at())
        models.styles.height = min(len(done.items) + 2, MOST)

    def entry(self, done: BatchView) -> str:
        """Return where it stands in the decision log."""
        return f"{done.batch}, entry {done.entry}"

    def outcome(self, done: BatchView, *, last: bool) -> str:
        """Return what became of all of them, as markup."""
        del last
        return outcome(done)

    def pause(self, done: BatchView) -> float:
        """Return how many seconds pass between two looks at who confirmed: of many it takes long."""
        return 0.5 + len(done.items) / EACH

    def look(self, client: Client, done: BatchView) -> tuple[BatchView, bool]:
        """Ask who confirmed by now, and tell whether it is settled; runs in a thread."""
        now = client.batch(done.batch)
        return now, settled(now)

    def confirmed(self, done: BatchView, *, last: bool) -> None:
        """Say who holds which by now."""
        self._list(done)
        super().confirmed(done, last=last)
