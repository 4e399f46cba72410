"""Runbooks, and runs of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from governance.client.connection import Connection, path_of
from governance.views import Page
from governance.views.runs import RunbookView, RunDoneView, RunView

if TYPE_CHECKING:
    from governance.views.simulation import SimulationView


class Runs(Connection):
    """Asks for runbooks, starts them and acts on their runs."""

    def runbooks(self, model: str = "") -> list[RunbookView]:
        """Return the runbooks: what each is for and asks for; for a model whether it can be started, and by us."""
        return self._get("/v1/runbooks", Page[RunbookView], model=model).items

    def simulate(self, runbook: str, body: Mapping[str, Any]) -> SimulationView:
        """Return the way of a run without starting one: {model, parameters, assume}."""
        from governance.views.simulation import SimulationView  # who follows runs does not need what it rests on

        return SimulationView.model_validate(self._post(f"/v1/runbooks/{path_of(runbook)}/simulate", body, ""))

    def runs(self, *, model: str = "", incident: int = 0, state: str = "open") -> list[RunView]:
        """Return runs, newest first; `state` is open, ended or all."""
        return self._whole("/v1/runs", Page[RunView], model=model, incident=incident, state=state)

    def run(self, run: str) -> RunView:
        """Return one run: its steps, what each asks, and what can be done now by whom."""
        return self._get(f"/v1/runs/{path_of(run)}", RunView)

    def start_run(self, model: str, body: Mapping[str, Any], *, key: str) -> RunDoneView:
        """Start a runbook for a model: {runbook, because, parameters, incident, labels, dry_run}."""
        return RunDoneView.model_validate(self._post(f"/v1/models/{path_of(model)}/runs", body, key))

    def on_run(self, run: str, act: str, body: Mapping[str, Any], *, key: str) -> RunDoneView:
        """Act on a run: tick, retry, pause, resume {version, step, because}, skip, settle {…, took_effect}, cancel."""
        return RunDoneView.model_validate(self._post(f"/v1/runs/{path_of(run)}/{act}", body, key))
