"""Versions of the policies: what rules, what waits, what would change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.client.connection import COMPILING, Connection
from governance.views import AppliedView, CheckView, Page, RunningView, VersionView
from governance.views.plan import PlanView


class Policies(Connection):
    """Asks what rules, what waits and what would change, and applies policies."""

    def versions(self) -> list[VersionView]:
        """Return the newest versions of the policies, newest first."""
        return self._get("/v1/policies", Page[VersionView]).items

    def running(self) -> RunningView:
        """Return the version of the policies that rules, with its texts."""
        return self._get("/v1/policies/running", RunningView)

    def plan(self, body: Mapping[str, Any]) -> PlanView:
        """Return what policies would change, and what they would have told: {texts, days}."""
        return PlanView.model_validate(self._post("/v1/policies/plan", body, "", timeout=COMPILING))

    def check(self) -> CheckView:
        """Return what is wrong with the policies that the engine read last."""
        return self._get("/v1/policies/check", CheckView)

    def pending(self, days: float = 30) -> PlanView:
        """Return what the version that waits for a second person would change; NotFound when none waits."""
        return self._get("/v1/policies/pending", PlanView, timeout=COMPILING, days=days)

    def apply(self, body: Mapping[str, Any], *, key: str) -> AppliedView:
        """Let policies rule: {texts} or {version}."""
        return AppliedView.model_validate(self._post("/v1/policies/apply", body, key, timeout=COMPILING))
