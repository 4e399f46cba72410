"""The amber line while the engine is not reached, and the quiet one while the picture is held still."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content
from textual.widgets import Static

from tui.known import Offline, Snapshot, span
from tui.text import safe

LOW = 16
"""Lines of a terminal below which the banner leaves room for what it is about."""


class Banner(Static):
    """Says since when what is seen may be old, and what still works."""

    def show(self, known: Snapshot | None, offline: Offline | None, paused: datetime | None, at: datetime) -> None:
        """Draw anew as of an instant; nothing is shown while all is well."""
        self.display = offline is not None or paused is not None
        if offline is not None:
            said = _lost(known, offline, at) if self.app.size.height >= LOW else _briefly(known, at)
            self.update(Content.from_markup(said))
        elif paused is not None:
            held = f"[b $warning]‖ paused[/] showing the state of {span(paused, at)} ago; [b]p[/] goes on"
            self.update(Content.from_markup(held))


def _lost(known: Snapshot | None, offline: Offline, at: datetime) -> str:
    state = f"showing the state of {span(known.fleet.as_of, at)} ago" if known is not None else "nothing is known yet"
    model = next((row.model for row in known.fleet.items if row.mode), "MODEL") if known is not None else "MODEL"
    shell = f"On the engine's machine: [b]gov switch pull {safe(model)}[/], engine dead: [b]--offline[/]"
    return f"[b $warning]✗ {safe(offline.why)}[/]; {state}. Actions are off. {shell} [$muted](r retries now)[/]"


def _briefly(known: Snapshot | None, at: datetime) -> str:
    state = f"state of {span(known.fleet.as_of, at)} ago" if known is not None else "nothing is known yet"
    return f"[b $warning]✗ no engine is reached[/]; {state}; actions are off"
