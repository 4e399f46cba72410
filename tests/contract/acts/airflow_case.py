"""Airflow's API server as its reference documents it, for the few calls that are made.

Source: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

from typing import Any, ClassVar

from contract.acts.case import Case
from contract.acts.world import Asked, Reply

from governance.actions.airflow import Airflow, AirflowConfig

API = "/api/v2/dags"


def dag_run(dag, body, state="queued"):
    """Return a run as a DAGRunResponse has it."""
    return {
        "dag_run_id": body["dag_run_id"], "dag_id": dag, "logical_date": None, "queued_at": "2026-01-05T12:30:01Z",
        "start_date": None, "end_date": None, "duration": None, "data_interval_start": None, "data_interval_end": None,
        "run_after": "2026-01-05T12:30:01Z", "last_scheduling_decision": None, "run_type": "manual", "state": state,
        "triggered_by": "rest_api", "triggering_user_name": "governance", "conf": body.get("conf"),
        "note": body.get("note"), "dag_versions": [], "bundle_version": None, "dag_display_name": dag,
    }  # fmt: skip


class AirflowCase(Case):
    kind = "airflow"
    asks: ClassVar[dict[str, dict[str, Any]]] = {
        "trigger": {"dag": "retrain", "conf": {"model": "flight-delay", "days": 90}},
        "finished": {"dag": "retrain", "run_id": "yesterday"},
    }
    nonsense: ClassVar[list[tuple[str, dict[str, Any], str]]] = [
        ("trigger", {"dag": "../../auth"}, "dag: String should match"),
        ("trigger", {"conf": "all"}, "conf: Input should be a valid dict"),
        ("finished", {"run_id": ""}, "run_id: String should have at least 1"),
    ]
    reading = frozenset({"finished"})
    told_apart = frozenset({"trigger"})

    def built(self, limit: str) -> Airflow:
        self.runs: dict[str, Any] = {"yesterday": dag_run("retrain", {"dag_run_id": "yesterday"}, "success")}
        self.paused = False
        return Airflow(AirflowConfig(address=self.world.address, token_env="CASE_SECRET", timeout=limit))  # noqa: S106

    def answer(self, asked: Asked) -> Reply:
        if asked.headers["authorization"] not in ("Bearer hunter2-is-no-password", "Bearer lent"):
            return Reply(401, {"detail": "Not authenticated"})
        dag, _, run = asked.path.removeprefix(f"{API}/").partition("/dagRuns")
        if dag != "retrain":
            return Reply(404, {"detail": f"DAG with dag_id: '{dag}' not found"})
        if asked.method == "POST":
            return self._triggered(dag, asked.json)
        if not run:
            return Reply(200, {"dag_id": dag, "dag_display_name": dag, "is_paused": self.paused, "is_stale": False})
        found = self.runs.get(run.removeprefix("/"))
        return Reply(200, found) if found else Reply(404, {"detail": "The DagRun was not found"})

    def _triggered(self, dag: str, body: Any) -> Reply:
        if "logical_date" not in body:
            return Reply(422, {"detail": [{"type": "missing", "loc": ["body", "logical_date"]}]})
        if body["dag_run_id"] in self.runs:
            return Reply(409, {"detail": {"reason": "Unique constraint violation"}})
        self.world.did[body["dag_run_id"]] += 1
        self.runs[body["dag_run_id"]] = dag_run(dag, body)
        return Reply(200, self.runs[body["dag_run_id"]])
