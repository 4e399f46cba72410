"""A small registry in the form of MLflow's API; test_source_mlflow acts on the real one."""

from typing import Any, ClassVar

from contract.acts.case import Case
from contract.acts.world import Asked, Reply

from governance.actions.mlflow import Mlflow, MlflowConfig

API = "/api/2.0/mlflow"


class MlflowCase(Case):
    kind = "mlflow"
    asks: ClassVar[dict[str, dict[str, Any]]] = {
        "set_alias": {"name": "flight-delay", "alias": "champion", "version": 1},
        "set_tag": {"name": "flight-delay", "version": 1, "key": "rolled-back", "value": "RUN-12"},
    }
    nonsense: ClassVar[list[tuple[str, dict[str, Any], str]]] = [
        ("set_alias", {"version": "latest"}, "version: String should match"),
        ("set_alias", {"alias": ""}, "alias: String should have at least 1"),
        ("set_alias", {"stage": "Production"}, "stage: Extra inputs"),
        ("set_tag", {"key": None}, "key: Input should be a valid string"),
        ("set_tag", {"value": "x" * 5001}, "value: String should have at most 5000"),
    ]
    told_apart = frozenset({"set_alias", "set_tag"})

    def built(self, limit: str) -> Mlflow:
        self.aliases, self.tags, self.status = {"champion": "2"}, dict[str, str](), "READY"
        return Mlflow(MlflowConfig(address=self.world.address, token_env="CASE_SECRET", timeout=limit))  # noqa: S106

    def answer(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            return self._looked(asked)
        body = asked.json
        if asked.path.endswith("/alias"):
            if self.aliases.get(body["alias"]) != body["version"]:
                self.world.did["alias"] += 1
            self.aliases[body["alias"]] = body["version"]
        else:
            if self.tags.get(body["key"]) != body["value"]:
                self.world.did["tag"] += 1
            self.tags[body["key"]] = body["value"]
        return Reply(200, {})

    def _looked(self, asked: Asked) -> Reply:
        if asked.path == f"{API}/registered-models/alias":
            version = self.aliases.get(asked.query["alias"])
            return Reply(200, {"model_version": {"version": version}}) if version else Reply(400, {"error_code": "X"})
        if asked.query["version"] not in ("1", "2"):
            return Reply(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})
        tags = [{"key": key, "value": value} for key, value in self.tags.items()]
        return Reply(200, {"model_version": {"version": asked.query["version"], "status": self.status, "tags": tags}})
