"""What waits for a second person, and what is waived or silent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.client.connection import Connection, path_of
from governance.views import ApprovalDoneView, ApprovalView, Page, SilenceDoneView, SilenceView, WaiverView


class Consent(Connection):
    """Asks what waits for a second person and what is waived or silent, and answers."""

    def approvals(self) -> list[ApprovalView]:
        """Return the two-person acts that wait for somebody."""
        return self._whole("/v1/approvals", Page[ApprovalView])

    def approve(self, approval: str, *, key: str, because: str = "") -> None:
        """Be the second person of an act; a run notes why."""
        self._post(f"/v1/approvals/{path_of(approval)}/approve", {"because": because} if because else {}, key)

    def refuse(self, approval: str, *, because: str, key: str) -> None:
        """Refuse to be the second person of an act, for everybody."""
        self._post(f"/v1/approvals/{path_of(approval)}/refuse", {"because": because}, key)

    def waivers(self) -> list[WaiverView]:
        """Return the waivers in force, those that end first before the others."""
        return self._whole("/v1/waivers", Page[WaiverView])

    def waive(self, body: Mapping[str, Any], *, key: str) -> ApprovalView:
        """Ask that a rule is not enforced: {model, rule, because, until, labels, ends_on}; a second person approves."""
        return ApprovalDoneView.model_validate(self._post("/v1/waivers", body, key)).approval

    def withdraw_waiver(self, waiver: str, *, because: str, key: str) -> None:
        """End a waiver now."""
        self._post(f"/v1/waivers/{path_of(waiver)}/withdraw", {"because": because}, key)

    def silences(self) -> list[SilenceView]:
        """Return the silences that hold, the newest first."""
        return self._whole("/v1/silences", Page[SilenceView])

    def mute(self, body: Mapping[str, Any], *, key: str) -> SilenceView:
        """Mute notifications for a while: {because, until, model, rule, labels, models, maintenance}."""
        return SilenceDoneView.model_validate(self._post("/v1/silences", body, key)).silence

    def end_silence(self, silence: str, *, because: str, key: str) -> None:
        """End a silence now."""
        self._post(f"/v1/silences/{path_of(silence)}/end", {"because": because}, key)
