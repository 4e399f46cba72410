"""How an incident's escalation is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from governance.cli.output import say, stamp

if TYPE_CHECKING:
    from governance.views import EscalationView


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
