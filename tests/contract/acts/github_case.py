"""GitHub's REST API as its reference documents it, for the few calls that are made.

Sources: https://docs.github.com/rest/actions/workflows · https://docs.github.com/rest/actions/workflow-runs
"""

from typing import Any, ClassVar

from contract.acts.case import SECRET, Case
from contract.acts.world import Asked, Reply

from governance.actions.github import Github, GithubConfig

REPOSITORY = "/repos/acme/models"
WORKFLOW = f"{REPOSITORY}/actions/workflows/retrain.yml"


def workflow_run(number, title, **more):
    """Return the part of a workflow run that tells it from others."""
    return {
        "id": number, "name": "retrain", "display_title": title, "event": "workflow_dispatch", "status": "queued",
        "conclusion": None, "workflow_id": 161335, "head_branch": "main", "created_at": "2026-01-05T12:30:01Z",
        "html_url": f"https://github.com/acme/models/actions/runs/{number}", **more,
    }  # fmt: skip


class GithubCase(Case):
    kind = "github"
    asks: ClassVar[dict[str, dict[str, Any]]] = {
        "dispatch": {"workflow": "retrain.yml", "ref": "main", "inputs": {"days": 90}, "key_input": "key"},
        "finished": {"run_id": 6},
    }
    nonsense: ClassVar[list[tuple[str, dict[str, Any], str]]] = [
        ("dispatch", {"workflow": "../../../user"}, "workflow: String should match"),
        ("dispatch", {"ref": "a b"}, "ref: String should match"),
        ("dispatch", {"inputs": {str(each): "x" for each in range(26)}}, "inputs: Dictionary should have at most 25"),
        ("finished", {"run_id": "latest"}, "run_id: String should match"),
    ]
    reading = frozenset({"finished"})

    def built(self, limit: str) -> Github:
        self.runs = [workflow_run(6, "retrain", status="completed", conclusion="success")]
        self.state, self.details = "active", True
        address = self.world.address
        config = GithubConfig(repository="acme/models", token_env="CASE_SECRET", address=address, timeout=limit)  # noqa: S106
        return Github(config)

    def answer(self, asked: Asked) -> Reply:
        if asked.headers["authorization"] != f"Bearer {SECRET}":
            return Reply(401, {"message": "Bad credentials"})
        assert asked.headers["accept"] == "application/vnd.github+json"
        if asked.path == f"{WORKFLOW}/dispatches":
            return self._dispatched(asked.json)
        if asked.path == f"{WORKFLOW}/runs":
            size, page = int(asked.query["per_page"]), int(asked.query["page"])
            assert asked.query["created"].startswith(">=2025-12-29T")
            found = self.runs[(page - 1) * size : page * size]
            return Reply(200, {"total_count": len(self.runs), "workflow_runs": found})
        known: dict[str, Any] = {
            WORKFLOW: {"id": 161335, "name": "retrain", "state": self.state},
            f"{REPOSITORY}/actions/workflows": {"total_count": 1, "workflows": []},
            f"{REPOSITORY}/commits/main": {"sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e"},
            **{f"{REPOSITORY}/actions/runs/{each['id']}": each for each in self.runs},
        }
        return Reply(200, known[asked.path]) if asked.path in known else Reply(404, {"message": "Not Found"})

    def _dispatched(self, body: Any) -> Reply:
        unexpected = set(body["inputs"]) - {"days", "key"}
        if unexpected:
            return Reply(422, {"message": f"Unexpected inputs provided: {sorted(unexpected)}"})
        if body["ref"] != "main":
            return Reply(422, {"message": f"No ref found for: {body['ref']}"})
        assert all(isinstance(each, str) for each in body["inputs"].values())
        number = 100 + len(self.runs)
        self.world.did["dispatch"] += 1
        self.runs.insert(0, workflow_run(number, f"retrain {body['inputs'].get('key', '')}"))
        if not (self.details and body.get("return_run_details")):
            return Reply(204)
        url = f"https://api.github.com{REPOSITORY}/actions/runs/{number}"
        return Reply(200, {"workflow_run_id": number, "run_url": url, "html_url": self.runs[0]["html_url"]})
