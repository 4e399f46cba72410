"""Waivers and silences as they are shown."""

from __future__ import annotations

from datetime import datetime

from governance.views.switches import ApprovalView
from governance.views.view import View


class WaiverView(View):
    """A rule that is not enforced on a model until `until`, or until what `ends_on` names if that is earlier.

    `left` is how long it lasts at most, to the minute; `used_at` when it last kept a finding from being told, which is
    known only where it ends unused; `ended` says what ended it, "" while it is in force.
    """

    id: str
    model: str
    rule: str
    labels: dict[str, str]
    because: str
    requested_by: str
    approved_by: str
    since: datetime | None
    until: datetime
    ends_on: list[str] = []
    used_at: datetime | None = None
    left: str = ""
    ended: str = ""
    from_file: bool = False


class WaiverDoneView(View):
    """A waiver after an act, and the entry that proves it."""

    waiver: WaiverView
    entry: int


class ApprovalDoneView(View):
    """A request as it was made or answered, and the entry that proves it."""

    approval: ApprovalView
    entry: int


class SilenceView(View):
    """Notifications that are muted until `until`; empty `model`, `models`, `rule` and `labels` are all of them."""

    id: str
    model: str
    rule: str
    labels: dict[str, str]
    because: str
    by: str
    since: datetime
    until: datetime
    state: str
    ended_by: str = ""
    models: list[str] = []
    maintenance: bool = False


class SilenceDoneView(View):
    """A silence after an act, and the entry that proves it."""

    silence: SilenceView
    entry: int
