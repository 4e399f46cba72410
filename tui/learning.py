"""What the palette asks of the engine while it is open: each thing once, in threads, beside what the person types."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from textual.worker import Worker

from governance.errors import GovernanceError
from governance.views import SilenceView, WaiverView
from governance.views.notifications import DeliveryView
from governance.views.runs import RunbookView, RunView

if TYPE_CHECKING:
    from tui.app import GovApp

RUNBOOKS, RUNS, WAIVERS, SILENCES = "runbooks", "runs of runbooks", "waivers", "silences"
UNDELIVERED = "notifications that nobody got"


class Learning:
    """Knows what was answered so far, and calls `again` when more is."""

    def __init__(self, app: GovApp, again: Callable[[], object]) -> None:
        self._app, self._client, self._again = app, app.client, again
        self._known: dict[str, Sequence[Any]] = {}
        self._asked: dict[str, Worker[None]] = {}
        self.failures: dict[str, str] = {}
        """Why something is not known, by what it is."""

    def begin(self) -> None:
        """Ask for what does not depend on what is typed."""
        client = self._client
        self._ask(RUNBOOKS, lambda: client.runbooks(""))
        self._ask(RUNS, client.runs)
        self._ask(WAIVERS, client.waivers)
        self._ask(SILENCES, client.silences)
        self._ask(UNDELIVERED, client.undelivered)

    def end(self) -> None:
        """Forget what is still under way."""
        for each in self._asked.values():
            each.cancel()

    @property
    def runbooks(self) -> Sequence[RunbookView]:
        """Every runbook, whichever models it is for."""
        return self._known.get(RUNBOOKS, ())

    @property
    def runs(self) -> Sequence[RunView]:
        """The runs that are open."""
        return self._known.get(RUNS, ())

    @property
    def waivers(self) -> Sequence[WaiverView]:
        """The waivers in force."""
        return self._known.get(WAIVERS, ())

    @property
    def silences(self) -> Sequence[SilenceView]:
        """The silences that hold."""
        return self._known.get(SILENCES, ())

    @property
    def undelivered(self) -> Sequence[DeliveryView]:
        """The notifications that were given up."""
        return self._known.get(UNDELIVERED, ())

    def of(self, model: str) -> Sequence[RunbookView] | None:
        """Return the runbooks as they are for a model, None while that is asked for."""
        self._ask(f"runbooks for {model}", lambda: self._client.runbooks(model))
        return self._known.get(f"runbooks for {model}")

    def _ask(self, name: str, question: Callable[[], Sequence[Any]]) -> None:
        if name not in self._asked:
            self._asked[name] = self._app.run_worker(self._learn(name, question), group="learning")

    async def _learn(self, name: str, question: Callable[[], Sequence[Any]]) -> None:
        try:
            self._known[name] = await asyncio.to_thread(question)
        except GovernanceError as error:
            self.failures[name] = str(error)
        self._again()
