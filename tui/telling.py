"""Having notifications tried again that nobody got: what is asked and sent; nothing here draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from governance.client import Client
from governance.views.notifications import DeliveryView
from tui.acts import WHY
from tui.form import Asked, Said
from tui.text import safe
from tui.unheard import counted, whom

SHOWN = 6
"""Notifications that a form lists."""


def of_incident(number: int, found: Sequence[DeliveryView]) -> Asked:
    """Have all of an incident tried again that was given up."""
    return _again(f"Tell again of INC-{number}", {"incident": number}, found)


def of_notifier(notifier: str, found: Sequence[DeliveryView]) -> Asked:
    """Have all of a notifier tried again that was given up, as it was mended."""
    return _again(f"Tell again by {notifier}", {"notifier": notifier}, found)


def _again(title: str, which: dict[str, object], found: Sequence[DeliveryView]) -> Asked:
    def send(client: Client, said: Said, key: str) -> str:
        because = {"because": said["because"]} if said["because"] else {}
        done = client.retry_notifications({**which, **because}, key=key)
        return f"{counted(len(done.deliveries))} will be tried again, at once"

    about = "\n".join([*_listed(found), "each is tried again at once; what one already got comes no second time"])
    models = {each.model for each in found}
    model = models.pop() if len(models) == 1 else ""
    return Asked(title, about, "Try again", send, "notification.retry", model, fields=(WHY,))


def _listed(found: Sequence[DeliveryView]) -> Iterator[str]:
    for each in found[:SHOWN]:
        yield f"[b $error]✗[/] [b]{safe(whom(each))}[/] {safe(each.text)} [$muted]{safe(each.receipt)}[/]"
    if len(found) > SHOWN:
        yield f"  [$muted]and {len(found) - SHOWN} more[/]"
