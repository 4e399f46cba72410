"""Models that a person marks in the fleet, so that one act takes all of them out of service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui.screens.responding import Responding
from tui.widgets.fleet import Fleet

if TYPE_CHECKING:
    from tui.known import Snapshot
    from tui.screens.frame import Frame

    class _Base(Responding, Frame):
        """What it is mixed into."""
else:
    _Base = Responding


class Marking(_Base):
    """Marks by name: they stay while rows move, or are hidden by a filter."""

    marked: frozenset[str] = frozenset()
    _counted: tuple[object, int] = (None, 0)

    def mark(self, models: Iterable[str]) -> None:
        """Mark these models, and no others."""
        self.marked = frozenset(models)
        self.query_one(Fleet).mark(self.marked)
        self.paint()

    def marked_of(self, known: Snapshot) -> str:
        """Forget marks of models that are not governed any more; return how many there are, for the title."""
        if self.marked:
            left = self.marked & {row.model for row in known.fleet.items}
            if left != self.marked:
                self.marked = left
                self.query_one(Fleet).mark(left)
        return f" · [b $warning]{len(self.marked)} marked[/]" if self.marked else ""

    def action_mark(self) -> None:
        """Mark the model under the cursor, or take its mark away, and go on to the next."""
        if self.row is not None:
            self.mark(self.marked ^ {self.row.model})
            self.query_one(Fleet).action_move(1)

    def action_mark_shown(self) -> None:
        """Mark all that are shown, or take away their marks where all have one."""
        shown = set(self.shown)
        self.mark(self.marked - shown if shown <= self.marked else self.marked | shown)

    def action_pull(self) -> None:
        """Open the kill switches of the marked models; without marks that of the model under the cursor."""
        known = self.app.snapshot
        if not self.marked or known is None:
            super().action_pull()
            return
        models = [row.model for row in known.fleet.items if row.model in self.marked]
        # An incident is answered by the act where the person looks at it, and it is of one of the models.
        incident = self.incident if self.row is not None and self.row.model in self.marked else None
        self.app.switches(models, incident=incident, done=lambda: self.mark(()))

    @property
    def shown(self) -> list[str]:
        """The models that are shown and have a kill switch."""
        return [row.model for row in self.query_one(Fleet).rows if row.mode]

    @property
    def shown_count(self) -> int:
        """How many they are, counted once for a list: it is asked for with each key."""
        rows = self.query_one(Fleet).rows
        if rows is not self._counted[0]:
            self._counted = rows, len(self.shown)
        return self._counted[1]

    def action_pull_shown(self) -> None:
        """Open the kill switches of all models that are shown; what is marked stays so."""
        shown = self.shown
        if shown:
            self.app.switches(shown, incident=self.incident)

    async def action_back(self) -> None:
        """Go back one step: the filter closes before the marks go, as it may hide some of them."""
        if self.marked and not self.words and not self.query_one("#filter").has_class("open"):
            self.mark(())
        else:
            await super().action_back()
