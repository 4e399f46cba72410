"""How an incident's escalation is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from governance.cli.output import say, stamp
from governance.core.duration import in_words

if TYPE_CHECKING:
    from governance.views import EscalationView, LevelView


def print_escalation(view: EscalationView | None) -> None:
    """Print who was told, and who is next and when; nothing where there is no escalation."""
    if view is None:
        return
    say(f"  escalation {view.words}")
    if view.told:
        say(f"  told       {', '.join(view.told)}")
    if view.next_at is not None:
        say(f"  next       {', '.join(view.next_to) or 'nobody is there'} at {stamp(view.next_at)}")
    if view.comes_back_at is not None:
        say(f"  comes back {stamp(view.comes_back_at)} unless somebody works on it")
    for level in view.levels:
        if level.told_at is not None:
            say(f"  {'fallback' if level.fallback else f'level {level.level}':<10} {_told(level)}")


def _told(level: LevelView) -> str:
    """Return whom a level reached and whom not, and who answered after how long."""
    reached = ", ".join(each.who + (f" ({each.state}: {each.why})" if each.why else "") for each in level.reached)
    answered = ""
    if level.answered_at is not None and level.told_at is not None:
        answered = f"; {level.answered_by} acknowledged after {in_words(level.answered_at - level.told_at)}"
    return f"{stamp(level.told_at)} {reached or 'nobody'}{answered}"
