"""What nobody got of an incident, and how it is tried again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from governance.views.notifications import DeliveryView
from tui.text import HANG, head, safe
from tui.unheard import refusal, whom


def undelivered(found: Sequence[DeliveryView] | None) -> Iterator[str]:
    """Yield each notification that was given up, with what the other side said, and the key that tries again."""
    if not found:
        return
    yield head("Not delivered")
    for each in found:
        tries = f"{each.attempts} time{'' if each.attempts == 1 else 's'}"
        yield f"[b $error]✗[/] {HANG}[b]{safe(whom(each))}[/] {safe(each.receipt)} [$muted]given up after {tries}[/]"
    why_not = refusal(found)
    yield f"[$muted]{safe(why_not)}[/]" if why_not else "→ [b]T[/] tries again"
    yield ""
