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
        for gap, room in ((3, "wide"), (2, "narrow"), (1, "least")):
            words = _words(snapshot, here, room)
            if width(words, gap) <= self.room:
                break
        self.tell(words, gap)


def _words(snapshot: Snapshot | None, here: str, room: str) -> list[Word]:
    """Return the views; where there is the least room, the digits alone and the word of the one that one is in."""
    found = []
    for digit, (view, long, short) in enumerate(VIEWS, 1):
        word = long if room == "wide" else short if room == "narrow" or view == here else ""
        found.append(_tab(digit, view, word, _count(snapshot, view), chosen=view == here))
    return found


def _tab(digit: int, view: str, word: str, count: str, *, chosen: bool) -> Word:
    said = f"[b u $primary]{digit} {word}[/]" if chosen else f"[$muted]{digit}[/]{' ' * bool(word)}{word}"
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
