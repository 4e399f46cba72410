"""Words for notifications that nobody got."""

from __future__ import annotations

from collections.abc import Sequence

from governance.views.notifications import DeliveryView


def counted(count: int) -> str:
    """Return how many notifications there are in words."""
    return f"{count} notification{'' if count == 1 else 's'}"


def refusal(found: Sequence[DeliveryView]) -> str:
    """Return why somebody may not have these tried again, "" where they may."""
    return next((each.may.because for each in found if each.may is not None and not each.may.allowed), "")


def whom(delivery: DeliveryView) -> str:
    """Return whom a notification was for."""
    return f"{delivery.notifier} to {', '.join(delivery.to)}" if delivery.to else delivery.notifier
