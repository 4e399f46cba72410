"""What waits for a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from governance.views import ApprovalView
from tui import acts
from tui.filtering import Sieve, parsed
from tui.known import brief
from tui.screens.frame import Frame
from tui.situation import Situation
from tui.text import fact, safe
from tui.widgets.columns import Column
from tui.widgets.ruling import consent
from tui.widgets.table import Table
from tui.widgets.told import Told

FIELDS = ("id", "kind", "model", "by", "may")
KINDS = {
    "switch.restore": "restore",
    "waiver": "waiver",
    "policy.apply": "policies",
    "runbook.approve": "runbook step",
}
"""How a kind of approval is written; others by their own name."""


class Waiting(Table[ApprovalView]):
    """One line per approval, what was asked first at the top."""

    COLUMNS = (
        Column("ID", 7, most=10),
        Column("KIND", 8, most=14),
        Column("MODEL", 8, most=28),
        Column("WHAT", 20, grows=True),
        Column("ASKED BY", 8, most=16),
        Column("AGO", 5, ">"),
        Column("LEFT", 5, ">"),
    )
    DROPPED = (1, 4, 6)

    def name_of(self, row: ApprovalView) -> str:
        """Return the id."""
        return row.id

    def cells(self, row: ApprovalView, at: datetime) -> list[tuple[str, str]]:
        """Return what stands in the line of an approval."""
        left = brief(at, row.expires_at) if row.expires_at is not None else "–"
        return [
            (row.id, "info"),
            (KINDS.get(row.kind, row.kind), "dim"),
            (row.model or "all models", "strong"),
            (row.text, ""),
            (row.requested_by, "dim"),
            (brief(row.requested_at, at), "dim"),
            (left, "warning" if row.expires_at is not None else "dim"),
        ]


class Approvals(Frame):
    """The acts that wait for somebody else's consent, oldest first."""

    CSS_PATH = ["frame.tcss", "approvals.tcss"]
    VIEW = "approvals"
    KEYS = ("approval", "filter", "list")
    WORDS = f"words, or {' '.join(f'{each}:' for each in FIELDS)}; escape clears"

    def __init__(self) -> None:
        super().__init__()
        self._sieve: Sieve[ApprovalView] = Sieve()
        self._wanted = ""

    def body(self) -> ComposeResult:
        """Lay out the list and what is chosen."""
        yield Static("nothing waits for a second person", id="none")
        yield Waiting(id="list", classes="list")
        with VerticalScroll(id="chosen", can_focus=False):
            yield Told(id="told")

    def begun(self) -> None:
        """Begin in the list."""
        self.query_one("#list").border_title = "Approvals"
        self.query_one("#chosen").border_title = "What would happen"
        self.at_rest()

    def at_rest(self) -> None:
        """Put the focus on the list."""
        self.query_one(Waiting).focus()

    @property
    def chosen(self) -> ApprovalView | None:
        """The approval under the cursor."""
        return self.query_one(Waiting).selected

    def here(self) -> Situation:
        """Return the approval under the cursor."""
        return self.situation(approval=self.chosen)

    def draw(self, at: datetime) -> None:
        """Draw what waits now."""
        known = self.app.snapshot
        waiting: Sequence[ApprovalView] = known.approvals if known is not None else ()
        shown = self._sieve.kept(waiting, parsed(self.words, FIELDS), lambda each: each.id, _fields)
        self.query_one(Waiting).show(shown, at)
        self._point(waiting)
        for each in ("#list", "#chosen"):
            self.query_one(each).display = bool(waiting)
        self.query_one("#none").display = not waiting

    def point_at(self, name: str) -> None:
        """Put the cursor on an approval as soon as it is drawn."""
        self._wanted = name
        self.words = ""
        self.app.paint()

    def _point(self, waiting: Sequence[ApprovalView]) -> None:
        if not self._wanted or self.app.snapshot is None:
            return
        name, self._wanted = self._wanted, ""
        if any(each.id == name for each in waiting):
            self.query_one(Waiting).select(name)
        else:
            self.app.say(f"{name} does not wait for anybody any more; the decision log (6) tells what became of it")

    @on(Waiting.Selected)
    def _selected(self) -> None:
        if self.chosen is not None:
            self.query_one("#told", Told).tell(told(self.chosen, self.app.at()))
        self.keys_changed()

    def action_approve(self) -> None:
        """Be the second person."""
        if self.chosen is not None:
            self.app.approve(self.chosen)

    def action_refuse(self) -> None:
        """Refuse, with a reason."""
        if self.chosen is not None:
            self.app.open_form(acts.refusing(self.chosen))

    def copied(self) -> str:
        """Return the approval in a line."""
        return f"{self.chosen.id} {self.chosen.model}: {self.chosen.text}" if self.chosen is not None else ""


def told(approval: ApprovalView, at: datetime) -> str:
    """Return all that is known of an approval, as markup."""
    lines = [
        f"[b]{safe(approval.id)}[/] {safe(approval.model or 'all models')}",
        safe(approval.text),
        "",
        *consent(approval, at),
    ]
    if approval.seq is not None:
        lines.append(fact("bound to", f"change {approval.seq} of the switch: another one in between makes it void"))
    return "\n".join(lines)


def _fields(row: ApprovalView) -> dict[str, object]:
    kind = f"{row.kind} {KINDS.get(row.kind, '')}"
    may = " ".join(row.who_may)
    return {"id": row.id, "kind": kind, "model": row.model, "by": row.requested_by, "may": may, "text": row.text}
