"""PromQL to a small server in the form of Prometheus's API; test_source_prometheus asks the real one."""

from contextlib import AbstractContextManager

from contract.sources.case import LIMIT, SERIES, Case, Fault, Question
from contract.sources.fault_server import FaultServer

from governance.core.metric import Query, labels
from governance.sources.prometheus import Prometheus, PrometheusConfig


class PrometheusCase(Case):
    kind = "prometheus"

    def __init__(self, directory):
        super().__init__(directory)
        self.server = FaultServer()
        self.server.echo = f"Bearer {self.secret}"
        self.server.told["/api/v1/query"] = self._answer
        self.server.told["/api/v1/query_range"] = self._range
        self.known = {}
        self.source = Prometheus(
            PrometheusConfig(
                address=self.server.address,
                token_env="CASE_SECRET",  # noqa: S106 (the name of a variable)
                timeout=f"{LIMIT * 1000:.0f}ms",
                max_series=SERIES,
            )
        )

    def close(self):
        self.server.close()

    def _answer(self, request):
        text = request.form["query"]
        if text.count("(") != text.count(")"):
            error = 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'
            return 400, {"status": "error", "errorType": "bad_data", "error": f"{error} {self.secret}"}
        time = float(request.form["time"])
        found = [
            {"metric": {"__name__": text, **each}, "value": [time, value]} for each, value in self.known.get(text, [])
        ]
        return {"status": "success", "data": {"resultType": "vector", "result": found}}

    def _range(self, request):
        start, end, step = (float(request.form[name]) for name in ("start", "end", "step"))
        times = [start + n * step for n in range(round((end - start) / step) + 1)]
        series = self.known.get(request.form["query"], [])
        found = [{"metric": each, "values": [[time, value] for time in times]} for each, value in series]
        return {"status": "success", "data": {"resultType": "matrix", "result": found}}

    def told(self, text, *series):
        self.known[text] = series
        return Query("s", text=text)

    def plain(self):
        return Question(self.told("auc", ({}, "0.75")), {(): 0.75})

    def labelled(self):
        query = self.told("by_origin", ({"origin": "JFK"}, "1"), ({"origin": "LGA"}, "2.5"))
        return Question(query, {labels(origin="JFK"): 1.0, labels(origin="LGA"): 2.5}, ("origin",))

    def unknown(self):
        return Query("s", text="no_such_series")

    def wrong(self):
        return Query("s", text="rate(auc")

    def too_many(self):
        return self.told("many", *(({"n": str(n)}, "1") for n in range(SERIES + 2)))

    def not_finite(self, value):
        return self.told("odd", ({}, {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]))

    def later(self):
        return self.told("auc offset -1s", ({}, "0.75"))

    def broken(self, fault: Fault) -> AbstractContextManager[None]:
        return self.server.broken(fault)


CASES = (PrometheusCase,)
