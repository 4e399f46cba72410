"""Kill switches as they are shown, with what a person must know before pulling or restoring one."""

from __future__ import annotations

from datetime import datetime

from governance.views.view import View


class ScopeView(View):
    """Which requests a setting is for; empty is all of the model's."""

    version: str = ""
    labels: dict[str, str] = {}


class SettingView(View):
    """What holds for one scope; `batch` is the id of the act that pulled other models too, "" of one alone."""

    scope: ScopeView
    mode: str
    share: float
    seq: int
    reason: str
    set_by: str
    set_at: datetime
    approved_by: str = ""
    fallback: str = ""
    incident: int | None = None
    expires_at: datetime | None = None
    extended: int = 0
    origin: str = "person"
    batch: str = ""


class ConfirmationsView(View):
    """How many serving instances hold the latest change: "41 of 42"; `late` and `silent` name the others.

    `last_read` is when any client, also one that confirms nothing, last asked for the model's flags.
    """

    total: int
    confirmed: int
    late: list[str] = []
    silent: list[str] = []
    last_read: datetime | None = None


class MayView(View):
    """Whether who asks may act: why, or else who may; `who_may` are all people who may, where they are asked for."""

    allowed: bool
    because: str
    who_may: list[str] = []


class FallbackView(View):
    """How what answers instead of a model is: `state` healthy, critical, warning, info, away (not live), unknown."""

    name: str
    state: str
    said: str
    judged_at: datetime | None = None


class DrillView(View):
    """The last time a kill switch was practised: who says so, the entry that proves it, and what was found.

    `entry` is None until it is sealed. Where a run of a runbook proves it: its id, whether it was a dry run, how many
    seconds it lasted, and what was noted of its steps. `note` is what was recorded. `failed` says why it proves
    nothing, "" where it came through.
    """

    at: datetime
    by: str
    entry: int | None = None
    note: str = ""
    run: str = ""
    runbook: str = ""
    dry: bool = False
    lasted: float | None = None
    found: list[str] = []
    failed: str = ""


class SwitchView(View):
    """The kill switch of one model.

    `serving` is the version that serves, "" when unknown; `traffic` predictions per minute, None when unknown;
    `may` is for who asks: pull, restore, break-glass. Only where one switch is asked for, and not in the list of all:
    `fallback_health`, the last `drill` that came through (None for never), one that failed since, and by id who may
    restore and who may be the second person.
    """

    model: str
    environment: str
    tier: int
    seq: int
    mode: str
    settings: list[SettingView]
    changed_at: datetime | None = None
    serving: str = ""
    fallback: str = ""
    traffic: float | None = None
    dependants: list[str] = []
    people_to_restore: int = 1
    confirmations: ConfirmationsView
    warnings: list[str] = []
    may: dict[str, MayView] = {}
    fallback_health: FallbackView | None = None
    drill: DrillView | None = None
    drill_failed: DrillView | None = None
    restorers: list[str] = []
    approvers: list[str] = []


class ApprovalView(View):
    """An act that waits for the consent of somebody; a restore is void when the switch is no longer at `seq`.

    `run` and `step` are set where a run of a runbook asks. `may` is for who asks, where all that waits is listed:
    whether they may `approve` and `refuse`, and why or why not.
    """

    id: str
    kind: str
    model: str
    text: str
    requested_by: str
    requested_at: datetime
    expires_at: datetime | None = None
    state: str = "pending"
    seq: int | None = None
    who_may: list[str] = []
    may: dict[str, MayView] = {}
    run: str = ""
    step: str = ""


class SwitchDoneView(View):
    """The switch after an act and the entry that proves it; or the approval that a restore waits for."""

    switch: SwitchView
    entry: int
    approval: ApprovalView | None = None
