"""What is known of one model."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from governance.client.connection import Connection, path_of
from governance.views import ModelView, Page, PolicyView, VerdictsView
from governance.views.budgets import BudgetView
from governance.views.explained import ExplainedView
from governance.views.series import SeriesView


class Models(Connection):
    """Asks for what is known of one model."""

    def model(self, model: str) -> ModelView:
        """Return a model: what its card says, how it is, and its switch."""
        return self._get(f"/v1/models/{path_of(model)}", ModelView)

    def policy(self, model: str) -> PolicyView:
        """Return the effective policy of a model, with where each part is written."""
        return self._get(f"/v1/models/{path_of(model)}/policy", PolicyView)

    def verdicts(self, model: str, at: datetime | None = None) -> VerdictsView:
        """Return what was last judged; with an instant what is judged as of it, with the parts of what fails."""
        asked: dict[str, Any] = {"at": at.isoformat()} if at is not None else {}
        return self._get(f"/v1/models/{path_of(model)}/verdicts", VerdictsView, **asked)

    def series(self, model: str) -> list[SeriesView]:
        """Return what a model's rules look at with its last values, those of rules that fail first."""
        return self._get(f"/v1/models/{path_of(model)}/series", Page[SeriesView]).items

    def budgets(self, model: str) -> list[BudgetView]:
        """Return a model's service level objectives with what is left of their budgets, the least first."""
        return self._get(f"/v1/models/{path_of(model)}/budgets", Page[BudgetView]).items

    def explained(self, model: str) -> ExplainedView:
        """Return every value of a model's policy with its place, and what it took the place of."""
        return self._get(f"/v1/models/{path_of(model)}/explained", ExplainedView)
