"""Who asks, as it is shown."""

from __future__ import annotations

from datetime import datetime

from governance.views.switches import MayView
from governance.views.view import View


class WhoamiView(View):
    """Who the server takes the caller for, and what that allows anywhere."""

    actor: str
    kind: str
    roles: list[str]
    scopes: list[str]
    environment: str
    read_only: bool
    expires_at: datetime | None = None


class PermissionsView(View):
    """Whether the caller may do each act on a model ("": on the engine as a whole), by the name of the act."""

    model: str
    acts: dict[str, MayView]


class SlackLinkView(View):
    """A Slack account and the person who linked it with themselves ("": not yet); `entry` proves what was just done."""

    user: str
    name: str
    person: str
    at: datetime
    entry: int | None = None
