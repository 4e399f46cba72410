"""The line of views below the head, with how many incidents are open and how much waits for a second person."""

from __future__ import annotations

from textual.content import Content

from tui.known import Snapshot
from tui.widgets.line import Line, Word, width

VIEWS: tuple[tuple[str, str, str], ...] = (
    ("fleet", "Fleet", "Fleet"),
    ("incidents", "Incidents", "Incid."),
    ("runs", "Runbooks", "Runs"),
    ("approvals", "Approvals", "Appr."),
    ("policies", "Policies", "Policies"),
    ("log", "Decision log", "Log"),
    ("on_call", "On-call", "On-call"),
)
"""The views in the order of their digits: the name, and how it is written where there is room and where not."""


class Tabs(Line):
    """Shows the views; a click goes to one."""

    def show(self, snapshot: Snapshot | None, here: str) -> None:
        """Draw anew, with the view that one is in marked."""
        for gap, wide in ((3, True), (2, False)):
            words = _words(snapshot, here, wide=wide)
            if width(words, gap) <= self.room:
                break
        self.tell(words, gap)


def _words(snapshot: Snapshot | None, here: str, *, wide: bool) -> list[Word]:
    return [
        _tab(digit, view, long if wide else short, _count(snapshot, view), chosen=view == here)
        for digit, (view, long, short) in enumerate(VIEWS, 1)
    ]


def _tab(digit: int, view: str, word: str, count: str, *, chosen: bool) -> Word:
    said = f"[b u $primary]{digit} {word}[/]" if chosen else f"[$muted]{digit}[/] {word}"
    return Word(Content.from_markup(f"{said}{count}"), f"app.view('{view}')")


def _count(snapshot: Snapshot | None, view: str) -> str:
    """Return how much there is to do in a view, as markup."""
    if snapshot is None:
        return ""
    if view == "incidents" and snapshot.incidents:
        worst = any(each.severity == "critical" for each in snapshot.incidents.values())
        return f" [b {'$error' if worst else '$warning'}]{len(snapshot.incidents)}[/]"
    if view == "approvals" and snapshot.approvals:
        return f" [b $warning]{len(snapshot.approvals)}[/]"
    return ""
