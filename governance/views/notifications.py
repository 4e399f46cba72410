"""Deliveries that wait or were given up, as they are shown."""

from __future__ import annotations

from datetime import datetime

from governance.core.effect import Effect
from governance.views.switches import MayView
from governance.views.view import View


class DeliveryView(View):
    """One delivery: what it tells, how often it was tried, what the other side said; `next_at` is its next try.

    `may` tells whether who looks may have it tried again, None where nobody asked.
    """

    key: str
    incident: int
    model: str
    notifier: str
    reason: str
    state: str
    attempts: int
    receipt: str
    at: datetime
    next_at: datetime | None
    text: str
    to: list[str] = []
    may: MayView | None = None


class RetriedView(View):
    """What is tried again, and the entry that says who wanted it."""

    deliveries: list[DeliveryView]
    entry: int


def delivery_view(effect: Effect) -> DeliveryView:
    """Return a delivery as it is shown."""
    message = effect.message
    return DeliveryView(
        key=effect.key,
        incident=effect.incident,
        model=message.model,
        notifier=effect.notifier,
        reason=message.reason,
        state=effect.state,
        attempts=effect.attempts,
        receipt=effect.receipt,
        at=message.at,
        next_at=effect.next_at,
        text=message.title,
        to=[each.person for each in effect.to],
    )
