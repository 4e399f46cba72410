"""The escalation of an incident as a bar: who was told, who is next with the time left, who comes later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from governance.views import EscalationView, IncidentView
from tui.known import span
from tui.text import head, safe

WIDTH = 46
_STATES = {"stopped": "stopped", "handed_over": "another system escalates"}


def ladder(incident: IncidentView, at: datetime, width: int = WIDTH) -> Iterator[str]:
    """Yield the levels: ✓ told, ▶ next with the time left, ○ later; and a line that fills until the next is told."""
    clock = incident.escalation
    if clock is None:
        return
    again = f" [$muted]round {clock.loop + 1} of {clock.loops + 1}[/]" if clock.loop else ""
    yield f"{head(f'Escalation · {safe(clock.policy)}')}{again}"
    yield "   ".join(filter(None, (_told(clock), _coming(clock, at), _later(clock))))
    if clock.next_at is not None and clock.since is not None and not clock.waits_for:
        yield _bar(clock.since, clock.next_at, at, width)
    yield ""


def _told(clock: EscalationView) -> str:
    if not clock.level:
        return ""
    return f"[$success]✓ L{clock.level}[/] {safe(', '.join(clock.told)) or 'notifiers'} [$muted]told[/]"


def _coming(clock: EscalationView, at: datetime) -> str:
    if clock.waits_for:
        return f"[$warning]waits: {safe(clock.waits_for)}[/]"
    if clock.next_at is not None:
        who = safe(", ".join(clock.next_to)) or "[b $error]nobody is there[/]"
        left = f"in {countdown(clock.next_at, at)}" if clock.next_at > at else "now"
        return f"[b $warning]▶ L{clock.level % clock.last_level + 1} {who} {left}[/]"
    if clock.comes_back_at is not None:
        return f"[$muted]comes back in {span(at, max(at, clock.comes_back_at))} unless worked on[/]"
    return f"[$muted]{_STATES.get(clock.state, 'everybody was told')}[/]"


def _later(clock: EscalationView) -> str:
    rest = range(clock.level + 2, clock.last_level + 1) if clock.next_at is not None else ()
    return "  ".join(f"[$muted]○ L{level}[/]" for level in rest)


def _bar(since: datetime, until: datetime, at: datetime, width: int) -> str:
    """Return how much of the time until the next level has passed."""
    whole = max((until - since).total_seconds(), 1.0)
    gone = round(width * min(max((at - since).total_seconds() / whole, 0.0), 1.0))
    return f"[$warning]{'━' * gone}[/][$border]{'─' * (width - gone)}[/]"


def countdown(until: datetime, at: datetime) -> str:
    """Return the time left as a clock that counts down: 06:12, 1:02:03."""
    seconds = max(int((until - at).total_seconds()), 0)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60:02}:{rest % 60:02}"
