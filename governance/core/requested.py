"""What files ask for that is no policy: it is about notifications, and over by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from governance.core.metric import Labels


@dataclass(frozen=True, slots=True)
class WrittenSilence:
    """A silence that a file asks for; `key` names what it says. An empty `model` or `rule` is all of them."""

    key: str
    model: str
    rule: str
    labels: Labels
    because: str
    by: str
    since: datetime
    until: datetime
