"""Words for notifications that nobody got."""

from __future__ import annotations

from collections.abc import Sequence

from governance.views.notifications import DeliveryView


def counted(count: int) -> str:
    """Return how many notifications there are in words."""
    return f"{count} notification{'' if count == 1 else 's'}"


def by_incident(found: Sequence[DeliveryView]) -> dict[int, list[DeliveryView]]:
    """Return notifications by the incident that they tell of; what tells of none is only known by its notifier."""
    numbers = dict.fromkeys(each.incident for each in found if each.incident)
    return {number: [each for each in found if each.incident == number] for number in numbers}


def refusal(found: Sequence[DeliveryView]) -> str:
    """Return why somebody may not have these tried again, "" where they may."""
    return next((each.may.because for each in found if each.may is not None and not each.may.allowed), "")


def whom(delivery: DeliveryView) -> str:
    """Return whom a notification was for."""
    return f"{delivery.notifier} to {', '.join(delivery.to)}" if delivery.to else delivery.notifier
