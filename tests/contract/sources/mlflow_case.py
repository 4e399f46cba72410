"""A small registry in the form of MLflow's API; test_source_mlflow asks the real one."""

from contextlib import AbstractContextManager

from contract.sources.case import LIMIT, SERIES, Case, Fault, Question
from contract.sources.fault_server import FaultServer

from governance.core.metric import Query, labels
from governance.sources.mlflow import Mlflow, MlflowConfig

API = "/api/2.0/mlflow"


class MlflowCase(Case):
    kind = "mlflow"
    not_applicable = {"plain": "every answer of a registry has the label version"}  # noqa: RUF012 (never changed)

    def __init__(self, directory):
        super().__init__(directory)
        self.server = FaultServer()
        self.server.echo = f"Bearer {self.secret}"
        self.models = {"flight-delay": [self.version(1, self.seconds - 7200), self.version(2, self.seconds - 3600)]}
        self.metrics = {}
        self.server.told = {
            f"{API}/model-versions/search": self._search,
            f"{API}/registered-models/alias": self._alias,
            f"{API}/runs/get": self._run,
        }
        self.source = Mlflow(
            MlflowConfig(
                address=self.server.address,
                token_env="CASE_SECRET",  # noqa: S106 (the name of a variable)
                timeout=f"{LIMIT * 1000:.0f}ms",
                max_series=SERIES,
            ),
            now=lambda: self.at,
        )

    @property
    def seconds(self):
        return self.at.timestamp()

    def version(self, number, created):
        return {"version": str(number), "creation_timestamp": int(created * 1000), "run_id": f"run{number}"}

    def close(self):
        self.server.close()

    def _search(self, request):
        name = request.form["filter"].removeprefix("name='").removesuffix("'")
        found, size = self.models.get(name, []), int(request.form["max_results"])
        start = int(request.form.get("page_token", 0))
        more = {"next_page_token": str(start + size)} if len(found) > start + size else {}
        return {"model_versions": found[start : start + size], **more} if found else {}

    def _alias(self, request):
        found = self.models.get(request.form["name"], [])
        if not found:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Registered Model not found"}
        if request.form["alias"] != "champion":
            return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "Registered model alias x not found."}
        return {"model_version": found[-1]}

    def _run(self, _):
        return {"run": {"info": {"end_time": int(self.seconds * 1000) - 5000}, "data": {"metrics": self._logged()}}}

    def _logged(self):
        return [{"key": key, "value": value, "timestamp": 0, "step": 0} for key, value in self.metrics.items()]

    def labelled(self):
        expected = {labels(version="1"): self.seconds - 7200, labels(version="2"): self.seconds - 3600}
        return Question(Query("s", text="flight-delay"), expected, ("version",))

    def unknown(self):
        return Query("s", text="loans@champion")

    def wrong(self):
        return Query("s", text="flight-delay@champion/latest")

    def too_many(self):
        self.models["often"] = [self.version(n, 1000 + n) for n in range(SERIES + 2)]
        return Query("s", text="often")

    def not_finite(self, value):
        self.metrics = {"auc": {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]}
        return Query("s", text="flight-delay@champion/metrics/auc")

    def later(self):
        self.models["young"] = [self.version(1, self.seconds + 60)]
        return Query("s", text="young@champion")

    def broken(self, fault: Fault) -> AbstractContextManager[None]:
        return self.server.broken(fault)


CASES = (MlflowCase,)
