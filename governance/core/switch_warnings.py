"""What should worry people about a kill switch, beside that it was pulled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from governance.core.switch import Scope, Switch

LONG = timedelta(hours=24)
"""A switch that is not live for longer is no answer to an incident any more, but how the model runs."""
OFTEN = 2
"""So many extensions in a row mean that it does not mend by itself."""


def warnings(switch: Switch, at: datetime) -> Iterator[str]:
    """Yield what should worry people about a switch as of an instant, as sentences."""
    for each in switch.settings:
        about = "" if each.scope == Scope() else f" ({each.scope})"
        if at - each.set_at > LONG:
            hours = (at - each.set_at) // timedelta(hours=1)
            yield f"not live{about} for {hours} h: mend the model, or take it out of service for good"
        if each.extended >= OFTEN:
            yield f"its end{about} was put off {each.extended} times, as its guards are not healthy"
